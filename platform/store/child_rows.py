"""The rows of sub-forms: one table for each, a row bound to its record and its place among others.

A row has no life of its own: it comes and goes with what its record says, and the record's history
holds it whole. Nothing drops a row but a change of its record through the door.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, delete, insert, select
from sqlalchemy.orm import Session
from sqlalchemy.schema import ForeignKeyConstraint

from .columns import ColumnSpec, column
from .tables import KEY, SCOPES, index_name, short, table_name

Rows = Sequence[Mapping[str, Any]]  # each: column -> as kept
RECORD, PLACE = "_record", "_place"


@lru_cache(maxsize=512)
def child_table(form_key: str, key: str, specs: tuple[ColumnSpec, ...]) -> Table:
    """The table of a form's sub-form; `$` stands in no key, so no form's own table is called so."""
    for name in (key, *(spec.key for spec in specs)):
        if not KEY.match(name):
            raise ValueError(f"{name!r} is no key")
    metadata, parent = MetaData(), table_name(form_key)
    Table(parent, metadata, Column("_id", BigInteger, primary_key=True))
    name = short(f"{parent}${key}")
    indexes = [
        Index(index, *_within(spec), spec.key, unique=spec.unique is not None)
        for spec in specs
        if (index := index_name(name, spec)) is not None
    ]
    return Table(
        name,
        metadata,
        Column(RECORD, BigInteger, primary_key=True, autoincrement=False),
        Column(PLACE, Integer, primary_key=True, autoincrement=False),
        *(column(spec) for spec in specs),
        ForeignKeyConstraint([RECORD], [f"{parent}._id"], name=short(f"fk_{name}")),
        *indexes,
    )


def _within(spec: ColumnSpec) -> Iterable[str]:
    """What a row's value is unique within, its record always: rows are retired with theirs."""
    return (SCOPES.get(name, name) for name in spec.unique or ())


def put_rows(session: Session, table: Table, record_id: int, rows: Rows) -> None:
    """A record has these rows from now on, in this order, and no others."""
    session.execute(delete(table).where(table.c[RECORD] == record_id))
    if rows:
        blank = {each.key: None for each in table.columns}
        session.execute(
            insert(table),
            [{**blank, **row, RECORD: record_id, PLACE: at} for at, row in enumerate(rows)],
        )


def rows_of(session: Session, table: Table, ids: Collection[int]) -> dict[int, list[Any]]:
    """The rows of each of these records, as kept, in their order; records without any left out."""
    found: dict[int, list[Any]] = {}
    if ids:
        query = select(table).where(table.c[RECORD].in_(ids))
        query = query.order_by(table.c[RECORD], table.c[PLACE])
        for row in session.execute(query).mappings():
            kept = {key: value for key, value in row.items() if key not in (RECORD, PLACE)}
            found.setdefault(row[RECORD], []).append(kept)
    return found
