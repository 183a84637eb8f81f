"""A form's columns -> its SQLAlchemy table, cached by what defines it."""

import hashlib
import re
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, text

from .columns import ColumnSpec, blind_column, column
from .found_by import COLUMN as FOUND_BY
from .found_by import TYPE as FOUND_BY_TYPE
from .found_by import in_order
from .model import Moment

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
LONGEST_NAME = 63  # PostgreSQL's limit

#: The states of a record and what each means.
DRAFT, SIGNED, ARCHIVED = "draft", "signed", "archived"


def short(name: str) -> str:
    """A name the databases take: one over 63 bytes ends in a hash of itself."""
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return name[:46] + "_" + hashlib.sha256(name.encode()).hexdigest()[:16]


def table_name(form_key: str) -> str:
    """The table of a form."""
    if not KEY.match(form_key):
        raise ValueError(f"{form_key!r} is no key")
    return short(f"form_{form_key}")


def system_columns() -> list[Column[Any]]:
    """The columns every form's table has; fields' keys never begin with an underscore."""
    return [
        Column("_id", BigInteger, primary_key=True, autoincrement=False),
        Column("_revision", Integer, nullable=False),
        Column("_version", Integer, nullable=False),
        Column("_unit", BigInteger, nullable=False),
        Column("_owner", BigInteger),
        Column("_state", String(16), nullable=False),
        Column("_created_at", Moment, nullable=False),
        Column("_created_by", BigInteger),
        Column("_updated_at", Moment, nullable=False),
        Column("_updated_by", BigInteger),
        Column("_retired_at", Moment),
        Column(FOUND_BY, FOUND_BY_TYPE),
    ]


@lru_cache(maxsize=512)
def form_table(form_key: str, specs: tuple[ColumnSpec, ...]) -> Table:
    """The table of one form with the columns of one of its versions."""
    for spec in specs:
        if not KEY.match(spec.key):
            raise ValueError(f"{spec.key!r} is no key")
    name = table_name(form_key)
    table = Table(
        name,
        MetaData(),
        *system_columns(),
        *(column(spec) for spec in specs),
        *(blind_column(spec) for spec in specs if spec.encrypted),
        *_indexes(name, specs),
    )
    _name_index(table)
    return table


def names_index(table: str) -> str:
    """The name of the index by which a form's records are put in order by their names."""
    return short(f"ix_{table}__name")


def _name_index(table: Table) -> None:
    """Records in the order of their names; a form without any has none in it."""
    name = in_order(table.c[FOUND_BY])
    named = name.is_not(None)
    Index(
        names_index(table.name),
        name,
        table.c._id,
        postgresql_where=named,
        sqlite_where=named,
    )


def index_name(table: str, spec: ColumnSpec) -> str | None:
    """The name of a field's index, or None when it has none."""
    if spec.unique is not None:
        return short(f"uq_{table}_{spec.key}")
    if spec.index or spec.encrypted or spec.storage == "reference":
        return short(f"ix_{table}_{spec.key}")
    return None


#: what a value may be unique within that is no field: the record's own unit, a row's record
SCOPES = {"unit": "_unit", "parent": "_record"}


def _indexes(table: str, specs: tuple[ColumnSpec, ...]) -> list[Index]:
    """What every list asks for (one's own, one unit's, the newest first), then the fields' own.

    A unique one counts the rows that are not retired, within its scope columns.
    """
    indexes = [
        Index(short(f"ix_{table}__owner"), "_owner", "_id"),
        Index(short(f"ix_{table}__unit"), "_unit", "_id"),
    ]
    live = text("_retired_at IS NULL")
    for spec in specs:
        name = index_name(table, spec)
        key = spec.blind if spec.encrypted else spec.key
        if spec.unique is not None:
            scope = [SCOPES.get(name, name) for name in spec.unique]
            indexes.append(
                Index(
                    name,
                    *scope,
                    key,
                    unique=True,
                    postgresql_where=live,
                    sqlite_where=live,
                )
            )
        elif name:
            indexes.append(Index(name, key))
    return indexes
