"""The hottest statements, sent through the driver: made into SQL once, not at every call.

SQLAlchemy's way from a statement to the driver costs several times what the driver does; for
what is written at every step of every flow that is most of the work.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

Row = Mapping[str, Any]


class Hot:
    """One statement with bound parameters, for either database. Make it once, at import.

    A result comes back as the driver gives it, without the types of its columns: only what needs
    none (ids, texts, counts) may be read from it. No parameter may be a list.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._written: dict[tuple[str, ...], _Written] = {}

    def __call__(self, session: Session, rows: Row | Sequence[Row]) -> CursorResult[Any]:
        """Run it once, or for each of several rows of the same keys."""
        connection = session.connection()
        first = rows if isinstance(rows, Mapping) else rows[0]
        key = (connection.dialect.name, *first)
        written = self._written.get(key)
        if written is None:
            written = _Written(self._statement, list(first), connection.dialect)
            self._written[key] = written
        if isinstance(rows, Mapping):
            return connection.exec_driver_sql(written.sql, written.bound(rows))
        return connection.exec_driver_sql(written.sql, [written.bound(row) for row in rows])


class _Written:
    """A statement's text in one dialect, and how its values go into it."""

    def __init__(self, statement: Any, keys: list[str], dialect: Dialect) -> None:
        columns = keys if statement.is_insert else None
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        self._fixed = {key: value for key, value in compiled.params.items() if key not in keys}
        self._processors = compiled._bind_processors
        self._order = compiled.positiontup

    def bound(self, row: Row) -> Any:
        """The row's values as the driver takes them."""
        values = {**self._fixed, **row}
        for key, process in self._processors.items():
            values[key] = process(values[key])
        return values if self._order is None else tuple(values[key] for key in self._order)
