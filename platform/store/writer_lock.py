"""The lock file that processes writing to one SQLite database take round each group of deeds.

SQLite's own lock is polled by sleeping, so under load a second process can wait for ten seconds.
Here it queues at a turnstile: whoever waits for the lock holds the turnstile, so the process that
has just let go cannot overtake it.
"""

import fcntl
import os
from pathlib import Path


class WriterLock:
    """An exclusive lock between processes; within one process the caller sees to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turnstile = -1
        self._lock = -1
        self._pid = 0

    def _open(self) -> None:
        # flock belongs to the open file: a forked child must not share its parent's.
        if self._pid != os.getpid():
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._turnstile = os.open(self._path.with_suffix(".queue"), flags, 0o600)
            self._lock = os.open(self._path, flags, 0o600)
            self._pid = os.getpid()

    def acquire(self) -> None:
        """Wait for the turn."""
        self._open()
        fcntl.flock(self._turnstile, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)

    def release(self) -> None:
        """Let the next one in."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the files back."""
        if self._pid == os.getpid():
            os.close(self._turnstile)
            os.close(self._lock)
        self._pid = 0
