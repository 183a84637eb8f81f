"""What the SQL lowering is given for each name, and the SQL types of the values it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Date, DateTime, FromClause, Numeric, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from .errors import ExpressionError
from .scope import Type
from .tree import Place


@dataclass(frozen=True)
class Joined:
    """Rows of another table under a fresh alias: where they come from, what ties them to the row
    at hand (with whatever the reader may see), their columns by key, their order."""

    source: FromClause
    on: ColumnElement[bool]
    columns: Columns
    order: Sequence[ColumnElement[Any]] = ()


@dataclass(frozen=True)
class Link:
    """A link field: its own column, and the record it points to, opened anew at every use."""

    key: ColumnElement[Any]
    open: Callable[[], Joined]


@dataclass(frozen=True)
class Rows:
    """A sub-form: its rows, opened anew at every use."""

    open: Callable[[], Joined]


# Key -> column. A number's column is a scaled whole number whose scale stands in its Type.
Columns = Mapping[str, "ColumnElement[Any] | Link | Rows"]


class ExactNumber(TypeDecorator[Decimal]):
    """A number as the SQL functions exchange it: numeric on PostgreSQL; on SQLite a whole number
    where it fits into 64 bits, else text."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return pack(value) if dialect.name == "sqlite" and value is not None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Instant(TypeDecorator[datetime]):
    """An aware UTC moment; naive UTC text on SQLite, as the store keeps it."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.astimezone(UTC)


class Span(TypeDecorator[timedelta]):
    """A duration as whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> Any:
        return None if value is None else value // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> timedelta | None:
        return None if value is None else timedelta(microseconds=value)


_SQL: dict[str, TypeEngine[Any]] = {
    "number": ExactNumber(),
    "text": Text(),
    "bool": Boolean(),
    "date": Date(),
    "datetime": Instant(),
    "duration": Span(),
    "person": BigInteger(),
    "row": BigInteger(),
    "blank": Text(),
}


def sql_type(kind: Type) -> TypeEngine[Any]:
    """The SQL type of a value of this type; NullType when it has none (lists, unknown types)."""
    return _SQL.get(kind.kind, NullType())


def pack(value: Decimal) -> int | str:
    """A number as SQLite keeps it between functions: one spelling per value, so = is exact."""
    if value == value.to_integral_value() and -(2**63) <= value < 2**63:
        return int(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def not_sql(place: Place, name: str = "") -> ExpressionError:
    """What the databases cannot answer."""
    return ExpressionError("E_NOT_SQL", place, name=name)
