"""RQ as wake-up between machines. The database is the only truth: a job says "drain", no more.

Losing Redis, a job or a worker loses nothing: every worker also looks by itself once a second.
"""

import logging
import threading
from collections.abc import Callable

from redis import Redis, RedisError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from ...platform.events import log as events
from ...platform.store.database import Database
from .worker import Worker, work_once

log = logging.getLogger(__name__)

QUEUE = "careloom"
TIMEOUT_SECONDS = 0.5
"""How long a Redis that does not answer may hold the bell up; no request ever waits for it."""

_database: Database | None = None
_rung: set[str] = set()


def connect(url: str) -> Redis:
    """A connection that gives up soon."""
    return Redis.from_url(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )


def drain_now() -> int:
    """The job: do what is due in this process's database."""
    assert _database is not None, "the job ran outside a worker"
    return work_once(_database)


class Bell:
    """Rings in Redis after commits, from a thread of its own; many rings at once are one."""

    def __init__(self, url: str) -> None:
        self._queue = Queue(QUEUE, connection=connect(url), serializer=JSONSerializer)
        self._rung = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def ring(self) -> None:
        """Wake some worker, soon. Never raises, never waits."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # also after a fork
                self._rung = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._rung,), name="careloom-bell", daemon=True
                )
                self._thread.start()
        self._rung.set()

    def _run(self, rung: threading.Event) -> None:
        while True:
            rung.wait()
            rung.clear()
            try:
                self.put()
            except RedisError as error:
                log.warning("Redis does not answer (%s); workers look by themselves", error)

    def put(self) -> None:
        """Queue one job, unless one that nobody has begun lies there already."""
        if self._queue.count == 0:
            self._queue.enqueue(drain_now, result_ttl=0, failure_ttl=60, job_timeout=600)


def ring_in(url: str) -> Callable[[], None]:
    """Have every commit that leaves something to follow up ring in this Redis; returns the undo.

    Saying it again for the same address changes nothing.
    """
    if url in _rung:
        return lambda: None
    _rung.add(url)
    bell = Bell(url)
    events.wake.append(bell.ring)

    def undo() -> None:
        events.wake.remove(bell.ring)
        _rung.discard(url)

    return undo


def serve_queue(database: Database, url: str) -> None:
    """Work on jobs until the process is told to leave, and look by itself meanwhile."""
    global _database
    _database = database
    beside = Worker(database)
    beside.start()
    try:
        connection = Redis.from_url(url)
        queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
        SimpleWorker([queue], connection=connection, serializer=JSONSerializer).work()
    finally:
        beside.stop()
