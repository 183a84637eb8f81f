"""What is due: found in order, and taken once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from ...platform.store.session import moment
from .model import timers

# Built once: building a statement costs as much as sending it.
_DUE = (
    select(
        timers.c.id,
        timers.c.due_at,
        timers.c.purpose,
        timers.c.instance_id,
        timers.c.owner_id,
        timers.c.data,
    )
    .where(timers.c.held.is_(False), timers.c.due_at <= bindparam("now"))
    .order_by(timers.c.due_at, timers.c.id)
    .limit(bindparam("most"))
)


@dataclass(frozen=True)
class Due:
    """A timer that is due."""

    id: int
    due_at: datetime
    purpose: str
    instance_id: int
    owner_id: int
    data: dict[str, Any]


def due(session: Session, limit: int) -> list[Due]:
    """The timers that are due, soonest first, at most so many. Takes no lock: `take` decides."""
    given = {"now": moment(session), "most": limit}
    return [Due(*row) for row in session.execute(_DUE, given)]


def take(session: Session, timer_id: int) -> bool:
    """Take a timer away for good; False when somebody else has, or it was cancelled.

    Whoever takes it carries out what it is for in the same transaction. The instance is locked
    before its timers (`flows/lock.py`), the order a completion keeps as well.
    """
    gone = session.execute(delete(timers).where(timers.c.id == timer_id))
    return bool(gone.rowcount == 1)  # type: ignore[attr-defined]


MOST_TRIES = 5


LONGEST_LEFT = timedelta(hours=1)
"""A release replaces another in minutes. What nobody has taken by then, nobody will: it was a
downgrade, and somebody is to be told."""


def leave(session: Session, timer: Due, by: timedelta) -> bool:
    """Leave it for another process, or for later; that is no failure and counts as no try. False
    when it has been left for too long."""
    now = moment(session)
    first = str(timer.data.get("left") or now.isoformat())
    if now - datetime.fromisoformat(first) >= LONGEST_LEFT:
        return False
    values = {"due_at": now + by, "data": {**timer.data, "left": first}}
    session.execute(update(timers).where(timers.c.id == timer.id).values(values))
    return True


def postpone(session: Session, timer: Due) -> bool:
    """A timer that could not be fired: try it again later, each time a little later than before,
    so that those behind it are not held up. False when it was tried often enough."""
    tries = int(timer.data.get("tries", 0)) + 1
    if tries >= MOST_TRIES:
        return False
    session.execute(
        update(timers)
        .where(timers.c.id == timer.id)
        .values(
            due_at=moment(session) + timedelta(minutes=2**tries),
            data={**timer.data, "tries": tries},
        )
    )
    return True


def park(session: Session, timer_id: int, incident_id: int) -> None:
    """It is not fired any more until somebody retries the incident."""
    session.execute(
        update(timers).where(timers.c.id == timer_id).values(held=True, incident_id=incident_id)
    )


def next_due(session: Session) -> datetime | None:
    """When the next timer falls due; None when none is set."""
    query = (
        select(timers.c.due_at).where(timers.c.held.is_(False)).order_by(timers.c.due_at).limit(1)
    )
    return session.execute(query).scalar_one_or_none()
