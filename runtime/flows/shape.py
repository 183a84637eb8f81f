"""A flow's tree laid out as a graph: what comes after what. No expression is read here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]

THEN = "/then"
"""The actions after a task are a node of their own, `KEY/then`, so that retrying them after
an incident does not ask the person again. A slash is in no key."""
AGAIN = "/again"
"""The end of a repeat's round, where it is decided whether there is another."""


def is_inner(key: str) -> bool:
    """Whether it is a node that the document does not name as a step."""
    return "/" in key


@dataclass(frozen=True)
class Way:
    """One way on from a branch, a race, an approval or a call: a case, an arm, the no, the failure.
    Its document, its place, and the node it leads to."""

    document: Document
    at: str
    to: str | None


@dataclass(frozen=True)
class Laid:
    """One node: its document and place, the sequence it stands in, and the node after it.

    sequence: the places of the cases round it, outermost first; () is the flow itself. after: of
    a repeat's end the node that comes when no further round does.
    """

    key: str
    kind: str
    document: Document
    at: str
    sequence: tuple[str, ...]
    next: str | None
    ways: tuple[Way, ...] = ()
    after: str | None = None

    def leads_to(self) -> Iterator[str | None]:
        """Every node that may come next; None where the path falls off the end."""
        yield from (way.to for way in self.ways)
        if self.kind not in ("branch", "race", "end"):
            yield self.next
        if self.kind == "go_to":
            yield self.document["to"]
        elif self.kind == "again":
            yield self.after

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
    if kind == "repeat":
        _repeat(shape, step, at, within, following)
        return
    ways: list[Way] = []
    if kind in ("branch", "race"):
        part = "cases" if kind == "branch" else "arms"
        for number, one in enumerate(step[part]):
            place = f"{at}/{part}/{number}"
            to = _sequence(shape, one["steps"], f"{place}/steps", (*within, place), following)
            if "task" in one:
                task = {**one["task"], "key": one["key"], "kind": "task"}
                _step(shape, task, f"{place}/task", (*within, place), to)
                to = one["key"]
            ways.append(Way(one, place, to))
    elif kind == "approve":
        place = f"{at}/rejected"
        to = _sequence(shape, step["rejected"], place, (*within, place), following)
        ways.append(Way(step, place, to))
    elif kind == "call" and "failed" in step:
        place = f"{at}/failed"
        to = _sequence(shape, step["failed"], place, (*within, place), following)
        ways.append(Way(step, place, to))
    if kind in ("task", "approve") and step.get("then"):
        _add(shape, Laid(key + THEN, "action", step, at, within, following))
        following = key + THEN
    _add(shape, Laid(key, kind, step, at, within, following, tuple(ways)))


def _repeat(
    shape: Shape, step: Document, at: str, within: tuple[str, ...], following: str | None
) -> None:
    """A repeat leads into its steps, those to its end, and that back or on."""
    key, place = step["key"], f"{at}/steps"
    end = key + AGAIN
    first = _sequence(shape, step["steps"], place, (*within, place), end)
    _add(shape, Laid(end, "again", step, at, within, first, after=following))
    _add(shape, Laid(key, "repeat", step, at, within, first))


def _add(shape: Shape, laid: Laid) -> None:
    if laid.key in shape.nodes:
        shape.twice.append((laid.key, laid.at))
    else:
        shape.nodes[laid.key] = laid


def makes(document: Document, shape: Shape, key: str) -> str | None:
    """The form of the record that a step or action produces under this key, or that is given."""
    for one in document.get("given", ()):
        if one["key"] == key:
            return str(one["form"])
    for laid in shape.nodes.values():
        if laid.key == key and laid.kind in ("task", "wait"):
            form: str | None = laid.document.get("submitted", laid.document).get("form")
            return form
        for way in laid.ways if laid.kind == "race" else ():
            if way.document["key"] == key and "submitted" in way.document:
                return str(way.document["submitted"]["form"])
        for act, _ in laid.acts():
            if act["key"] == key and act["action"] in ("find", "create"):
                return str(act["form"])
    return None
