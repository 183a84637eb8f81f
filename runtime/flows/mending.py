"""What waits for somebody to mend it: events that could not be followed up and were set aside, and
automatic steps that failed.

Whoever holds `flows.write` sees those about records they may read. What was set aside holds up what
happened to its record later, so it is tried again, or left out for good with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from ...platform.events import handoff
from ...platform.events.log import append
from ...platform.events.model import Event, Handoff
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access, need
from ...platform.records.shape import shape_of
from ...platform.records.trail import FORM
from ...platform.store.errors import Conflict, Invalid, NotFound, NotUnderstood, Problem
from .control import RIGHT
from .follow import CONSUMER
from .model import incidents, instances

MOST = 100
LONGEST = 500  # letters of a reason
PARKED = and_(Handoff.consumer == CONSUMER, Handoff.parked_at.is_not(None))
OPEN = incidents.c.closed_at.is_(None)
RUNS = incidents.join(instances, instances.c.id == incidents.c.instance_id)


@dataclass(frozen=True)
class Parked:
    """An event that could not be followed up. data: its own; error: what went wrong last."""

    event_id: int
    name: str
    data: dict[str, Any]
    form: str
    record_id: int
    unit_id: int | None
    at: datetime
    parked_at: datetime
    tries: int
    error: str


def parked(session: Session, actor: Actor, most: int = MOST) -> list[Parked]:
    """What was set aside, the oldest first, about records the actor may read. Needs RIGHT."""
    return _found(session, _parked_seen(session, actor), most)


def _parked_seen(session: Session, actor: Actor) -> ColumnElement[bool]:
    """What was set aside, about records the actor may read. Raises NotAllowed."""
    need(session, actor, RIGHT)
    kinds = session.scalars(select(Handoff.subject_kind).where(PARKED).distinct()).all()
    seen = [
        and_(Handoff.subject_kind == kind, Handoff.subject_id.in_(rows))
        for kind in kinds
        if kind.startswith(FORM)
        and (rows := _rows(session, actor, kind.removeprefix(FORM))) is not None
    ]
    return and_(PARKED, or_(false(), *seen))


def _found(session: Session, seen: ColumnElement[bool], most: int) -> list[Parked]:
    query = select(Event, Handoff).join(Handoff, Handoff.event_id == Event.id)
    query = query.where(seen).order_by(Handoff.event_id).limit(most)
    return [_told(event, row) for event, row in session.execute(query)]


def _told(event: Event, row: Handoff) -> Parked:
    assert row.parked_at is not None
    return Parked(
        event.id,
        event.name,
        event.data,
        row.subject_kind.removeprefix(FORM),
        row.subject_id,
        event.unit_id,
        event.at,
        row.parked_at,
        row.tries,
        row.error or "",
    )


def _rows(session: Session, actor: Actor, form: str) -> Any:
    """The ids of a form's records that the actor may read; None for none at all."""
    try:
        table = shape_of(session, form).table
    except (NotFound, NotUnderstood):  # it is told where definitions are (`/packs`)
        return None
    asked = access(session, actor, form)
    if not asked.may("read"):
        return None
    return select(table.c._id).where(asked.rows("read", table))


def retry(session: Session, actor: Actor, event_id: int) -> None:
    """Have a worker try again, at once. Raises NotFound, NotAllowed, Conflict: it is not parked
    any more."""
    found = _one(session, actor, event_id)
    if not handoff.retry(session, event_id, CONSUMER):
        raise Conflict("E_NOT_PARKED")
    _tell(session, actor, found, "handoff:retried")


def leave_out(session: Session, actor: Actor, event_id: int, reason: str) -> None:
    """Let nothing follow from it; what happened to its record later is next.

    Raises NotFound, NotAllowed, Invalid (`/reason`), Conflict as above.
    """
    found = _one(session, actor, event_id)
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST:
        raise Invalid(problems=[Problem("/reason", "E_REASON", {"most": LONGEST})])
    if not handoff.leave_out(session, event_id, CONSUMER):
        raise Conflict("E_NOT_PARKED")
    _tell(session, actor, found, "handoff:left_out", reason=reason, error=found.error)


def _one(session: Session, actor: Actor, event_id: int) -> Parked:
    seen = and_(_parked_seen(session, actor), Handoff.event_id == event_id)
    found = _found(session, seen, 1)
    if not found:
        raise NotFound("E_NOT_PARKED")
    return found[0]


def _tell(session: Session, actor: Actor, found: Parked, name: str, **data: str) -> None:
    subject = (FORM + found.form, found.record_id)
    append(session, name, actor, subject, found.unit_id, {"event": found.name, **data})


def open_incidents(session: Session, actor: Actor, most: int = MOST) -> list[Row[Any]]:
    """Steps that failed and wait, the oldest first, in runs about records the actor may read: the
    incident's id, step_key, code, params and opened_at, and its run's id, flow_key, form and
    record. Needs RIGHT."""
    query = select(
        incidents.c.id,
        incidents.c.step_key,
        incidents.c.code,
        incidents.c.params,
        incidents.c.opened_at,
        incidents.c.instance_id,
        instances.c.flow_key,
        instances.c.subject_form,
        instances.c.subject_id,
    )
    query = query.select_from(RUNS).where(_open_seen(session, actor))
    query = query.order_by(incidents.c.opened_at, incidents.c.id).limit(most)
    return list(session.execute(query))


def _open_seen(session: Session, actor: Actor) -> ColumnElement[bool]:
    """Open incidents of runs about records the actor may read. Raises NotAllowed."""
    need(session, actor, RIGHT)
    forms = select(instances.c.subject_form).select_from(RUNS).where(OPEN).distinct()
    seen = [
        and_(instances.c.subject_form == form, instances.c.subject_id.in_(rows))
        for form in session.scalars(forms).all()
        if (rows := _rows(session, actor, form)) is not None
    ]
    return and_(OPEN, or_(false(), *seen))


def how_many(session: Session, actor: Actor) -> int:
    """How much waits to be mended, counting no further than MOST of each. Needs RIGHT."""
    aside = select(Handoff.event_id).where(_parked_seen(session, actor))
    failed = select(incidents.c.id).select_from(RUNS).where(_open_seen(session, actor))
    return _count(session, aside) + _count(session, failed)


def _count(session: Session, query: Select[Any]) -> int:
    few = query.limit(MOST).subquery()
    return session.scalar(select(func.count()).select_from(few)) or 0
