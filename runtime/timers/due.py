"""What is due: found in order, and taken once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ...platform.store.session import moment
from .model import timers


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
    query = (
        select(
            timers.c.id,
            timers.c.due_at,
            timers.c.purpose,
            timers.c.instance_id,
            timers.c.owner_id,
            timers.c.data,
        )
        .where(timers.c.held.is_(False), timers.c.due_at <= moment(session))
        .order_by(timers.c.due_at, timers.c.id)
        .limit(limit)
    )
    return [Due(*row) for row in session.execute(query)]


def take(session: Session, timer_id: int) -> bool:
    """Take a timer away for good; False when somebody else has, or it was cancelled.

    Whoever takes it carries out what it is for in the same transaction. The instance is locked
    before its timers (`flows/lock.py`), the order a completion keeps as well.
    """
    gone = session.execute(delete(timers).where(timers.c.id == timer_id))
    return bool(gone.rowcount == 1)  # type: ignore[attr-defined]


def next_due(session: Session) -> datetime | None:
    """When the next timer falls due; None when none is set."""
    query = (
        select(timers.c.due_at).where(timers.c.held.is_(False)).order_by(timers.c.due_at).limit(1)
    )
    return session.execute(query).scalar_one_or_none()
