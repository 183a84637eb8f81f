"""A formula over a form's records as SQL, in the asker's own eyes.

Every name becomes the column as the asker may know it (`visible`), a hop over a link only reaches
records the asker may read, so no formula tells more than the list itself would.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    and_,
    cast,
    null,
    select,
    true,
)
from sqlalchemy import type_coerce as meant_as
from sqlalchemy.orm import Session

from ..definitions.fields import Field
from ..definitions.form import Form
from ..definitions.form_scope import published_forms, scope_of
from ..definitions.understood import misread
from ..expressions import Env, ExpressionError, Me, Typed, check
from ..expressions.columns import Columns, Joined, Link, Rows
from ..expressions.counting import charge_search
from ..expressions.environment import Search
from ..expressions.sql import to_sql, whole
from ..expressions.sql_search import search_to_sql
from ..expressions.sqlite import register
from ..expressions.tree import Op, linking
from ..identity.actor import Actor
from ..identity.permissions import Access, access
from ..store.child_rows import PLACE, RECORD
from ..store.columns import LARGEST, STORAGES
from ..store.database import connect_hooks
from ..store.errors import NotUnderstood
from ..store.kept import kept
from ..store.session import moment
from . import related
from .record import record_of
from .shape import Shape, shape_of
from .visible import blank_unless, readable, visible

NUMBERS = ("scaled", "whole")


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
    env = _env(session, actor)
    names = {path[0] for path in typed.reads}
    columns = columns_of(session, actor, asked, shape, shape.table, names)
    return to_sql(typed, columns, session.get_bind().dialect.name, env, where=where)


def _env(session: Session, actor: Actor) -> Env:
    """What is the asker's of a formula: their day, and who they are."""
    roles = frozenset(grant.role for grant in actor.grants)
    me = Me(actor.person_id, actor.unit_id, roles)
    zone = ZoneInfo(actor.time_zone)
    return Env(now=moment(session), zone=zone, me=me, lookup=searcher(session, actor))


def searcher(session: Session, actor: Actor) -> Callable[[str, Search], dict[str, Any] | None]:
    """LOOKUP: the first record in use, the oldest, that fits and that the actor may read; what
    they may not see of it is blank, and fits nothing.

    Raises ExpressionError E_NOT_SQL for a condition that the database cannot be asked, E_STEPS
    for too many questions.
    """

    def search(form_key: str, wanted: Search) -> dict[str, Any] | None:
        shape, asked = shape_of(session, form_key), access(session, actor, form_key)
        table, names = shape.table, {*shape.specs, *shape.rows}
        columns = columns_of(session, actor, asked, shape, table, names)
        env = wanted.outer.env
        charge_search(env, wanted.where.place)
        fits = search_to_sql(wanted, columns, session.get_bind().dialect.name, env)
        query = select(table).where(table.c._retired_at.is_(None), asked.rows("read", table), fits)
        row = session.execute(query.order_by(table.c._id).limit(1)).mappings().first()
        if row is None:
            return None
        (whole,) = shape.whole(session, [row])
        return dict(record_of(shape, whole, asked).read)

    return search


def column_text(its: Field) -> str:
    """The formula of the field's column: of a number the whole one that would be kept."""
    if its.storage not in NUMBERS:
        return its.value or ""
    return f"ROUND(({its.value}), {its.scale}) * {10**its.scale}"


def live_column(
    session: Session, actor: Actor, asked: Access, shape: Shape, key: str, table: FromClause
) -> ColumnElement[Any]:
    """A live field as a column would hold it, over the form's table or an alias.

    As with a computed value that is kept, whoever may read it need not read the fields of the
    record that it follows from (by itself it is hidden with them); linked records they must.
    """
    form, its = shape.form, shape.form.fields[key]
    typed = kept(session, ("live", form.key, form.version), lambda: _live(session, form)).get(key)
    if typed is None or not all(related.may_know(session, actor, path) for path in typed.reads):
        return cast(null(), STORAGES[its.storage].type)
    env = _env(session, actor)
    columns = _own(session, actor, shape, table, {path[0] for path in typed.reads})
    dialect = session.get_bind().dialect.name
    found = to_sql(typed, columns, dialect, env)
    if _counts(typed):
        return cast(found, BigInteger)
    if its.storage in NUMBERS:  # beyond what a number may be it is blank
        return whole(found, LARGEST, dialect)
    return meant_as(found, STORAGES[its.storage].type)


def _live(session: Session, form: Form) -> Mapping[str, Typed]:
    scope = scope_of(form, published_forms(session), valued=True)
    found: dict[str, Typed] = {}
    for key, its in form.fields.items():
        if not its.live:
            continue
        try:
            found[key] = check(column_text(its), scope)
        except NotUnderstood:  # a linked form: as long as nobody can read it, this is blank
            continue
        except ExpressionError as error:
            raise misread("form", form.key, form.version, form.document, error) from error
        if its.storage in NUMBERS and not its.scale:
            asked = check(its.value or "", scope)
            found[key] = asked if _counts(asked) else found[key]
    return found


def _counts(typed: Typed) -> bool:
    """Whether it says how many, a whole number to begin with: to round it and to see whether it
    is too large would have every row counted over and over."""
    return isinstance(typed.node, Op) and typed.node.op == "list_count"


def _own(
    session: Session, actor: Actor, shape: Shape, table: FromClause, names: set[str]
) -> Columns:
    """The named fields as they are; what they link to, as the asker may know it."""
    found: dict[str, Any] = {}
    for key in names:
        if linked := linking(key):
            found[key] = Rows(partial(_open_related, session, actor, *linked, table))
            continue
        if shape.form.fields[key].encrypted:
            continue
        if key in shape.rows:
            opened = partial(_open_rows, session, actor, shape.rows[key], table.c["_id"], true())
            found[key] = Rows(opened)
            continue
        column, target = table.c[key], shape.form.fields[key].link_form
        found[key] = Link(column, _opens(session, actor, target, column)) if target else column
    return found


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
        if key in shape.live:
            worked_out = live_column(session, actor, asked, shape, key, table)
            found[key] = blank_unless(asked, key, table, worked_out)
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


def _open_related(
    session: Session, actor: Actor, form_key: str, link: str, to: FromClause
) -> Joined:
    """RELATED: the records in use that link to the row at hand, as far as the asker may know."""
    shape, asked = shape_of(session, form_key), access(session, actor, form_key)
    table = shape.table.alias()
    on = and_(
        table.c[link] == to.c["_id"],
        table.c["_retired_at"].is_(None),
        asked.rows("read", table),
        readable(asked, shape, link, table),
    )
    columns = columns_of(session, actor, asked, shape, table, {*shape.specs, *shape.rows})
    return Joined(table, on, columns, (table.c["_id"],))


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
            columns_of(session, actor, asked, shape, table, {*shape.specs, *shape.rows}),
        )

    return opened
