"""Time-ordered ids of 63 bits: 41 of milliseconds, 10 of node, 12 of counter.

The node is leased in the database, so two processes never share one. An id is never made past
the lease's end, and a node is leased again only when that end lies behind: so a clock that steps
back, a killed process or a fork cannot make an id twice.
"""

import os
import secrets
from threading import Lock

from sqlalchemy import Connection, text

from .errors import Unavailable

SINCE_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
NODES = 1024
PER_MS = 4096
LEASE_MS = 600_000


class Ids:
    """Makes ids for one process. `renew` first, inside a writing transaction; then `take`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pid = 0
        self._owner = ""
        self._node = -1
        self._until = 0
        self._last = 0
        self._count = 0

    def due(self, now_ms: int) -> bool:
        """Whether the lease is to be taken or made longer before the next id."""
        return self._pid != os.getpid() or now_ms > self._until - LEASE_MS // 2

    def renew(self, connection: Connection, now_ms: int) -> None:
        """Lease a node, or the same one for longer. Counts once the transaction is committed;
        ids taken inside it are as good, for they are committed or lost with it."""
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._owner = os.getpid(), secrets.token_hex(16)
                self._node, self._until = -1, 0
            until = max(now_ms, self._last) + LEASE_MS
            if self._node >= 0:
                kept = connection.execute(
                    text(
                        "UPDATE node SET leased_until_ms = :until"
                        " WHERE number = :number AND owner = :owner"
                    ),
                    {"until": until, "number": self._node, "owner": self._owner},
                )
                if kept.rowcount == 1:
                    self._until = until
                    return
            self._node = self._lease(connection, now_ms, until)
            self._until, self._last, self._count = until, now_ms, 0

    def _lease(self, connection: Connection, now_ms: int, until: int) -> int:
        fields = {"until": until, "owner": self._owner, "now": now_ms}
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE node IN SHARE ROW EXCLUSIVE MODE"))
        free = connection.execute(
            text("SELECT min(number) FROM node WHERE leased_until_ms < :now"), fields
        ).scalar()
        if free is not None:
            connection.execute(
                text(
                    "UPDATE node SET owner = :owner, leased_until_ms = :until"
                    " WHERE number = :number"
                ),
                {**fields, "number": free},
            )
            return int(free)
        number = connection.execute(text("SELECT coalesce(max(number) + 1, 0) FROM node")).scalar()
        if number is None or number >= NODES:
            raise Unavailable("E_NO_NODE")
        connection.execute(
            text(
                "INSERT INTO node (number, owner, leased_until_ms) VALUES (:number, :owner, :until)"
            ),
            {**fields, "number": number},
        )
        return int(number)

    def release_later(self) -> None:
        """Forget the lease after its transaction was rolled back: the next write leases anew."""
        with self._lock:
            self._pid = 0

    def take(self, now_ms: int) -> int:
        """The next id. A clock behind the last one is not followed back."""
        with self._lock:
            if self._pid != os.getpid():
                raise RuntimeError("no node is leased: ids are taken inside a write")
            ms = max(now_ms, self._last)
            if ms == self._last:
                self._count += 1
                if self._count == PER_MS:
                    ms, self._count = ms + 1, 0
            else:
                self._count = 0
            if ms >= self._until:
                raise Unavailable("E_NO_NODE")
            self._last = ms
            return ((ms - SINCE_MS) << 22) | (self._node << 12) | self._count
