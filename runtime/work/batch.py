"""A batch of handoffs, taken together: fewer statements than one after another.

The row's lock is the lease, as in `events/handoff.py`, whose rules this keeps: one subject's
handoffs in order, a parked one holds those behind it.
"""

from collections.abc import Sequence

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

from ...platform.events.model import Event, Handoff
from ...platform.store.session import moment


def take_batch(session: Session, consumer: str, limit: int) -> list[Event]:
    """The events next in line, locked until this transaction ends; one for each subject."""
    earlier = aliased(Handoff)
    query = (
        select(Handoff.event_id)
        .where(
            Handoff.consumer == consumer,
            Handoff.due_at <= moment(session),
            Handoff.parked_at.is_(None),
            ~exists().where(
                earlier.consumer == consumer,
                earlier.subject_kind == Handoff.subject_kind,
                earlier.subject_id == Handoff.subject_id,
                earlier.event_id < Handoff.event_id,
            ),
        )
        .order_by(Handoff.due_at, Handoff.event_id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Handoff)
    )
    numbers = list(session.scalars(query))
    if not numbers:
        return []
    events = select(Event).where(Event.id.in_(numbers)).order_by(Event.id)
    return list(session.scalars(events))


def done_all(session: Session, consumer: str, events: Sequence[Event]) -> None:
    """What follows from these is written: forget their handoffs, in the same transaction."""
    numbers = [event.id for event in events]
    if numbers:
        session.execute(
            delete(Handoff).where(Handoff.consumer == consumer, Handoff.event_id.in_(numbers)),
            execution_options={"synchronize_session": False},
        )
