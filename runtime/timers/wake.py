"""Tell this process's worker that a timer falls due, so that it need not look every moment."""

from collections.abc import Callable
from datetime import datetime

#: Called after a commit that set timers, with the soonest moment; the worker puts itself here.
listeners: list[Callable[[datetime], None]] = []


def wake(soonest: datetime) -> None:
    for call in listeners:
        call(soonest)
