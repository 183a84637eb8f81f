"""Drain what waits: events that start flows, and timers that are due. Each thing once."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event as Nudge

from sqlalchemy.orm import Session

from ...platform.events.handoff import done, failed, put_off, take
from ...platform.events.model import Event
from ...platform.store.away import of_the_store
from ...platform.store.database import Database
from ...platform.store.errors import NotUnderstood, without_data
from ...platform.store.savepoints import savepoint
from ...platform.store.session import database_of
from ..flows.definition import Newer
from ..flows.fire import fire, give_up
from ..flows.follow import CONSUMER, follow
from ..timers.due import due, leave, postpone

log = logging.getLogger(__name__)

EVENTS = ("record:submitted", "record:changed", "flow:called", "flow:raised")
BATCH = 20
LEFT_FOR = timedelta(seconds=15)
"""What a later release has to do is looked at again after so long: it may be running by then."""
MENDED_FOR = timedelta(minutes=5)
"""What follows by a definition that nobody here can read: it may be published anew by then."""
BATCH_SECONDS = 0.1
"""After so much work a batch commits, so that a burst never holds up people's clicks."""


def staying() -> bool:
    """Of one who has no reason to leave."""
    return False


def drain(
    database: Database,
    until_idle: bool = True,
    leaving: Callable[[], bool] = staying,
    nudged: Nudge | None = None,
) -> int:
    """Do what waits now; returns how many things were done.

    until_idle: go on until nothing more is due; else one batch. leaving: asked after each batch.
    nudged: set when something has just happened; it is followed up before the timers that are due,
    of which there may be thousands. Any number of workers may drain at once: what one has taken
    the others pass by.
    """
    total = 0
    while True:
        if nudged is not None:
            nudged.clear()
        count = database.write(_follow_up)
        count += database.write(lambda session: _fire_due(session, nudged))
        total += count
        if not until_idle or count == 0 or leaving():
            return total


def _follow_up(session: Session) -> int:
    """A batch of events, each in a savepoint; one that fails is tried later, or parked."""
    events = take(session, CONSUMER, BATCH)
    end = time.monotonic() + BATCH_SECONDS
    finished: list[Event] = []
    count = 0
    for event in events:
        if count and _is_enough(session, end):
            break
        count += 1
        try:
            with savepoint(session):
                follow(session, event)
            finished.append(event)
        except Newer:
            put_off(session, event.id, CONSUMER, LEFT_FOR)
        except NotUnderstood as fault:
            log.error("event %s waits: %s %s", event.id, fault, dict(fault.params))
            put_off(session, event.id, CONSUMER, MENDED_FOR)
        except Exception as error:
            if of_the_store(error):
                raise  # all of this is tried again
            log.exception("event %s could not be followed up", event.id)
            failed(session, event.id, CONSUMER, without_data(error))
    done(session, CONSUMER, finished)
    return count


def _is_enough(session: Session, end: float) -> bool:
    """Whether a batch is to end here: it has taken its time, or people wait for theirs."""
    return time.monotonic() > end or database_of(session).is_waited_for()


def _fire_due(session: Session, nudged: Nudge | None = None) -> int:
    """A batch of due timers, soonest first, each in a savepoint."""
    found = due(session, BATCH)
    end = time.monotonic() + BATCH_SECONDS
    count = 0
    for timer in found:
        if count and (_is_enough(session, end) or (nudged is not None and nudged.is_set())):
            break
        try:
            with savepoint(session):
                count += fire(session, timer)
        except Newer as error:
            if not leave(session, timer, LEFT_FOR):
                give_up(session, timer, error)
        except Exception as error:
            if of_the_store(error):
                raise
            log.exception("timer %s of instance %s", timer.id, timer.instance_id)
            if not postpone(session, timer):
                give_up(session, timer, error)
            count += 1
    return count
