"""What a field is kept as: storage class -> SQL column, and values in and out of it.

Numbers are scaled whole numbers on every database (SQLite's NUMERIC is a float): 12.34 at scale 2
is kept as 1234. Trees (several choices, tooth charts) are JSON. Everything is nullable: the door
checks what is required, and a new column must fit the rows that are there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, DateTime, Integer, Text
from sqlalchemy.types import TypeEngine

from .model import Json, Moment

Turn = Callable[[Any], Any]

LARGEST = 10**18 - 1  # of a scaled number; its 64-bit column holds a little more


@dataclass(frozen=True)
class ColumnSpec:
    """A form's column: its key, its storage class, its scale (for `scaled`), its indexes."""

    key: str
    storage: str
    scale: int = 0
    unique: tuple[str, ...] | None = None  # further columns of the unique key, or none at all
    index: bool = False
    encrypted: bool = False

    @property
    def blind(self) -> str:
        """The name of the column beside an encrypted one that answers equality."""
        return f"_blind_{self.key}"


def _same(value: Any) -> Any:
    return value


def _time_in(value: time) -> str:
    return value.isoformat(timespec="seconds")


@dataclass(frozen=True)
class Storage:
    """One storage class: its SQL type, and Python values to and from what is kept."""

    type: TypeEngine[Any]
    keep: Turn = _same
    give: Turn = _same


STORAGES: dict[str, Storage] = {
    "text": Storage(Text()),
    "whole": Storage(BigInteger()),
    "scaled": Storage(BigInteger()),
    "bool": Storage(Boolean(create_constraint=False)),
    "date": Storage(Date()),
    "time": Storage(Text(), keep=_time_in, give=time.fromisoformat),
    "moment": Storage(Moment()),
    "json": Storage(Json),
    "reference": Storage(BigInteger()),
}


def storage_of(kind: TypeEngine[Any]) -> str:
    """A storage class with such a column, of a column that nothing but the database tells of."""
    for known, storage in _FOUND:
        if isinstance(kind, known):
            return storage
    return "text"


_FOUND: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (JSON, "json"),
    (Boolean, "bool"),
    (DateTime, "moment"),
    (Date, "date"),
    (Integer, "whole"),
)


def is_plain(spec: ColumnSpec) -> bool:
    """Whether its values are kept as they are in Python."""
    return STORAGES[spec.storage].give is _same and spec.storage != "scaled" and not spec.encrypted


def column(spec: ColumnSpec) -> Column[Any]:
    """The SQL column of a field."""
    return Column(spec.key, STORAGES[spec.storage].type, nullable=True)


def blind_column(spec: ColumnSpec) -> Column[Any]:
    """The column of an encrypted field's blind index."""
    return Column(spec.blind, Text(), nullable=True)


def keep(spec: ColumnSpec, value: Any) -> Any:
    """A Python value as its column takes it. Raises ValueError when a number does not fit."""
    if value is None:
        return None
    if spec.storage == "scaled":
        scaled = Decimal(value).scaleb(spec.scale)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{spec.key}: more than {spec.scale} decimals")
        return int(scaled)
    return STORAGES[spec.storage].keep(value)


def give(spec: ColumnSpec, kept: Any) -> Any:
    """What a column held, as a Python value."""
    if kept is None:
        return None
    if spec.storage == "scaled":
        return Decimal(kept).scaleb(-spec.scale)
    return STORAGES[spec.storage].give(kept)


def revive(spec: ColumnSpec, remembered: Any) -> Any:
    """What a history row holds (see `rows`), as a Python value."""
    if remembered is not None and spec.storage == "moment":
        return datetime.fromisoformat(remembered)
    if remembered is not None and spec.storage == "date":
        return date.fromisoformat(remembered)
    return give(spec, remembered)
