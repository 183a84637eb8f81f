"""A lock that is handed on in the order in which it was asked for.

Python's own lock goes to whoever happens to wake first, so among many threads one may wait for
seconds while the others pass it by.
"""

from collections import deque
from threading import Lock
from types import TracebackType


class Turn:
    """Held by one thread at a time; `with turn:` waits for it, first come, first served."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._queue: deque[Lock] = deque()
        self._held = False

    @property
    def waiting(self) -> int:
        """How many wait for it."""
        return len(self._queue)

    def __enter__(self) -> None:
        with self._mutex:
            if not self._held:
                self._held = True
                return
            ticket = Lock()
            ticket.acquire()
            self._queue.append(ticket)
        try:
            ticket.acquire()  # released by whoever hands the turn on
        except BaseException:
            self._give_up(ticket)
            raise

    def _give_up(self, ticket: Lock) -> None:
        """Leave the queue; if the turn was just handed to us, hand it on."""
        with self._mutex:
            if ticket in self._queue:
                self._queue.remove(ticket)
                return
        self._hand_on()

    def _hand_on(self) -> None:
        with self._mutex:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._held = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hand_on()
