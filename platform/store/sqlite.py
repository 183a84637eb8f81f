"""SQLite's side of the door: deeds take turns on one writing connection and commit together.

A commit on a disk costs a sync; one sync for a group of deeds makes eight writers several times
as fast. Each deed but the first stands in its own savepoint, so a refused one takes nothing with
it; nobody is answered before the group's COMMIT. The first has nothing before it to be kept: when
it is refused, the transaction is rolled back and the next deed begins another.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.base import RootTransaction
from sqlalchemy.exc import DBAPIError, OperationalError

from .away import unavailable
from .clock import Clock
from .database import Database, Deed, T, sqlite_engine
from .errors import TransactionLost, Unavailable
from .session import KEY, milliseconds
from .turn import Turn
from .writer_lock import WriterLock

MOST_DEEDS = 64
MOST_SECONDS = 0.02


class Group:
    """Deeds that will be committed together."""

    def __init__(self, transaction: RootTransaction) -> None:
        self.transaction = transaction
        self.leased = False  # the ids' node, inside this transaction
        self.deeds = 0
        self.since = time.monotonic()
        self.ended = threading.Event()
        self.failure: BaseException | None = None

    def full(self) -> bool:
        return self.deeds >= MOST_DEEDS or time.monotonic() - self.since > MOST_SECONDS


class SQLite(Database):
    """See the module."""

    dialect = "sqlite"

    def __init__(self, url: str, home: Path, clock: Clock) -> None:
        self._path = make_url(url).database or ""
        if self._path in ("", ":memory:"):
            raise ValueError("a SQLite database in a file is needed")
        Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(Path(self._path).with_name(Path(self._path).name + ".writer.lock"))
        self._reset()
        super().__init__(url, home, clock)

    def _engine(self) -> Engine:
        return sqlite_engine(self._path, writing=False)

    def _reset(self) -> None:
        self._turn = Turn()
        self._group: Group | None = None
        self._writer: Connection | None = None

    def _write(self, deed: Deed[T]) -> T:
        failure: BaseException | None = None
        result: Any = None
        after: list[Any] = []
        with self._turn:
            group = self._group or self._open()
            try:
                result, after = self._carry_out(group, deed)
            except BaseException as error:  # the group goes on; the caller gets it below
                failure = error
            group.deeds += 1
            if self._lost(group, failure):
                lost = TransactionLost()
                lost.__cause__ = failure
                self._end(group, lost)
            elif failure is not None and group.deeds == 1:
                self._undo(group)
            elif group.full() or self._turn.waiting == 0:
                self._end(group)
        if failure is not None and group.failure is None:
            raise failure
        self._await(group)
        if group.failure is not None:
            raise unavailable(group.failure) from group.failure
        for call in after:
            call()
        return result  # type: ignore[no-any-return]

    def _open(self) -> Group:
        """Begin a group: our turn among the processes, then among SQLite's own writers."""
        self._lock.acquire()
        try:
            if self._writer is None:
                self._writer = self._open_writer()
            transaction = self._writer.begin()
        except BaseException as error:
            self._drop_writer()
            self._lock.release()
            if isinstance(error, DBAPIError):
                raise unavailable(error) from error
            raise
        self._group = group = Group(transaction)
        return group

    def _open_writer(self) -> Connection:
        connection = sqlite_engine(self._path, writing=True).connect()

        @event.listens_for(connection, "before_cursor_execute")
        def guard(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
            # Without a transaction each statement would commit by itself, behind the group's back.
            if not cursor.connection.in_transaction and not statement.startswith("BEGIN"):
                raise TransactionLost(statement[:80])

        return connection

    def _carry_out(self, group: Group, deed: Deed[T]) -> tuple[T, list[Any]]:
        assert self._writer is not None
        now = self.clock.now()
        if self.ids.due(milliseconds(now)):
            group.leased = True
            try:
                self.ids.renew(self._writer, milliseconds(now))
            except BaseException as error:
                self.ids.release_later()
                raise Unavailable() from error
        shared = group.deeds > 0
        with self._session(self._writer, now, shared) as session:
            result = deed(session)
            session.commit() if shared else session.flush()
            return result, session.info[KEY].after_commit

    def _lost(self, group: Group, failure: BaseException | None) -> bool:
        """Whether SQLite rolled the transaction back by itself. The driver knows; SQLAlchemy does
        not learn of it, and itself rolls back a first deed whose objects cannot be written."""
        assert self._writer is not None
        try:
            driver = self._writer.connection.dbapi_connection
        except Exception:  # the connection was invalidated
            return True
        if driver is not None and driver.in_transaction:
            return False
        return group.transaction.is_active or isinstance(failure, OperationalError)

    def _end(self, group: Group, failure: BaseException | None = None) -> None:
        """Commit the group, or give it up."""
        try:
            if failure is None:
                try:
                    group.transaction.commit()
                except BaseException as error:
                    failure = error
            if failure is not None:
                self._drop_writer()
                self.memory = None
                if group.leased:
                    self.ids.release_later()
        finally:
            group.failure = failure
            self._over(group)

    def _undo(self, group: Group) -> None:
        """Roll a group back that has nothing to be kept in it."""
        try:
            if group.transaction.is_active:  # else the session has rolled it back
                group.transaction.rollback()
        except BaseException as error:
            self._end(group, error)
        else:
            if group.leased:
                self.ids.release_later()
            self._over(group)

    def _over(self, group: Group) -> None:
        """Let everybody know."""
        self._group = None
        self._lock.release()
        group.ended.set()

    def _await(self, group: Group) -> None:
        # Whoever was to commit next may have died of an interrupt while it queued.
        while not group.ended.wait(0.25):
            with self._turn:
                if self._group is group:
                    self._end(group)

    def _drop_writer(self) -> None:
        """Close the writing connection; SQLite rolls back what it had open."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.invalidate()
            writer.close()
            writer.engine.dispose()

    def is_waited_for(self) -> bool:
        """See `Database.is_waited_for`; of other processes nobody here knows."""
        return self._turn.waiting > 0

    def close(self) -> None:
        with self._turn:
            self._drop_writer()
        self._lock.close()
        super().close()

    def forget(self) -> None:
        self._reset()
        super().forget()
