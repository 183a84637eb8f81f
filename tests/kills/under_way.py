"""Whether a process is in the middle of something: seen from outside, at the moment it is killed.

A kill between two deeds proves nothing, so the harness stops a process, looks at its mark, and
kills it only when a write, a request that writes or an import was under way. The marks are in a
file that both have in memory; they are put in from outside, as `crash_points` are.
"""

import mmap
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from careloom.platform.store.database import Database
from careloom.platform.verbs import records

LOOKED_AT, BEGUN, ENDED = 0, 8, 16
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


class Mark:
    """One process's: how many things it has begun and how many of them have ended."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(24))
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), 24)
        self._lock = threading.Lock()

    @property
    def looked_at(self) -> bool:
        """Whether the process writes its marks by now."""
        return self._read(LOOKED_AT) > 0

    @property
    def under_way(self) -> bool:
        return self._read(BEGUN) > self._read(ENDED)

    def look(self) -> None:
        self._count(LOOKED_AT)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Something is under way until the end of the block."""
        self._count(BEGUN)
        try:
            yield
        finally:
            self._count(ENDED)

    def _read(self, at: int) -> int:
        number: int = struct.unpack_from("<Q", self._memory, at)[0]
        return number

    def _count(self, at: int) -> None:
        with self._lock:
            struct.pack_into("<Q", self._memory, at, self._read(at) + 1)


def watched(file: Path, work: Callable[..., None], *given: Any) -> None:
    """In a child: do `work(*given)` with marks in that file."""
    mark = Mark(file)
    _hold(mark, Database, "write")
    _hold(mark, records, "bring")
    answer = Flask.wsgi_app

    def answered(app: Flask, environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] not in UNSAFE:
            return answer(app, environ, start_response)
        with mark.held():
            return answer(app, environ, start_response)

    Flask.wsgi_app = answered  # type: ignore[method-assign]
    mark.look()
    work(*given)


def _hold(mark: Mark, owner: Any, name: str) -> None:
    """Mark each call of a function."""
    function = getattr(owner, name)

    def called(*args: Any, **given: Any) -> Any:
        with mark.held():
            return function(*args, **given)

    setattr(owner, name, called)
