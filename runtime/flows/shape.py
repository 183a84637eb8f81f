"""A flow's tree laid out as a graph: what comes after what. No expression is read here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]

THEN = "/then"
"""The actions after a task are a node of their own, `KEY/then`, so that retrying them after
an incident does not ask the person again. A slash is in no key."""


@dataclass(frozen=True)
class Way:
    """One case of a branch: its document, its place, and the node it leads to."""

    document: Document
    at: str
    to: str | None


@dataclass(frozen=True)
class Laid:
    """One node: its document and place, the sequence it stands in, and the node after it.

    sequence: the places of the cases round it, outermost first; () is the flow itself.
    """

    key: str
    kind: str
    document: Document
    at: str
    sequence: tuple[str, ...]
    next: str | None
    ways: tuple[Way, ...] = ()

    def leads_to(self) -> Iterator[str | None]:
        """Every node that may come next; None where the path falls off the end."""
        if self.kind == "branch":
            yield from (way.to for way in self.ways)
        elif self.kind != "end":
            yield self.next
            if self.kind == "go_to":
                yield self.document["to"]

    def acts(self) -> Iterator[tuple[Document, str]]:
        """The actions of this node, each with its place."""
        if self.kind == "action":
            where = "then" if self.key.endswith(THEN) else "do"
            for number, act in enumerate(self.document.get(where, ())):
                yield act, f"{self.at}/{where}/{number}"


@dataclass
class Shape:
    """A whole flow, laid out. `twice`: places of steps whose key another step bears already."""

    first: str
    nodes: dict[str, Laid] = field(default_factory=dict)
    twice: list[tuple[str, str]] = field(default_factory=list)

    def reachable(self) -> set[str]:
        """The nodes a token can come to."""
        found: set[str] = set()
        open_ends = [self.first]
        while open_ends:
            key = open_ends.pop()
            if key in found or key not in self.nodes:
                continue
            found.add(key)
            open_ends += [to for to in self.nodes[key].leads_to() if to is not None]
        return found


def lay_out(document: Document) -> Shape:
    """The graph of a document that its JSON Schema accepts."""
    shape = Shape(document["steps"][0]["key"])
    _sequence(shape, document["steps"], "/steps", (), None)
    return shape


def _sequence(
    shape: Shape, steps: Sequence[Document], at: str, within: tuple[str, ...], after: str | None
) -> str | None:
    """Lay a sequence out; returns its first node, or what comes after it when it is empty."""
    for number, step in enumerate(steps):
        following = steps[number + 1]["key"] if number + 1 < len(steps) else after
        _step(shape, step, f"{at}/{number}", within, following)
    first: str | None = steps[0]["key"] if steps else after
    return first


def _step(
    shape: Shape, step: Document, at: str, within: tuple[str, ...], following: str | None
) -> None:
    key, kind = step["key"], step["kind"]
    ways: list[Way] = []
    for number, case in enumerate(step.get("cases", ()) if kind == "branch" else ()):
        place = f"{at}/cases/{number}"
        to = _sequence(shape, case["steps"], f"{place}/steps", (*within, place), following)
        ways.append(Way(case, place, to))
    if kind == "task" and step.get("then"):
        _add(shape, Laid(key + THEN, "action", step, at, within, following))
        following = key + THEN
    _add(shape, Laid(key, kind, step, at, within, following, tuple(ways)))


def _add(shape: Shape, laid: Laid) -> None:
    if laid.key in shape.nodes:
        shape.twice.append((laid.key, laid.at))
    else:
        shape.nodes[laid.key] = laid
