"""The door to the database: `read()` and `write(deed)`."""

from __future__ import annotations

import os
import random
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from .away import LOCKED, is_away, state_of, unavailable
from .clock import Clock
from .driver import begin, gather, send_waiting
from .errors import Unavailable
from .ids import Ids
from .locks import Again
from .session import KEY, Transaction, milliseconds

T = TypeVar("T")
Deed = Callable[[Session], T]

POOL = 16
IDLE_SECONDS = 1.0  # a connection unused for longer is asked whether it still stands
RETRIES = 5
STOPPED = "60s"
"""PostgreSQL undoes a transaction that has asked nothing for so long: whoever stands in it has been
stopped, and everybody else waits for its rows."""
STOPPED_READER = "1h"
"""Of a snapshot, which holds no rows, and may write a large file between two questions."""
SILENT = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,  # milliseconds
}
"""Of a PostgreSQL that has gone without a word (a cable, a firewall, a machine without power) it is
known within half a minute, unless the address says otherwise: the kernel asks the other one's
kernel whether it is there. By itself it would ask after two hours."""
LEFT = {
    "tcp_keepalives_idle": "10s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "30s",
}
"""The same from the other side: of one of us that has gone without a word the server knows within
half a minute, and gives its locks back."""
LOCK_SECONDS = 10
"""Nobody waits for a lock of PostgreSQL's longer than this: what others keep for so long, a
migration or somebody's LOCK TABLE, they keep for long."""
PATIENT = "1min"
"""Of a snapshot, which nobody waits for: a backup, an export."""
RETRY_STATES = {"40001", "40P01", LOCKED}  # serialisation failure, deadlock

#: Called with each new driver connection, before its first statement: SQL functions of our own.
connect_hooks: list[Callable[[Any, str], None]] = []


class Database(ABC):
    """One process's way to the database. Threads share it; it is opened anew after a fork."""

    dialect: str

    def __init__(self, url: str, home: Path, clock: Clock) -> None:
        self.url = url
        self.home = home
        self.clock = clock
        self.ids = Ids()
        self.memory: tuple[int, dict[Any, Any]] | None = None  # see `kept`
        self._busy = threading.local()
        self.reader = self._engine()
        alive.add(self)

    @abstractmethod
    def _engine(self) -> Engine:
        """The engine that reads come from."""

    @abstractmethod
    def _write(self, deed: Deed[T]) -> T: ...

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and writes nothing."""
        with Session(self.reader, expire_on_commit=False, autoflush=False) as session:
            session.info[KEY] = Transaction(self, writing=False)
            yield session

    @contextmanager
    def glance(self) -> Iterator[Session]:
        """A session for a few small questions, each of which may see a newer state than the one
        before; what it does not give is a transaction to put savepoints or settings in."""
        with self.read() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session for reading that sees the same state however many questions it asks."""
        with self.reader.connect() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
                connection.execute(text(_set_stopped("SET LOCAL", STOPPED_READER)))
                patient = f"SET LOCAL lock_timeout = '{PATIENT}'"
                connection.execute(text(patient))  # nosemgrep (a constant of ours)
            with Session(connection, expire_on_commit=False, autoflush=False) as session:
                session.info[KEY] = Transaction(self, writing=False)
                yield session

    def write(self, deed: Deed[T]) -> T:
        """Carry out a deed in one transaction; what it returns is committed when this returns.

        A deed may be run more than once (a retry), so it touches nothing but its session, and
        nothing slow happens in it. Raises whatever the deed raises, with nothing written, and
        `Unavailable` when the store lost the transaction, with nothing written either.
        """
        if getattr(self._busy, "writing", False):
            raise RuntimeError("a deed is already under way here: pass its session on")
        self._busy.writing = True
        try:
            return self._write(deed)
        finally:
            self._busy.writing = False

    def _session(self, connection: Connection, now: datetime, shared: bool) -> Session:
        """A deed's session. shared: other deeds stand in the same transaction, so this one gets a
        savepoint, which its `commit` gives up; else it has the transaction to itself, which the
        door commits, and needs only its `flush`."""
        mode: Any = "create_savepoint" if shared else "rollback_only"
        session = Session(connection, join_transaction_mode=mode, expire_on_commit=False)
        facts = Transaction(self, writing=True)
        # The reading that the ids' lease was held against is the deed's own: a clock that jumps
        # in the middle of a deed cannot make it outlive the lease.
        facts.moment = None if self.asks_for_time() else now
        # A session that is alone begins only when it is asked for what the connection cannot do.
        facts.connection = session.connection() if shared else connection
        session.info[KEY] = facts
        return session

    def is_waited_for(self) -> bool:
        """Whether somebody stands behind the deed that is under way: who has much to do does it in
        several. Where deeds do not take turns nobody does."""
        return False

    def asks_for_time(self) -> bool:
        """Whether the time is asked of the database, which many machines share."""
        return self.dialect == "postgresql" and self.clock.follows_database

    def close(self) -> None:
        """Give all connections back."""
        self.reader.dispose()

    def forget(self) -> None:
        """In a forked child: drop what belongs to the parent without closing it."""
        self.reader.dispose(close=False)
        self._busy = threading.local()


