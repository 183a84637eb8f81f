"""A form's rows: insert, update, read one; each change with its history row.

Values here are as kept (see `columns`); who may do what was settled above.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from .child_rows import put_rows, rows_of
from .errors import Stale
from .found_by import COLUMN as FOUND_BY
from .history import RecordHistory
from .hot import Hot

Row = Mapping[str, Any]  # column -> as kept
Children = Mapping[str, Table]  # sub-form's key -> its table
NONE: Children = {}


# the history row has columns of its own for the first three; what finds a row follows from it
OWN_COLUMNS = ("_id", "_revision", "_version", FOUND_BY)


#: beside the columns, in a history row: the version in force by which they are kept, where the
#: record itself is valid for an older one (a field may have more decimals since)
KEPT_BY = "_kept_by"


def insert_row(
    session: Session, table: Table, row: Row, action: str = "submit", children: Children = NONE
) -> None:
    """Put a new row, revision 1, its sub-forms' rows (under their keys), and its history."""
    columns = {key: value for key, value in row.items() if key not in children}
    if any(index.unique for index in table.indexes):
        _inserting(table)(session, columns)  # whether it is refused, the caller tells
    else:
        _inserting(table).later(session, columns)
    for key, child in children.items():
        put_rows(session, child, row["_id"], row.get(key) or ())
    _remember(session, table, row, action)


def update_row(
    session: Session,
    table: Table,
    record_id: int,
    changed: Row,
    before: Row,
    action: str,
    children: Children = NONE,
    in_force: int | None = None,
) -> Row:
    """Change a row that still stands at the revision `before` had; returns the row after it.

    in_force: the form's version whose columns these are, when the row is valid for an older one.
    Raises Stale when another change came between.
    """
    after = {**before, **changed, "_revision": before["_revision"] + 1}
    columns = [key for key in (*changed, "_revision") if key not in children]
    given = {"at_id": record_id, "at_revision": before["_revision"]}
    changing = _changing(table, tuple(columns))
    done = changing(session, {**given, **{key: after[key] for key in columns}})
    if done != 1:
        raise Stale(current=None)
    for key, child in children.items():
        if key in changed:
            put_rows(session, child, record_id, changed[key] or ())
    _remember(session, table, after, action, in_force)
    return after


@lru_cache(maxsize=1024)
def _inserting(table: Table) -> Hot:
    """Built once for each table."""
    return Hot(insert(table))


@lru_cache(maxsize=1024)
def _changing(table: Table, columns: tuple[str, ...]) -> Hot:
    """Built once for each table and the columns that change together."""
    return Hot(
        update(table)
        .where(table.c._id == bindparam("at_id"), table.c._revision == bindparam("at_revision"))
        .values({key: bindparam(key) for key in columns})
    )


def read_row(
    session: Session,
    table: Table,
    record_id: int,
    *,
    for_update: bool = False,
    children: Children = NONE,
) -> Row | None:
    """One row with its sub-forms' rows, retired or not, or None."""
    row = _by_id(table, for_update).mapping(session, {"id": record_id})
    return None if row is None else with_children(session, [row], children)[0]


def with_children(
    session: Session, rows: Sequence[dict[str, Any]], children: Children
) -> Sequence[Row]:
    """Rows of one table, each with its sub-forms' rows under their keys."""
    for key, child in children.items():
        found = rows_of(session, child, [row["_id"] for row in rows])
        for row in rows:
            row[key] = found.get(row["_id"])
    return rows


@lru_cache(maxsize=1024)
def _by_id(table: Table, for_update: bool) -> Hot:
    """Built once for each table: building a statement costs more than running this one."""
    query = select(table).where(table.c._id == bindparam("id"))
    return Hot(query.with_for_update() if for_update else query)


HISTORY = Hot(insert(RecordHistory.__table__))  # type: ignore[arg-type]


def _remember(
    session: Session, table: Table, row: Row, action: str, in_force: int | None = None
) -> None:
    kept = {
        key: _plain(value)
        for key, value in row.items()
        if value is not None and key not in OWN_COLUMNS and not key.startswith("_blind_")
    }
    if in_force not in (None, row["_version"]):
        kept[KEPT_BY] = in_force
    HISTORY.later(
        session,
        {
            "form": table.name.removeprefix("form_"),
            "record_id": row["_id"],
            "revision": row["_revision"],
            "version": row["_version"],
            "at": row["_updated_at"],
            "by": row["_updated_by"],
            "action": action,
            "kept": kept,
        },
    )


def _plain(value: Any) -> Any:
    """A kept value as JSON; a sub-form's rows without their blanks."""
    if isinstance(value, list):
        return [
            {key: _plain(each) for key, each in one.items() if each is not None}
            if isinstance(one, dict)
            else one
            for one in value
        ]
    return value.isoformat() if isinstance(value, (datetime, date)) else value
