"""Who hears the bell: an RQ worker that drains when it is asked to, and believes nothing else.

RQ would import and call whatever function, callback or web address a job names, so whoever can
write to Redis could have a worker call what they like. Here a job is compared with the one wish
there is, and never read.
"""

import json
import logging
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from redis import Redis, RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from .queues import QUEUE, WISH

log = logging.getLogger(__name__)

LISTEN_SECONDS = 2
"""How long one question to Redis lasts, and so until a listener hears that it is to leave."""
MOST_PAUSE_SECONDS = 15.0
RQ_MARGIN_SECONDS = 15
"""By so much RQ asks for less than a worker's time to live."""

SAID = json.dumps([WISH, None, [], {}]).encode()


class Wish(Job):
    """A job read back from Redis: whether it is our wish to drain; the rest is left unread."""

    ours = False

    def restore(self, raw_data: Mapping[Any, Any]) -> None:
        """Unpack no more than the wish is long, and compare."""
        try:
            said = zlib.decompressobj().decompress(raw_data.get(b"data", b""), len(SAID) + 1)
        except zlib.error:
            said = b""
        self.ours = said == SAID


class Listener(SimpleWorker):
    """Calls `drain` for each wish, and does nothing that Redis asks besides."""

    max_connection_wait_time = MOST_PAUSE_SECONDS

    def __init__(
        self, connection: Redis, drain: Callable[[], object], leaving: threading.Event
    ) -> None:
        queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
        super().__init__(
            [queue],
            connection=connection,
            serializer=JSONSerializer,
            job_class=Wish,
            worker_ttl=LISTEN_SECONDS + RQ_MARGIN_SECONDS,
            log_job_description=False,
        )
        self._drain = drain
        self._leaving = leaving

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Drain, and take the job away: it leaves neither a result nor a failure."""
        if isinstance(job, Wish) and job.ours:
            self._drain()
        else:
            log.error("a job found in Redis is none of ours and was not done: %s", job.id)
        with self.connection.pipeline() as pipeline:
            pipeline.delete(job.key)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.execute()

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """RQ tells Redis that it lives before each question: the place to hear that it leaves."""
        if self._leaving.is_set():
            raise StopRequested()
        super().heartbeat(*args, **kwargs)

    def subscribe(self) -> None:
        """RQ's commands (leave, stop a job) are not heard: whoever runs the process says so."""

    def run_maintenance_tasks(self) -> None:
        """There is nothing to clear up: jobs leave nothing behind."""

    def _install_signal_handlers(self) -> None:
        """It runs in a thread, and signals are the main thread's."""


class Ear:
    """Listens from a thread, and goes on when Redis was away. `start` and `stop` once each."""

    name = "careloom-ear"

    def __init__(self, url: str, drain: Callable[[], object]) -> None:
        self._url = url
        self._drain = drain
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def leave(self) -> None:
        """Finish the batch at hand, take leave of Redis and end."""
        self._leaving.set()

    def stop(self, wait_seconds: float = 10) -> None:
        """Leave, and wait until it has."""
        self.leave()
        self.join(time.monotonic() + wait_seconds)

    def join(self, until: float) -> bool:
        """Wait until then (of the monotonic clock); whether it has ended. A Redis that hangs may
        hold it."""
        self._thread.join(max(0, until - time.monotonic()))
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = 1.0
        while not self._leaving.is_set():
            try:
                self._listen()
                pause = 1.0
            except RedisError as error:
                log.warning("Redis does not answer (%s); asked again in %.0f s", error, pause)
            except Exception:
                log.exception("Redis is listened to again in %.0f s", pause)
            self._leaving.wait(pause)
            pause = min(pause * 2, MOST_PAUSE_SECONDS)

    def _listen(self) -> None:
        """Until told to leave, or until RQ gives up for a reason that it has told its log."""
        with Redis.from_url(self._url, socket_connect_timeout=LISTEN_SECONDS) as connection:
            Listener(connection, self._drain, self._leaving).work(logging_level="WARNING")
