"""What waits for somebody to mend it: events that could not be followed up and were set aside, and
automatic steps that failed.

Whoever holds `flows.write` sees those about records they may read. What was set aside holds up what
happened to its record later, so it is tried again, or left out for good with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, false, or_, select
from sqlalchemy.orm import Session

from ...platform.events import handoff
from ...platform.events.log import append
from ...platform.events.model import Event, Handoff
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access, need
from ...platform.records.shape import shape_of
from ...platform.store.errors import Conflict, Invalid, NotFound, NotUnderstood, Problem
from .control import RIGHT
from .follow import CONSUMER
from .model import incidents, instances

FORM = "form:"
MOST = 100
LONGEST = 500  # letters of a reason
PARKED = Handoff.consumer == CONSUMER, Handoff.parked_at.is_not(None)


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
    need(session, actor, RIGHT)
    kinds = session.scalars(select(Handoff.subject_kind).where(*PARKED).distinct()).all()
    seen = _readable(session, actor, [kind.removeprefix(FORM) for kind in kinds if _is_form(kind)])
    return _found(session, seen, most)


def _found(
    session: Session, seen: Sequence[ColumnElement[bool]], most: int, event_id: int | None = None
) -> list[Parked]:
    query = select(Event, Handoff).join(Handoff, Handoff.event_id == Event.id)
    query = query.where(*PARKED, or_(false(), *seen)).order_by(Handoff.event_id).limit(most)
    if event_id is not None:
        query = query.where(Handoff.event_id == event_id)
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


def _is_form(kind: str) -> bool:
    return kind.startswith(FORM)


def _readable(session: Session, actor: Actor, forms: Sequence[str]) -> list[ColumnElement[bool]]:
    """The handoffs about records of these forms that the actor may read."""
    return [
        and_(Handoff.subject_kind == FORM + form, Handoff.subject_id.in_(rows))
        for form in forms
        if (rows := _rows(session, actor, form)) is not None
    ]


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
    need(session, actor, RIGHT)
    mine = PARKED[0], Handoff.event_id == event_id
    kind = session.scalar(select(Handoff.subject_kind).where(*mine))
    if kind is None or not _is_form(kind):
        raise NotFound("E_NOT_PARKED")
    seen = _readable(session, actor, [kind.removeprefix(FORM)])
    found = _found(session, seen, 1, event_id)
    if not found:
        raise NotFound("E_NOT_PARKED")
    return found[0]


def _tell(session: Session, actor: Actor, found: Parked, name: str, **data: str) -> None:
    subject = (FORM + found.form, found.record_id)
    append(session, name, actor, subject, found.unit_id, {"event": found.name, **data})


def open_incidents(session: Session, actor: Actor, most: int = MOST) -> list[Row[Any]]:
    """Steps that failed and wait, the oldest first, in runs about records the actor may read: the
    incident's id, code, params and opened_at, and its run's id, flow_key, form and record.
    Needs RIGHT."""
    need(session, actor, RIGHT)
    both = incidents.join(instances, instances.c.id == incidents.c.instance_id)
    is_open = incidents.c.closed_at.is_(None)
    forms = select(instances.c.subject_form).select_from(both).where(is_open).distinct()
    seen = [
        and_(instances.c.subject_form == form, instances.c.subject_id.in_(rows))
        for form in session.scalars(forms).all()
        if (rows := _rows(session, actor, form)) is not None
    ]
    query = select(
        incidents.c.id,
        incidents.c.code,
        incidents.c.params,
        incidents.c.opened_at,
        incidents.c.instance_id,
        instances.c.flow_key,
        instances.c.subject_form,
        instances.c.subject_id,
    )
    query = query.select_from(both).where(is_open, or_(false(), *seen))
    return list(session.execute(query.order_by(incidents.c.opened_at).limit(most)))


def how_many(session: Session, actor: Actor) -> int:
    """How much waits to be mended, counting no further than MOST of each."""
    return len(parked(session, actor)) + len(open_incidents(session, actor))
