"""A formula over a form's records as SQL, in the asker's own eyes.

Every name becomes the column as the asker may know it (`visible`), a hop over a link only reaches
records the asker may read, so no formula tells more than the list itself would.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause
from sqlalchemy.orm import Session

from ..expressions import Typed
from ..expressions.columns import Columns, Joined, Link, Rows
from ..expressions.sql import to_sql
from ..expressions.sqlite import register
from ..identity.actor import Actor
from ..identity.permissions import Access, access
from ..store.child_rows import PLACE, RECORD
from ..store.database import connect_hooks
from .compute import env_of
from .shape import Shape, shape_of
from .visible import readable, visible


def _functions(driver: Any, dialect: str) -> None:
    if dialect == "sqlite":
        register(driver)


connect_hooks.append(_functions)


def lowered(
    session: Session, actor: Actor, asked: Access, shape: Shape, typed: Typed, where: bool = False
) -> ColumnElement[Any]:
    """The formula over one row of the form's table. Raises ExpressionError E_NOT_SQL.

    where: it stands alone as a condition, so that an index may serve it.
    """
    env = env_of(session, actor, {}, ZoneInfo(actor.time_zone))
    names = {path[0] for path in typed.reads}
    columns = columns_of(session, actor, asked, shape, shape.table, names)
    return to_sql(typed, columns, session.get_bind().dialect.name, env, where=where)


def columns_of(
    session: Session,
    actor: Actor,
    asked: Access,
    shape: Shape,
    table: FromClause,
    names: set[str],
) -> Columns:
    """The named fields as columns of the form's table (or an alias), as the asker may know them."""
    found: dict[str, Any] = {}
    for key in names:
        if shape.form.fields[key].encrypted:
            continue  # ciphertext answers no formula: the lowering says E_NOT_SQL
        if key in shape.rows:
            seen = readable(asked, shape, key, table)
            rows = shape.rows[key]
            found[key] = Rows(partial(_open_rows, session, actor, rows, table.c["_id"], seen))
            continue
        column = visible(asked, shape, key, table)
        target = shape.form.fields[key].link_form
        found[key] = Link(column, _opens(session, actor, target, column)) if target else column
    return found


def _open_rows(
    session: Session,
    actor: Actor,
    rows: Shape,
    record_id: ColumnElement[Any],
    seen: ColumnElement[bool],
) -> Joined:
    """A sub-form's rows, joined under a new name; none where the asker may not read the field."""
    table = rows.table.alias()
    columns: dict[str, Any] = {}
    for key, its in rows.form.fields.items():
        column = table.c[key]
        target = its.link_form
        columns[key] = Link(column, _opens(session, actor, target, column)) if target else column
    return Joined(table, (table.c[RECORD] == record_id) & seen, columns, (table.c[PLACE],))


def _opens(
    session: Session, actor: Actor, form_key: str, key: ColumnElement[Any]
) -> Callable[[], Joined]:
    """The linked record, joined under a new name at every use."""

    def opened() -> Joined:
        shape = shape_of(session, form_key)
        table = shape.table.alias()
        asked = access(session, actor, form_key)
        return Joined(
            table,
            (table.c._id == key) & asked.rows("read", table),
            columns_of(session, actor, asked, shape, table, set(shape.form.fields)),
        )

    return opened
