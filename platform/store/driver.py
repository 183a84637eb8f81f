"""A statement to the driver itself, past SQLAlchemy and yet inside its transaction.

To PostgreSQL each statement is a trip. Inserts that nobody waits for are therefore gathered and
travel as parts of one: with the next insert, or alone before whatever else is asked of the same
transaction, its COMMIT among it. So what is asked later sees what was put in earlier, always.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from psycopg import RawCursor
from sqlalchemy import Connection, Engine, event

from .errors import TransactionLost

WAITING = "careloom.waiting"  # in the connection's info: what is gathered, as (SQL, values)
MOST_WAITING = 24


def begin(connection: Connection, sql: str) -> None:
    """Begin a transaction; what goes wrong is told as `send` tells it."""
    cursor = _driver(connection).cursor()
    _told(connection, cursor, cursor.execute, sql, ())


def send(connection: Connection, sql: str, values: Sequence[Any] = ()) -> Any:
    """Have the driver carry it out; returns its cursor.

    What the driver raises is told as SQLAlchemy tells it: by its own classes, and a connection
    that is lost is taken out of use.
    """
    send_waiting(connection)
    return _send(connection, sql, values)


def send_two(connection: Connection, first: str, second: str) -> Any:
    """Two statements without values, in one trip to PostgreSQL; the cursor of the second."""
    send_waiting(connection)
    cursor = _cursor(connection, first)
    both = partial(cursor.execute, prepare=False)
    _told(connection, cursor, both, f"{first}; {second}", None)
    cursor.nextset()
    return cursor


def send_each(connection: Connection, sql: str, values: Sequence[Sequence[Any]]) -> Any:
    """`send` for each of several rows of values."""
    send_waiting(connection)
    cursor = _cursor(connection, sql)
    return _told(connection, cursor, cursor.executemany, sql, values)


def send_insert(connection: Connection, sql: str, values: Sequence[Any]) -> Any:
    """`send` for an INSERT of values; what waits travels with it."""
    waiting = connection.info.pop(WAITING, None)
    if not waiting:
        return _send(connection, sql, values)
    joined = _joined((*(part for part, _ in waiting), sql))
    every = [value for _, some in (*waiting, (sql, values)) for value in some]
    cursor = RawCursor(_driver(connection))
    return _told(connection, cursor, cursor.execute, joined, every)


@lru_cache(maxsize=512)
def _joined(parts: tuple[str, ...]) -> str:
    """Several INSERTs as one statement, with the server's own placeholders: psycopg does not
    remember how it translates a statement as long as this."""
    *before, last = parts
    named = ", ".join(f"_{place} AS ({part})" for place, part in enumerate(before))
    pieces = f"WITH {named} {last}".split("%s")
    numbered = (f"{piece}${place}" for place, piece in enumerate(pieces[:-1], 1))
    return "".join((*numbered, pieces[-1])).replace("%%", "%")


def send_later(connection: Connection, sql: str, values: Sequence[Any]) -> None:
    """Gather an INSERT of values; on SQLite, which is no trip away, it goes at once."""
    if connection.dialect.name == "sqlite":
        _send(connection, sql, values)
        return
    waiting = connection.info.setdefault(WAITING, [])
    waiting.append((sql, values))
    if len(waiting) >= MOST_WAITING:
        send_waiting(connection)


def send_waiting(connection: Connection) -> None:
    """Send what is gathered, if anything is."""
    waiting = connection.info.get(WAITING)
    if waiting:
        last = waiting.pop()
        send_insert(connection, *last)


def gather(engine: Engine) -> None:
    """Have what SQLAlchemy itself sends come after what is gathered. What was to be undone, or is
    left by a deed that failed, is not sent at all."""

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("ROLLBACK TO"):
            connection.info.pop(WAITING, None)
        else:
            send_waiting(connection)

    @event.listens_for(engine, "checkin")
    def given_back(_driver: Any, record: Any) -> None:
        record.info.pop(WAITING, None)


def _send(connection: Connection, sql: str, values: Sequence[Any]) -> Any:
    cursor = _cursor(connection, sql)
    return _told(connection, cursor, cursor.execute, sql, values)


def _told(
    connection: Connection, cursor: Any, do: Callable[[str, Any], Any], sql: str, values: Any
) -> Any:
    try:
        do(sql, values)
    except connection.dialect.loaded_dbapi.Error as error:
        connection._handle_dbapi_exception(error, sql, values, cursor, None)
    return cursor


def _cursor(connection: Connection, sql: str) -> Any:
    driver = _driver(connection)
    if connection.dialect.name == "sqlite" and not driver.in_transaction:
        # It would commit by itself, behind the back of whoever began the transaction.
        raise TransactionLost(sql[:80])
    return driver.cursor()


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection
