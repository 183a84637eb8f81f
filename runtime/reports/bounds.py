"""No report may keep the database busy for long: its statements are stopped, with a message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ...platform.store.errors import Unavailable

SECONDS = 10
STEPS = 20_000  # of SQLite's machine between two looks at the clock


@contextmanager
def bounded(session: Session, seconds: float = SECONDS) -> Iterator[None]:
    """Stop what reads in here after so many seconds. Raises Unavailable (E_REPORT_SLOW)."""
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    begun = time.monotonic()
    try:
        with (
            _sqlite(connection, begun + seconds) if is_sqlite else _postgresql(connection, seconds)
        ):
            yield
    except DBAPIError as error:
        if time.monotonic() - begun < seconds:
            raise
        raise Unavailable("E_REPORT_SLOW", seconds=seconds) from error


@contextmanager
def _sqlite(connection: Connection, end: float) -> Iterator[None]:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


@contextmanager
def _postgresql(connection: Connection, seconds: float) -> Iterator[None]:
    """In a savepoint that is always undone, and the setting with it."""
    nested = connection.begin_nested()
    try:
        most = int(seconds * 1000)
        connection.execute(text(f"SET LOCAL statement_timeout = {most}"))  # nosemgrep (a number)
        yield
    finally:
        nested.rollback()
