"""A thread that does what is due when it is nudged, and looks by itself once a second.

The nudge saves time and nothing else: whatever was committed is found by looking, so a kill
between a commit and its nudge loses nothing.
"""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MOST_PAUSE_SECONDS = 15.0
"""After trouble (no disk, no server) it looks less often, but never less than this."""


class Looker:
    """Calls `look` until it is told to leave. `start` and `leave` may be called once each.

    look: does what is due; trouble that it raises is logged, and it is called again later.
    """

    def __init__(self, name: str, look: Callable[[], object]) -> None:
        self.name = name
        self.nudged = threading.Event()
        self.leaving = False
        self._look = look
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin with a look."""
        self._thread.start()

    def nudge(self) -> None:
        """There is something to do: look at once, or once more after the look at hand."""
        self.nudged.set()

    def leave(self) -> None:
        """Look no more."""
        self.leaving = True
        self.nudged.set()

    def join(self, until: float) -> bool:
        """Wait for the look at hand until then (of the monotonic clock); whether it has ended."""
        self._thread.join(max(0, until - time.monotonic()))
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = LOOK_SECONDS
        while not self.leaving:
            self.nudged.clear()
            try:
                self._look()
                pause = LOOK_SECONDS
            except Exception:
                log.exception("%s will look again in %.0f s", self.name, pause)
                pause = min(pause * 2, MOST_PAUSE_SECONDS)
            self.nudged.wait(pause)
