"""Fifty people who want the same thing at the same moment."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PEOPLE = 50


@dataclass
class Crowd:
    """Threads that stand at one line; each deed is told who does it: 0 … 49."""

    threads: ThreadPoolExecutor
    line: threading.Barrier = field(default_factory=lambda: threading.Barrier(PEOPLE))

    def all(self, deed: Callable[[int], Any]) -> list[Any]:
        """What each of them got, or what it was refused with, in their order."""

        def run(number: int) -> Any:
            self.line.wait(60)
            try:
                return deed(number)
            except Exception as error:
                return error

        return list(self.threads.map(run, range(PEOPLE)))


@contextmanager
def crowd() -> Iterator[Crowd]:
    """Until the end of the block."""
    with ThreadPoolExecutor(PEOPLE) as threads:
        yield Crowd(threads)