class PostgreSQL(Database):
    """One transaction per deed; serialisation failures and deadlocks run it again."""

    dialect = "postgresql"

    def __init__(self, url: str, home: Path, clock: Clock) -> None:
        super().__init__(url, home, clock)
        self._plain = self.reader.execution_options(isolation_level="AUTOCOMMIT")

    def _engine(self) -> Engine:
        engine = create_engine(
            self.url,
            pool_size=POOL,
            max_overflow=POOL,
            pool_timeout=10,
            paramstyle="format",
            connect_args={k: v for k, v in SILENT.items() if k not in make_url(self.url).query},
            hide_parameters=True,  # an error's words go to the log, patients' data do not
        )
        _run_hooks(engine, "postgresql")
        _bound_waits(engine, str(make_url(self.url).query.get("options", "")))
        _ask_the_idle(engine)
        gather(engine)
        return engine

    @contextmanager
    def glance(self) -> Iterator[Session]:
        """See `Database.glance`: without BEGIN and ROLLBACK, half the way to the server."""
        with Session(self._plain, expire_on_commit=False, autoflush=False) as session:
            session.info[KEY] = Transaction(self, writing=False)
            yield session

    def _write(self, deed: Deed[T]) -> T:
        begun = time.monotonic()
        for attempt in range(RETRIES + 1):
            try:
                return self._once(deed)
            except Again as error:
                if attempt == RETRIES:
                    raise Unavailable() from error
            except DBAPIError as error:
                away, state = is_away(error), state_of(error)
                waited = state == LOCKED and time.monotonic() - begun >= LOCK_SECONDS
                if attempt == RETRIES or waited or not (away or state in RETRY_STATES):
                    if away:
                        raise unavailable(error) from error
                    raise
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # nosec B311
        raise AssertionError("unreachable")

    def _once(self, deed: Deed[T]) -> T:
        now = self.clock.now()
        if self.ids.due(milliseconds(now)):
            try:
                with self.reader.begin() as connection:
                    self.ids.renew(connection, milliseconds(now))
            except BaseException:
                self.ids.release_later()
                raise
        with self.reader.connect() as connection, connection.begin() as outer:
            with self._session(connection, now, shared=False) as session:
                result = deed(session)
                session.flush()
                facts = session.info[KEY]
            send_waiting(connection)
            try:
                outer.commit()
            except DBAPIError as error:
                # Whether a lost COMMIT took effect cannot be told here: the caller's
                # idempotency key decides it on the next try.
                if state_of(error) in RETRY_STATES:
                    raise
                raise Unavailable("E_COMMIT_UNKNOWN") from error
        for call in facts.after_commit:
            call()
        return result


def _run_hooks(engine: Engine, dialect: str) -> None:
    @event.listens_for(engine, "connect")
    def connected(driver: Any, _record: Any) -> None:
        for hook in connect_hooks:
            hook(driver, dialect)


def _bound_waits(engine: Engine, said: str) -> None:
    """What each connection asks of the server, unless the address says otherwise (`?options=-c …`):
    its transactions end when their process stands still or is gone, and none waits for long."""
    wanted = {"lock_timeout": f"{LOCK_SECONDS}s", **LEFT}
    settings = "; ".join(
        [_set_stopped("SET", STOPPED)]
        + [f"SET {name} = '{value}'" for name, value in wanted.items() if name not in said]
    )

    @event.listens_for(engine, "connect")
    def connected(driver: Any, _record: Any) -> None:
        driver.execute(settings)
        driver.commit()


def _set_stopped(words: str, limit: str) -> str:
    return f"{words} idle_in_transaction_session_timeout = '{limit}'"


def _ask_the_idle(engine: Engine) -> None:
    """Before a connection is used that was idle: does it still stand? When not, all that were
    opened before are opened anew. One just used is not asked: that would be a question to the
    server before every deed."""

    @event.listens_for(engine, "checkin")
    def used(_driver: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def wanted(driver: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used", time.monotonic()) <= IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(driver)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError() from error


def sqlite_engine(path: str, *, writing: bool) -> Engine:
    """An engine on one SQLite file: WAL, foreign keys, transactions begun by us."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=1 if writing else POOL,
        max_overflow=0 if writing else POOL,
        pool_timeout=10,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 10},
    )

    @event.listens_for(engine, "connect")
    def connected(driver: Any, _record: Any) -> None:
        driver.isolation_level = None  # pysqlite's own BEGINs come late and commit early
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            driver.execute(f"PRAGMA {pragma}")  # nosemgrep (a constant of ours)
        driver.execute(f"PRAGMA query_only={'OFF' if writing else 'ON'}")  # nosemgrep (likewise)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        begin(connection, "BEGIN IMMEDIATE" if writing else "BEGIN")

    _run_hooks(engine, "sqlite")
    return engine


alive: weakref.WeakSet[Database] = weakref.WeakSet()


def _after_fork() -> None:
    for database in list(alive):
        database.forget()


os.register_at_fork(after_in_child=_after_fork)


def open_database(url: str, home: Path, clock: Clock | None = None) -> Database:
    """Open `sqlite:///FILE` or `postgresql…://…`; `home` is the data folder (keys, files)."""
    from .sqlite import SQLite

    home.mkdir(parents=True, exist_ok=True)
    parts = make_url(url)
    kind: type[Database]
    if parts.get_backend_name() == "sqlite":
        kind = SQLite
    elif parts.get_backend_name() == "postgresql":
        kind, url = PostgreSQL, _with_driver(url)
    else:
        raise ValueError(f"{parts.get_backend_name()}: a SQLite or PostgreSQL address is needed")
    return kind(url, home, clock or Clock())


def _with_driver(url: str) -> str:
    parts = make_url(url)
    return parts.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
