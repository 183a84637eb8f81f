"""RQ as wake-up between machines: the bell that rings in Redis after commits.

The database is the only truth. A job says "drain", no more; losing Redis, a job or a worker loses
nothing, for every worker also looks by itself once a second. Who hears it: `listener`.
"""

import logging
import threading
from collections.abc import Callable

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from ...platform.events import log as events

log = logging.getLogger(__name__)

QUEUE = "careloom"
WISH = "careloom.drain"
"""What a job says. It is no function's name: nobody could be made to call another by it."""
TIMEOUT_SECONDS = 0.5
"""How long a Redis that does not answer may hold the bell up; no request ever waits for it."""
FORGOTTEN_SECONDS = 3600
"""A job that nobody took is not wanted any more."""

_rung: set[str] = set()


def connect(url: str) -> Redis:
    """A connection that gives up soon, and does not try again by itself."""
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


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
        answers = True
        while True:
            rung.wait()
            rung.clear()
            try:
                self.put()
            except RedisError as error:
                if answers:  # told once, however many commits come while it is away
                    log.warning("Redis does not answer (%s); workers look by themselves", error)
                answers = False
            else:
                if not answers:
                    log.warning("Redis answers again")
                answers = True

    def put(self) -> None:
        """Queue one job, unless one that nobody has begun lies there already."""
        if self._queue.count == 0:
            self._queue.enqueue(WISH, ttl=FORGOTTEN_SECONDS)


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
