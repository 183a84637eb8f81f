"""Tell this process's worker that there is something to send, so that it need not look so often."""

from collections.abc import Callable

#: Called after a commit that left a call behind; the worker puts itself here.
listeners: list[Callable[[], None]] = []


def wake() -> None:
    for call in listeners:
        call()
