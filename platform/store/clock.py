"""The one clock. A transaction asks it once; every row written in it bears the same moment."""

from datetime import UTC, datetime, timedelta
from threading import Lock


class Clock:
    """The machine's clock; on PostgreSQL the database's own is taken instead."""

    follows_database = True

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)


class TurnedClock(Clock):
    """A clock that stands or is turned by hand, for tests and rehearsals.

    Started at a moment, it stands still; started with none, it runs beside the real one.
    """

    follows_database = False

    def __init__(self, start: datetime | None = None) -> None:
        self._lock = Lock()
        self._stands = start
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        with self._lock:
            return (self._stands or datetime.now(UTC)) + self._ahead

    def turn(self, by: timedelta) -> None:
        """Move on by a duration (or back, by a negative one)."""
        with self._lock:
            self._ahead += by

    def set(self, to: datetime) -> None:
        """Stand at a moment, aware UTC."""
        with self._lock:
            self._stands, self._ahead = to, timedelta(0)
