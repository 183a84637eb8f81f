"""The worker: what one process does of what is due, in threads that leave when they are told to."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from ...platform.events import log as events
from ...platform.events.anchor import drop_anchor
from ...platform.events.old_views import ask_to_drop
from ...platform.events.seal import seal
from ...platform.identity.attempts import tell_in_time
from ...platform.outbound.client import Client
from ...platform.store import jobs
from ...platform.store.database import Database
from ..timers import wake as timers
from .calling import Caller
from .dispatch import drain, staying
from .listener import Ear
from .looker import LOOK_SECONDS, Looker
from .waiting import anything_due, anything_unsealed

log = logging.getLogger(__name__)

STEPS_AT_ONCE = 20
"""Of one of the store's jobs, before the next has its turn."""


class Worker:
    """One process's worker over one database. `start` and `stop` may be called once each.

    redis_url: where it also hears what other processes have committed. client: calls what flows
    call; without one that is left to others.
    """

    def __init__(
        self, database: Database, redis_url: str = "", client: Client | None = None
    ) -> None:
        self.database = database
        self._work = Looker("careloom-work", self._look)
        # An index may take minutes: what people wait for does not stand behind it.
        self._jobs = Looker("careloom-jobs", self._do_jobs)
        self._ear = Ear(redis_url, self._heard) if redis_url else None
        self._caller = Caller(database, client) if client else None
        threads = (self._work, self._jobs, self._ear, self._caller)
        self._threads: list[Looker | Ear | Caller] = [each for each in threads if each]

    def start(self) -> None:
        """Begin, and listen for nudges."""
        events.wake.append(self.nudge)
        timers.listeners.append(self._timer_set)
        jobs.wake.append(self._jobs.nudge)
        for thread in self._threads:
            thread.start()

    def stop(self, wait_seconds: float = 15) -> None:
        """Finish the batch at hand and leave; what is left waits for the others.

        What takes longer than `wait_seconds` in all (an index being built) is left in the middle:
        its transaction is undone, and whoever works next does it.
        """
        until = time.monotonic() + wait_seconds
        for thread in self._threads:
            thread.leave()
        events.wake.remove(self.nudge)
        timers.listeners.remove(self._timer_set)
        jobs.wake.remove(self._jobs.nudge)
        for thread in self._threads:
            if not thread.join(until):
                log.warning("%s was left in the middle of its work", thread.name)

    def nudge(self) -> None:
        """Something was committed that is to be followed up: look at once."""
        self._work.nudge()

    def _look(self) -> None:
        work_once(self.database, lambda: self._work.leaving, self._work.nudged)

    def _heard(self) -> None:
        """Somebody rang in Redis. Trouble is told; whoever looks by itself waits it out."""
        try:
            self._look()
        except Exception:
            log.exception("what was rung for is left to the next look")

    def _timer_set(self, due_at: datetime) -> None:
        soon = self.database.clock.now() + timedelta(seconds=LOOK_SECONDS)
        if due_at <= soon:
            self.nudge()

    def _do_jobs(self) -> None:
        with self.database.read() as session:
            due = jobs.anything_due(session)
        if due and jobs.run(self.database, STEPS_AT_ONCE) >= STEPS_AT_ONCE:
            self._jobs.nudge()


def work_once(
    database: Database,
    leaving: Callable[[], bool] = staying,
    nudged: threading.Event | None = None,
) -> int:
    """Everything that is due now, then the chain of events; returns how many things were done.

    leaving: asked between batches; when it says yes, the rest is left. nudged: see `drain`.
    """
    with database.read() as session:
        due = anything_due(session)
    count = drain(database, leaving=leaving, nudged=nudged) if due else 0
    tell_in_time(database)
    seal_all(database, leaving)
    return count


def seal_all(database: Database, leaving: Callable[[], bool] = staying) -> None:
    """Give every committed event its place in the chain, a few at a time; once a day its end is
    written down outside the database, and who saw what three years ago is given to be dropped."""
    while not leaving():
        with database.read() as session:
            if not anything_unsealed(session):
                break
        if database.write(lambda session: seal(session, 100)) == 0:
            break
    drop_anchor(database)
    ask_to_drop(database)


def start_worker(database: Database, client: Client | None = None) -> Callable[[], None]:
    """Start a worker beside the server; returns what stops it."""
    worker = Worker(database, client=client)
    worker.start()
    return worker.stop
