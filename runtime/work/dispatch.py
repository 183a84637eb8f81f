"""Drain what waits: events that start flows, and timers that are due. Each thing once."""

import logging
import time

from sqlalchemy.orm import Session

from ...platform.events.handoff import done, failed, take
from ...platform.store.database import Database
from ..flows.fire import fire
from ..flows.start import start_for
from ..timers.due import due

log = logging.getLogger(__name__)

CONSUMER = "flows"
EVENTS = ("record:submitted",)
BATCH_SECONDS = 0.05
"""After this much work a batch commits, so that a burst never holds up people's clicks."""
BATCH = 50


def drain(database: Database, until_idle: bool = True) -> int:
    """Do what waits now; returns how many things were done.

    until_idle: go on until nothing more is due; else one batch. Any number of workers may drain
    at once: what one has taken the others pass by.
    """
    total = 0
    while True:
        count = _handoffs(database) + _timers(database)
        total += count
        if not until_idle or count == 0:
            return total


def _handoffs(database: Database) -> int:
    """A batch of events, each in a savepoint with its handoff; a failing one is tried later."""
    broken: list[tuple[int, str]] = []

    def deed(session: Session) -> int:
        broken.clear()
        count = 0
        end = time.monotonic() + BATCH_SECONDS
        while count < BATCH and time.monotonic() < end:
            taken = take(session, CONSUMER)
            if taken is None:
                break
            handoff, event = taken
            try:
                with session.begin_nested():
                    start_for(session, event)
                    done(session, handoff)
                    session.flush()
            except Exception as error:
                if not session.is_active:
                    raise
                log.exception("event %s could not be followed up", event.id)
                broken.append((event.id, f"{type(error).__name__}: {error}"))
                failed(session, event.id, CONSUMER, broken[-1][1])
            count += 1
        return count

    return database.write(deed)


def _timers(database: Database) -> int:
    """A batch of due timers, soonest first, each in a savepoint."""

    def deed(session: Session) -> int:
        count = 0
        end = time.monotonic() + BATCH_SECONDS
        for timer in due(session, BATCH):
            if time.monotonic() > end:
                break
            with session.begin_nested():
                count += fire(session, timer)
        return count

    return database.write(deed)
