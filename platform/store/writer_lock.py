"""The lock file that processes writing to one SQLite database take round each group of deeds.

SQLite's own lock is polled by sleeping, so under load a second process can wait for ten seconds.
Here it queues at a turnstile: whoever waits for the lock holds the turnstile, so the process that
has just let go cannot overtake it.

A process that is stopped (SIGSTOP, a debugger) keeps the lock for as long as it stands: it may go
on at any moment, so nobody takes it away. Whoever waits gives up after PATIENCE_SECONDS, and says
in the log which process has it.
"""

import fcntl
import logging
import os
import threading
import time
from pathlib import Path

from .errors import Unavailable

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
STILL_SECONDS = 0.25
"""Once somebody has given up, those behind them wait no longer than this for the same holder."""


class WriterLock:
    """An exclusive lock between processes; within one process the caller sees to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turnstile = -1
        self._lock = -1
        self._pid = 0
        self._waiter: _Waiter | None = None

    def _open(self) -> None:
        # flock belongs to the open file: a forked child must not share its parent's.
        if self._pid != os.getpid():
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._turnstile = os.open(self._path.with_suffix(".queue"), flags, 0o600)
            self._lock = os.open(self._path, flags, 0o600)
            self._pid = os.getpid()
            self._waiter = None

    def acquire(self) -> None:
        """Wait for the turn; `Unavailable` (E_WRITER_HELD) when it does not come for too long."""
        self._open()
        if self._waiter is None and self._at_once():
            return self._sign()
        if self._waiter is None or not self._waiter.wanted_again():
            self._waiter = _Waiter(os.dup(self._turnstile), os.dup(self._lock))
        try:
            got = self._waiter.got()
        except BaseException:  # an interrupt
            self.release()
            raise
        if not got:
            log.error(
                "process %s has kept the writer's lock for more than %g s: nothing can be"
                " written until it goes on (kill -CONT) or ends",
                self._signature(),
                PATIENCE_SECONDS,
            )
            raise Unavailable("E_WRITER_HELD")
        self._waiter = None
        return self._sign()

    def _at_once(self) -> bool:
        """Whether nobody was in the way."""
        try:
            fcntl.flock(self._turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)
        return True

    def _sign(self) -> None:
        os.pwrite(self._lock, f"{self._pid:<10}".encode(), 0)

    def _signature(self) -> str:
        return os.pread(self._lock, 10, 0).decode("ascii", "replace").strip()

    def release(self) -> None:
        """Let the next one in."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the files back."""
        if self._pid == os.getpid():
            os.close(self._turnstile)
            os.close(self._lock)
        self._pid = 0
        self._waiter = None


class _Waiter:
    """Waits in a thread of its own, since a wait for flock cannot be given a limit. What it gets
    after everybody has given up it lets go at once."""

    def __init__(self, turnstile: int, lock: int) -> None:
        self._turnstile = turnstile
        self._lock = lock
        self._until = time.monotonic() + PATIENCE_SECONDS
        self._mutex = threading.Lock()
        self._wanted = True
        self._over = False
        self._got = threading.Event()
        threading.Thread(target=self._run, name="careloom-writer-lock", daemon=True).start()

    def _run(self) -> None:
        try:
            fcntl.flock(self._turnstile, fcntl.LOCK_EX)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)
            with self._mutex:
                self._over = True
                if self._wanted:
                    self._got.set()
                else:
                    fcntl.flock(self._lock, fcntl.LOCK_UN)
        finally:
            os.close(self._turnstile)
            os.close(self._lock)

    def wanted_again(self) -> bool:
        """Somebody wants what an earlier one gave up waiting for; False when it is gone by now."""
        with self._mutex:
            self._wanted = not self._over
            return self._wanted

    def got(self) -> bool:
        """Wait; whether the lock is ours."""
        try:
            self._got.wait(max(self._until - time.monotonic(), STILL_SECONDS))
        finally:
            with self._mutex:
                self._wanted = self._got.is_set()
        return self._wanted
