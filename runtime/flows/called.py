"""A run's calls to other systems: what was sent, what came of it, as far as the reader may see."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ...platform.definitions.form_scope import published_forms
from ...platform.expressions.tree import Hop, walk
from ...platform.identity.actor import Actor
from ...platform.records.eyes import Eyes
from ...platform.records.record import READABLE
from ...platform.store.encrypted import Unreadable
from ..actions.formula import Formula
from ..channels.calls import body_of, calls_of
from ..channels.model import connections
from ..steps.graph import CallStep, Graph
from .load import flow
from .scope import TOLD
from .seen import need_seen
from .uses import uses_of_flow


@dataclass(frozen=True)
class Sent:
    """One value of what was sent. path: its place in the body, by dots. value: as JSON; seen: False
    when the reader may not read what it was worked out from, and value is None then."""

    path: str
    value: Any
    seen: bool


@dataclass(frozen=True)
class Called:
    """A call of the run. host: where it goes, None when the connection is gone."""

    id: int
    step: str
    connection: str
    title: Any
    host: str | None
    state: str
    status: int | None
    trouble: str | None
    tries: int
    made_at: datetime
    due_at: datetime
    over_at: datetime | None
    sent: Sequence[Sent]


def calls_seen(session: Session, actor: Actor, instance_id: int) -> list[Called]:
    """The calls of an instance, the oldest first. Raises NotFound."""
    row = need_seen(session, actor, instance_id)
    rows = calls_of(session, instance_id)
    if not rows:
        return []
    graph = flow(session, row.flow_key, row.flow_version)
    lines = {one.key: one for one in session.execute(select(connections))}
    reader = _Reader(session, actor, graph)
    return [_called(one, lines.get(one.connection_key), reader) for one in rows]


def _called(row: Row[Any], line: Row[Any] | None, reader: _Reader) -> Called:
    return Called(
        id=row.id,
        step=row.step_key,
        connection=row.connection_key,
        title=line.title if line is not None else row.connection_key,
        host=line.host if line is not None else None,
        state=row.state,
        status=row.status,
        trouble=row.trouble,
        tries=row.tries,
        made_at=row.made_at,
        due_at=row.due_at,
        over_at=row.over_at,
        sent=reader.sent(row),
    )


class _Reader:
    """What one reader may see of what was sent."""

    def __init__(self, session: Session, actor: Actor, graph: Graph) -> None:
        self.session = session
        self.graph = graph
        self.eyes = Eyes(session, actor)
        self._named: dict[str, set[tuple[str, str]]] = {}
        for use in uses_of_flow(graph.document, published_forms(session)):
            if use.kind == "form" and use.field is not None:
                self._named.setdefault(use.path, set()).add((use.key, use.field))

    def sent(self, row: Row[Any]) -> list[Sent]:
        """Each value in the order in which it was sent; none without the key that it was kept by,
        or of a step that the version at hand does not have."""
        node = self.graph.nodes.get(row.step_key)
        if node is None or not isinstance(node.step, CallStep):
            return []
        try:
            body = json.loads(body_of(self.session, row.body))
        except Unreadable:
            return []
        found = []
        for path, formula in node.step.body:
            seen = self._may(f"{node.at}/body/{'/'.join(path)}", formula, row, path)
            found.append(Sent(".".join(path), _at(body, path) if seen else None, seen))
        return found

    def _may(self, at: str, formula: Formula, row: Row[Any], path: tuple[str, ...]) -> bool:
        """Whether every field it names is one the reader may read, of just the records it was read
        of. What cannot be told record by record (rows, other records found) is not shown."""
        if _of_answers(formula):
            return False
        named: set[tuple[str, str]] = set()
        for place, fields in self._named.items():
            if place == at or place.startswith(f"{at}/"):
                named |= fields
        reads: Sequence[Mapping[str, str]] | None = row.reads.get("/".join(path))
        if reads is None or named - {(read["form"], read["key"]) for read in reads}:
            return False
        return all(self._reads(read) for read in reads)

    def _reads(self, read: Mapping[str, str]) -> bool:
        record = self.eyes.record(read["form"], int(read["id"]))
        return record is not None and record.rights.get(read["key"]) in READABLE


def _of_answers(formula: Formula) -> bool:
    """Whether it names what another call was answered: that is no field, and has no readers."""
    return formula.typed is not None and any(
        isinstance(node, Hop)
        and (node.base.type.form or "").startswith("+")
        and node.key not in TOLD
        for node in walk(formula.typed.node)
    )


def _at(body: Any, path: Sequence[str]) -> Any:
    for part in path:
        body = body.get(part) if isinstance(body, Mapping) else None
    return body
