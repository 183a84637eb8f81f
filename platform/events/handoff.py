"""Hand events on, each once, and one subject's in order.

The consumer works inside the transaction that deletes the handoff, so the row's lock is the
lease: a killed worker's lock goes with its connection, and a slow one's late write cannot
commit. (What works outside the database has an outbox with leases and fences of its own.)
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from ..store.hot import Hot
from ..store.session import moment
from .log import known_depths
from .model import Event, Handoff

MOST_TRIES = 5

_earlier = aliased(Handoff)
NEXT = Hot(
    select(Handoff.event_id)
    .where(
        Handoff.consumer == bindparam("consumer"),
        Handoff.due_at <= bindparam("now"),
        Handoff.parked_at.is_(None),
        ~exists().where(
            _earlier.consumer == bindparam("consumer"),
            _earlier.subject_kind == Handoff.subject_kind,
            _earlier.subject_id == Handoff.subject_id,
            _earlier.event_id < Handoff.event_id,
        ),
    )
    .order_by(Handoff.due_at, Handoff.event_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=Handoff)
)
DONE = Hot(
    delete(Handoff).where(
        Handoff.consumer == bindparam("consumer"), Handoff.event_id == bindparam("event_id")
    )
)


def take(session: Session, consumer: str, limit: int = 1) -> list[Event]:
    """The events next in line, locked until this transaction ends; at most one of each subject.

    One whose subject has an earlier handoff waits for it, also when a failed one is parked.
    """
    given = {"consumer": consumer, "now": moment(session), "most": limit}
    numbers = [number for (number,) in NEXT.all(session, given)]
    if not numbers:
        return []
    events = list(session.scalars(select(Event).where(Event.id.in_(numbers)).order_by(Event.id)))
    known_depths(session).update((event.id, event.depth) for event in events)
    return events


def done(session: Session, consumer: str, events: Sequence[Event]) -> None:
    """What follows from these is written: forget their handoffs, in the same transaction."""
    if events:
        DONE(session, [{"consumer": consumer, "event_id": event.id} for event in events])


def put_off(session: Session, event_id: int, consumer: str, by: timedelta) -> None:
    """Leave it for another process, or for later; that is no failure and counts as no try."""
    session.execute(
        update(Handoff)
        .where(Handoff.event_id == event_id, Handoff.consumer == consumer)
        .values(due_at=moment(session) + by)
    )


def failed(session: Session, event_id: int, consumer: str, error: str) -> bool:
    """It could not be dealt with: try again later, or park it. Returns whether it is parked now."""
    tries = session.execute(
        select(Handoff.tries).where(Handoff.event_id == event_id, Handoff.consumer == consumer)
    ).scalar_one_or_none()
    if tries is None:
        return False
    parked = tries + 1 >= MOST_TRIES
    session.execute(
        update(Handoff)
        .where(Handoff.event_id == event_id, Handoff.consumer == consumer)
        .values(
            tries=tries + 1,
            error=error[:500],
            due_at=moment(session) + timedelta(seconds=2**tries),
            parked_at=moment(session) if parked else None,
        )
    )
    return parked


def retry(session: Session, event_id: int, consumer: str) -> bool:
    """Take a parked handoff up again, at once; False when it is not parked."""
    again = update(Handoff).where(*_parked(event_id, consumer))
    again = again.values(tries=0, due_at=moment(session), parked_at=None, error=None)
    return session.execute(again.returning(Handoff.event_id)).first() is not None


def leave_out(session: Session, event_id: int, consumer: str) -> bool:
    """Let a parked handoff go: nothing follows from its event by this consumer, and those of its
    subject that waited behind it are next. False when it is not parked."""
    gone = delete(Handoff).where(*_parked(event_id, consumer))
    return session.execute(gone.returning(Handoff.event_id)).first() is not None


def _parked(event_id: int, consumer: str) -> tuple[ColumnElement[bool], ...]:
    its = Handoff.event_id == event_id, Handoff.consumer == consumer
    return (*its, Handoff.parked_at.is_not(None))


def waiting(session: Session) -> dict[str, int]:
    """How many handoffs each consumer has before it, parked ones included."""
    query = select(Handoff.consumer, func.count()).group_by(Handoff.consumer)
    return {consumer: count for consumer, count in session.execute(query)}
