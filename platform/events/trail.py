"""What happened, the newest first: to a record, a person, a definition, or by somebody's hand.

Sealed events are read by their number. Before them come those that are not sealed yet, by id: one
that commits late may be missing there, but never among the sealed ones.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from ..store.errors import Malformed
from .model import Event

_MARK = re.compile(r"([0-9]{1,18})([ts])([0-9]{1,19})", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """Which events. since: none before it.

    subject: (kind, id); without an id every subject of that kind, "form" also for "form:lead".
    """

    subject: tuple[str, int | None] | None = None
    actor_id: int | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class _Mark:
    """Where a page ended. top: the newest number when the first page was read, so that what is
    sealed meanwhile still counts as unsealed. last: an id in the tail, else a number."""

    top: int
    in_tail: bool
    last: int


def trail(
    session: Session,
    wanted: Wanted,
    visible: ColumnElement[bool],
    *,
    mark: str | None = None,
    limit: int = 50,
) -> tuple[list[Event], str | None]:
    """Events, the newest first, and the mark of the next page (None at the end).

    visible: the events the reader may know of. Raises Malformed for a mark that is none.
    """
    at = _read(mark)
    top = at.top if at else session.scalar(select(func.max(Event.seq))) or 0
    query = _filtered(wanted).where(visible)
    found: list[Event] = []
    if at is None or at.in_tail:
        tail = query.where(or_(Event.seq.is_(None), Event.seq > top))
        if at is not None:
            tail = tail.where(Event.id < at.last)
        found += session.scalars(tail.order_by(Event.id.desc()).limit(limit + 1))
    in_tail = len(found)
    if in_tail <= limit:
        below = at.last if at and not at.in_tail else top + 1
        sealed = query.where(Event.seq < below).order_by(Event.seq.desc())
        found += session.scalars(sealed.limit(limit + 1 - in_tail))
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], f"{top}t{last.id}" if limit <= in_tail else f"{top}s{last.seq}"


def _filtered(wanted: Wanted) -> Select[Any]:
    query = select(Event)
    if wanted.subject is not None:
        kind, number = wanted.subject
        its = Event.subject_kind == kind
        if number is not None:
            query = query.where(its, Event.subject_id == number)
        else:
            below = Event.subject_kind.startswith(f"{kind}:", autoescape=True)
            query = query.where(or_(its, below))
    if wanted.actor_id is not None:
        query = query.where(Event.actor_id == wanted.actor_id)
    if wanted.since is not None:
        query = query.where(Event.at >= wanted.since)
    return query


def _read(mark: str | None) -> _Mark | None:
    if mark is None:
        return None
    parts = _MARK.fullmatch(mark)
    if parts is None:
        raise Malformed("E_CURSOR")
    return _Mark(int(parts[1]), parts[2] == "t", int(parts[3]))
