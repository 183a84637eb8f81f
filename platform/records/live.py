"""Live values (see `definitions/live`): worked out in SQL for the rows at hand, as one asker may
know them. Today is the asker's own; what they may not read of a linked record is blank."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, select
from sqlalchemy.orm import Session

from ..identity.actor import Actor
from ..identity.permissions import Access
from .lowered import live_column
from .record import Record, record_of
from .shape import Shape
from .visible import blank_unless, visible


def seen_column(
    session: Session,
    actor: Actor,
    asked: Access,
    shape: Shape,
    key: str,
    table: FromClause | None = None,
) -> ColumnElement[Any]:
    """The column of any field, kept or live, blank where the asker may not read it."""
    table = shape.table if table is None else table
    if not shape.form.fields[key].live:
        return visible(asked, shape, key, table)
    return blank_unless(asked, key, table, live_column(session, actor, asked, shape, key, table))


def with_live(
    session: Session, asked: Access, shape: Shape, rows: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """Rows of the form's table with their live values, in as many as the asker may see."""
    if not shape.live or not rows:
        return rows
    table = shape.table
    columns = [
        live_column(session, asked.actor, asked, shape, key, table).label(key) for key in shape.live
    ]
    wanted = table.c._id.in_([row["_id"] for row in rows])
    found = {
        row["_id"]: {key: row[key] for key in shape.live}
        for row in session.execute(select(table.c._id, *columns).where(wanted)).mappings()
    }
    return [{**row, **found[row["_id"]]} for row in rows]


def as_seen(session: Session, asked: Access, shape: Shape, row: Mapping[str, Any]) -> Record:
    """One row as the asker may see it, what is worked out when it is read among it."""
    return record_of(shape, with_live(session, asked, shape, [row])[0], asked)
