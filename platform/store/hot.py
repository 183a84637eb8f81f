"""The hottest statements, sent to the driver itself: made into SQL once, not at every call.

SQLAlchemy's way from a statement to the driver and back costs many times what the driver does; for
what is read and written at every step of every flow that is most of the work.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from .driver import send, send_each, send_insert, send_later
from .model import Moment
from .session import connection_of

Row = dict[str, Any]


class Hot:
    """One statement with bound parameters, for either database. Make it once, at import.

    No parameter may be a list. Rows that come back have their columns' types.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._written: dict[Any, _Written] = {}

    def __call__(self, session: Session, rows: Row | Sequence[Row]) -> int:
        """Write by it once, or for each of several rows of the same keys; how many rows it met."""
        cursor, _ = self._send(session, rows)
        met: int = cursor.rowcount
        return met

    def all(self, session: Session, row: Row) -> list[Any]:
        """The rows it finds or gives back, each with its columns as attributes and in order."""
        cursor, written = self._send(session, row)
        return [written.named(values) for values in cursor.fetchall()]

    def first(self, session: Session, row: Row) -> Any | None:
        """The first of them, or None."""
        return next(iter(self.all(session, row)), None)

    def mapping(self, session: Session, row: Row) -> dict[str, Any] | None:
        """The first of them by its columns' names, which may begin with an underscore; or None."""
        cursor, written = self._send(session, row)
        found = cursor.fetchall()
        return dict(zip(written.columns, written.typed(found[0]), strict=True)) if found else None

    def later(self, session: Session, row: Row) -> None:
        """Put in a row (the statement is an INSERT of values) that nobody waits for: it goes with
        others in one trip, before anything else is asked of this transaction (`driver`)."""
        connection = connection_of(session)
        written = self._in(connection.dialect, row)
        send_later(connection, written.sql, written.bound(row))

    def _send(self, session: Session, rows: Row | Sequence[Row]) -> "tuple[Any, _Written]":
        connection = connection_of(session)
        each = [rows] if isinstance(rows, dict) else rows
        written = self._in(connection.dialect, each[0])
        if len(each) == 1:
            sending = send_insert if written.is_insert else send
            return sending(connection, written.sql, written.bound(each[0])), written
        return send_each(connection, written.sql, [written.bound(row) for row in each]), written

    def _in(self, dialect: Dialect, row: Row) -> "_Written":
        """The statement in a dialect, with the keys of this row."""
        key = (dialect.name, *row) if self._statement.is_insert else dialect.name
        written = self._written.get(key)
        if written is None:
            written = self._written[key] = _Written(self._statement, list(row), dialect)
        return written


class _Written:
    """A statement's text in one dialect, how its values go into it, and how its rows come out."""

    def __init__(self, statement: Any, keys: list[str], dialect: Dialect) -> None:
        self.is_insert = statement.is_insert
        columns = keys if statement.is_insert else None
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        binds = {
            key: _binder(compiled.binds[key].type, process, dialect)
            for key, process in compiled._bind_processors.items()
        }
        self._fixed = {key: value for key, value in compiled.params.items() if key not in keys}
        self._order = compiled.positiontup
        self._binds = [(key, binds.get(key)) for key in self._order or compiled.params]
        given = tuple(statement.exported_columns)
        self.columns = tuple(column.key for column in given)
        self._types = [
            (at, process) for at, process in enumerate(_results(given, dialect)) if process
        ]
        self._make = _named(self.columns)

    def bound(self, row: Row) -> Any:
        """The row's values as the driver takes them."""
        if self._fixed:
            row = {**self._fixed, **row}
        if self._order is None:
            return {key: process(row[key]) if process else row[key] for key, process in self._binds}
        return [process(row[key]) if process else row[key] for key, process in self._binds]

    def typed(self, values: Sequence[Any]) -> Sequence[Any]:
        """A row's values as their columns' types have them."""
        if not self._types:
            return values
        found = list(values)
        for at, process in self._types:
            found[at] = process(found[at])
        return found

    def named(self, values: Sequence[Any]) -> Any:
        """The same with names."""
        return self._make(self.typed(values))


def _binder(kind: Any, process: Callable[[Any], Any], dialect: Dialect) -> Callable[[Any], Any]:
    """What a column's type makes of a value; of the one moment of a transaction only once."""
    if not isinstance(kind, Moment):
        return process
    return _moments.setdefault(dialect.name, lru_cache(maxsize=256)(process))


_moments: dict[str, Callable[[Any], Any]] = {}


def _results(columns: Iterable[Any], dialect: Dialect) -> list[Callable[[Any], Any] | None]:
    """What makes each column's value of what the driver gives, where anything has to."""
    return [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]


def _named(columns: Sequence[str]) -> Callable[[Iterable[Any]], Any]:
    """Makes a row with names of its values; what begins with an underscore has none."""
    kind: Any = namedtuple  # its columns are known when it runs
    make: Callable[[Iterable[Any]], Any] = kind("Found", columns, rename=True)._make
    return make
