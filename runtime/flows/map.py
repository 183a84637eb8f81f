"""A run on the map of its flow: the tree as it was drawn, with where it stands and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ...platform.store.session import moment
from ...platform.web.context import local
from ..forms.show import Reader
from ..steps.graph import Graph, Node
from .model import TokenState, incidents, steps_taken, tokens
from .reasons import Reasons
from .shape import AGAIN, THEN

ICONS = {
    "task": "user",
    "approve": "shield-check",
    "action": "settings",
    "notify": "bell",
    "call": "send",
    "branch": "workflow",
    "repeat": "refresh-cw",
    "race": "hourglass",
    "wait": "clock",
    "go_to": "arrow-right",
    "end": "circle-check",
}


@dataclass(frozen=True)
class Branch:
    """One way on from a step. state: `taken`, or empty."""

    title: str
    state: str
    steps: Sequence[Place]


@dataclass(frozen=True)
class Place:
    """One step on the map. state: empty (not reached), done, now or bad; words: of that state.

    times: how often it was entered; took: how long the last time, in words; why: what its
    conditions read the last time; chip: where a go_to leads.
    """

    key: str
    title: str
    kind: str
    icon: str
    state: str
    words: str
    times: int
    at: str
    took: str
    chip: str = ""
    why: Sequence[str] = ()
    ways: Sequence[Branch] = field(default_factory=tuple)


@dataclass(frozen=True)
class _Visit:
    """One entry into a step; left is None while the token is there."""

    step: str
    at: datetime
    left: datetime | None
    case: str | None
    why: Any


def drawn_map(reader: Reader, instance: Any, graph: Graph) -> list[Place]:
    """The flow's steps, as this run has gone through them so far."""
    return _Map(reader, instance, graph).sequence(graph.document["steps"])


class _Map:
    def __init__(self, reader: Reader, instance: Any, graph: Graph) -> None:
        self.reader = reader
        self.graph = graph
        self.now = moment(reader.session)
        self.visits = _visits(reader, instance)
        self.reasons = Reasons(reader, graph)
        self.stands, self.stuck = _stands(reader, instance)

    def sequence(self, steps: Sequence[Mapping[str, Any]]) -> list[Place]:
        return [self.place(step) for step in steps]

    def place(self, step: Mapping[str, Any]) -> Place:
        node = self.graph.nodes[step["key"]]
        visits = self.visits.get(node.key, [])
        last = visits[-1] if visits else None
        state = self._state(node, last)
        took = (last.left or self.now) - last.at if last is not None else None
        kind = self.reader.say(f"page.map.kind.{node.kind}")
        return Place(
            key=node.key,
            title=self.reader.text(step.get("title")) or (kind if node.kind == "end" else node.key),
            kind=kind,
            icon=ICONS[node.kind],
            state=state,
            words=self.reader.say(f"page.map.{state or 'ahead'}"),
            times=len(visits),
            at=local(last.at) if last is not None else "",
            took=spent(self.reader, took.total_seconds()) if took is not None else "",
            chip=self._title(step["to"]) if node.kind == "go_to" else "",
            why=self._why(node, last),
            ways=self._ways(step, node, last),
        )

    def _state(self, node: Node, last: _Visit | None) -> str:
        inner = (node.key, node.key + THEN, node.key + AGAIN)
        if self.stands in inner:
            return "bad" if self.stuck else "now"
        return "done" if last is not None else ""

    def _why(self, node: Node, last: _Visit | None) -> Sequence[str]:
        if node.kind == "repeat":
            rounds = self.visits.get(node.key + AGAIN, [])
            last = rounds[-1] if rounds else None
        return self.reasons.words(last.why) if last is not None and last.why else ()

    def _ways(self, step: Mapping[str, Any], node: Node, last: _Visit | None) -> Sequence[Branch]:
        say, text = self.reader.say, self.reader.text
        case = last.case if last is not None else None
        if node.kind in ("branch", "race"):
            some = step["cases" if node.kind == "branch" else "arms"]
            return [
                Branch(
                    text(one.get("title")) or one["key"],
                    "taken" if one["key"] == case else "",
                    self.sequence(one["steps"]),
                )
                for one in some
            ]
        if node.kind == "repeat":
            state = "taken" if last is not None else ""
            return [Branch(say("page.map.rounds"), state, self.sequence(step["steps"]))]
        if node.kind == "approve":
            places = self.sequence(step["rejected"])
            state = "taken" if places[0].times else ""
            return [Branch(say("flow.rejected"), state, places)]
        if node.kind == "call" and "failed" in step:
            places = self.sequence(step["failed"])
            state = "taken" if places[0].times else ""
            return [Branch(say("flow.call_failed"), state, places)]
        return ()

    def _title(self, key: str) -> str:
        node = self.graph.nodes.get(key)
        return self.reader.text(node.title) if node is not None else key


def _visits(reader: Reader, instance: Any) -> dict[str, list[_Visit]]:
    """Every entry by step, the oldest first; each is left when the next step is entered."""
    query = (
        select(steps_taken)
        .where(steps_taken.c.instance_id == instance.id)
        .order_by(steps_taken.c.id)
    )
    rows = list(reader.session.execute(query))
    found: dict[str, list[_Visit]] = {}
    for number, row in enumerate(rows):
        left = rows[number + 1].at if number + 1 < len(rows) else instance.ended_at
        visit = _Visit(row.step_key, row.at, left, row.case_key, row.why)
        found.setdefault(row.step_key, []).append(visit)
    return found


def _stands(reader: Reader, instance: Any) -> tuple[str, bool]:
    """The step where the run is, and whether it has an incident there."""
    query = select(tokens.c.step_key).where(
        tokens.c.instance_id == instance.id,
        tokens.c.state.not_in([TokenState.ENDED, TokenState.CANCELLED]),
    )
    stands = reader.session.execute(query).scalar() or ""
    open_ones = select(incidents.c.id).where(
        incidents.c.instance_id == instance.id, incidents.c.closed_at.is_(None)
    )
    return stands, reader.session.execute(open_ones).first() is not None


def spent(reader: Reader, seconds: float) -> str:
    """How long something took: `12 min`, `3 h 5 min`, `2 days`; empty below a minute."""
    minutes = int(seconds) // 60
    if minutes < 1:
        return ""
    if minutes < 60:
        return reader.say("page.map.minutes", n=minutes)
    if minutes < 24 * 60:
        return reader.say("page.map.hours", h=minutes // 60, m=minutes % 60)
    return reader.say("page.map.days", d=minutes // (24 * 60), h=minutes // 60 % 24)
