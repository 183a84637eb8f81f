"""Whether anything waits to be done: asked by reading, so that idling takes no writer's turn."""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from ...platform.events.model import Event, Handoff
from ...platform.store.session import moment
from ..flows.follow import CONSUMER
from ..timers.model import timers


def anything_due(session: Session) -> bool:
    """Whether an event is to be followed up or a timer fires now."""
    now = moment(session)
    handoffs = exists().where(
        Handoff.consumer == CONSUMER, Handoff.due_at <= now, Handoff.parked_at.is_(None)
    )
    due = exists().where(timers.c.held.is_(False), timers.c.due_at <= now)
    return bool(session.execute(select(or_(handoffs, due))).scalar())


def anything_unsealed(session: Session) -> bool:
    """Whether an event is not in the chain yet."""
    return bool(session.execute(select(exists().where(Event.seq.is_(None)))).scalar())
