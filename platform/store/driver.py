"""A statement to the driver itself, past SQLAlchemy and yet inside its transaction."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from .errors import TransactionLost


def begin(connection: Connection, sql: str) -> None:
    """Begin a transaction; what goes wrong is told as `send` tells it."""
    cursor = _driver(connection).cursor()
    _told(connection, cursor, cursor.execute, sql, ())


def send(connection: Connection, sql: str, values: Any = ()) -> Any:
    """Have the driver carry it out; returns its cursor.

    What the driver raises is told as SQLAlchemy tells it: by its own classes, and a connection
    that is lost is taken out of use.
    """
    cursor = _cursor(connection, sql)
    return _told(connection, cursor, cursor.execute, sql, values)


def send_each(connection: Connection, sql: str, values: Sequence[Any]) -> Any:
    """The same for each of several rows of values."""
    cursor = _cursor(connection, sql)
    return _told(connection, cursor, cursor.executemany, sql, values)


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
