"""A form's records, as one asker may see them: filter, sort, search, page, count, read one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Table,
    and_,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from ..definitions.fields import MANY, Field
from ..definitions.schema_check import nearest
from ..events.view_log import note
from ..identity.actor import Actor
from ..identity.permissions import Access, access
from ..store.errors import Malformed, NotFound, Problem
from ..store.letters import spelled, unspelled
from .filters import filter_clause
from .live import as_seen, seen_column, with_live
from .record import Record, may, record_of
from .search import search_clause
from .shape import Shape, shape_of
from .visible import in_order, known_fields

MOST_ROWS = 200
#: what stands in a column, by its field's storage; numbers are scaled, references are ids
KINDS: dict[str, type] = {
    "text": str,
    "bool": bool,
    "date": date,
    "time": str,
    "moment": datetime,
}
SYSTEM_SORTS = {"created_at": "_created_at", "updated_at": "_updated_at", "id": "_id"}


@dataclass(frozen=True)
class Page:
    """Some records. next: what asks for those after them; None at the end. total: when counted."""

    items: list[Record]
    next: str | None
    total: int | None


@dataclass(frozen=True)
class Sort:
    """One column to sort by; blanks come last either way. kind: of the values in it.
    live: worked out for each row, so that no index has its order."""

    column: ColumnElement[Any]
    descending: bool
    kind: type
    blanks: bool = True
    live: bool = False

    def order(self) -> list[ColumnElement[Any]]:
        """As ORDER BY has it."""
        ordered = self.column.desc() if self.descending else self.column.asc()
        return [self.column.is_(None), ordered] if self.blanks else [ordered]


def get(session: Session, actor: Actor, form_key: str, record_id: int) -> Record:
    """One record. Raises NotFound when there is none or the actor may not see it."""
    shape = shape_of(session, form_key)
    asked = access(session, actor, form_key)
    row = shape.read(session, record_id)
    if row is None or not may(asked, shape, "read", row):
        raise NotFound(form=form_key)
    if not actor.is_system:
        note(form_key, [record_id])
    return as_seen(session, asked, shape, row)


def may_do(session: Session, actor: Actor, form_key: str, record_id: int, action: str) -> bool:
    """Whether the actor may do something to a record as it stands; not to one they cannot see."""
    shape = shape_of(session, form_key)
    asked = access(session, actor, form_key)
    row = shape.read(session, record_id)
    return row is not None and all(may(asked, shape, each, row) for each in ("read", action))


def list_records(
    session: Session,
    actor: Actor,
    form_key: str,
    *,
    where: str | None = None,
    sort: Sequence[str] = (),
    limit: int = 20,
    cursor: str | None = None,
    search: str = "",
    count: bool = False,
    retired: bool = False,
    extra: Sequence[ColumnElement[bool]] = (),
) -> Page:
    """Records the actor may see, those that are in use.

    where: an expression over the form's fields. sort: keys, `-` before one for descending; the
    newest first without any. search: what somebody typed, see `search`. count: whether to count
    all that match. retired: those out of use instead. extra: further conditions of the house's
    own. Raises NotAllowed, Malformed (sort, cursor, limit) and Invalid (the expression).
    """
    shape = shape_of(session, form_key)
    asked = access(session, actor, form_key)
    if not 1 <= limit <= MOST_ROWS:
        raise Malformed("E_LIMIT", most=MOST_ROWS)
    wanted = matching(
        session, actor, form_key, where=where, search=search, extra=extra, retired=retired
    )
    total = None
    if count:
        total = session.execute(
            select(func.count()).select_from(shape.table).where(*wanted)
        ).scalar_one()
    sorts = _sorts(session, asked, shape, sort)
    mark = _decode(cursor, sorts) if cursor else None
    ordered = _worked_out if any(by.live for by in sorts) else _ordered
    rows = ordered(session, shape.table, wanted, sorts, mark, limit + 1)
    more = None
    if len(rows) > limit:
        more = _encode([rows[limit - 1][f"_s{i}"] for i in range(len(sorts))])
    if not actor.is_system:
        note(form_key, (row["_id"] for row in rows[:limit]), "list")
    found = with_live(session, asked, shape, shape.whole(session, rows[:limit]))
    asked.foresee([partial(shape.look, row) for row in found])
    return Page([record_of(shape, row, asked) for row in found], more, total)


def matching(
    session: Session,
    actor: Actor,
    form_key: str,
    *,
    where: str | None = None,
    search: str = "",
    extra: Sequence[ColumnElement[bool]] = (),
    retired: bool = False,
) -> list[ColumnElement[bool]]:
    """The clauses of the records the actor may see that match, as `list_records` asks for them.

    Raises NotAllowed, and Invalid for the expression.
    """
    shape = shape_of(session, form_key)
    asked = access(session, actor, form_key)
    asked.need("read")
    gone = shape.table.c._retired_at.is_not(None)
    wanted = [gone if retired else ~gone, asked.rows("read", shape.table), *extra]
    if where and where.strip():
        wanted.append(filter_clause(session, actor, asked, shape, where))
    if search.strip():
        wanted.append(search_clause(session, actor, asked, shape, search))
    return wanted


def _worked_out(
    session: Session,
    table: Table,
    wanted: Sequence[ColumnElement[bool]],
    sorts: Sequence[Sort],
    mark: Sequence[Any] | None,
    most: int,
) -> Sequence[RowMapping]:
    """The first rows in their order, as `_ordered` finds them, where a live value sorts: it is
    worked out once for each row, and kept while all are put in order; a database asked for it by
    its formula would do so at each mention."""
    columns = [by.column.label(f"_s{i}") for i, by in enumerate(sorts)]
    kept = select(*columns).where(*wanted).cte("kept").prefix_with("MATERIALIZED")
    sorts = [replace(by, column=kept.c[f"_s{i}"]) for i, by in enumerate(sorts)]
    query = select(table, *kept.c).join(kept, table.c._id == sorts[-1].column)
    if mark is not None:
        query = query.where(_after(sorts, mark))
    return _asked(session, query, sorts, most)


def _ordered(
    session: Session,
    table: Table,
    wanted: Sequence[ColumnElement[bool]],
    sorts: Sequence[Sort],
    mark: Sequence[Any] | None,
    most: int,
) -> Sequence[RowMapping]:
    """The first rows in their order, behind the mark if there is one.

    Those with a value to sort by are asked first, and those without only where they do not fill
    the page: so each question is answered in the order of an index, from its place on.
    """
    query = select(table, *(by.column.label(f"_s{i}") for i, by in enumerate(sorts))).where(*wanted)
    first, *others = sorts
    rows: list[RowMapping] = []
    if mark is None or mark[0] is not None:
        filled = replace(first, blanks=False)
        by = [filled, *others]
        part = query.where(first.column.is_not(None)) if first.blanks else query
        if mark is not None:
            part = part.where(_from(filled, mark[0]), _after(by, mark))
        rows += _asked(session, part, by, most)
        mark = None
    if first.blanks and len(rows) < most:
        part = query.where(first.column.is_(None))
        if mark is not None:
            part = part.where(_after(others, mark[1:]))
        rows += _asked(session, part, others, most - len(rows))
    return rows


def _asked(
    session: Session, query: Select[Any], sorts: Sequence[Sort], most: int
) -> Sequence[RowMapping]:
    ordered = query.order_by(*(part for by in sorts for part in by.order()))
    return session.execute(ordered.limit(most)).mappings().all()


def _from(by: Sort, plain: Any) -> ColumnElement[bool]:
    """The rows at a value or behind it; said besides `_after`, it is where an index begins."""
    value = literal(plain, by.column.type)
    return by.column <= value if by.descending else by.column >= value


def _sorts(session: Session, asked: Access, shape: Shape, keys: Sequence[str]) -> list[Sort]:
    sorts = []
    for text in keys:
        key = text.removeprefix("-")
        if key in SYSTEM_SORTS:
            column: ColumnElement[Any] = shape.table.c[SYSTEM_SORTS[key]]
            kind: type = int if key == "id" else datetime
            blanks, live = False, False
        elif key in shape.form.fields and _sortable(shape.form.fields[key]):
            column = _column(session, asked, shape, key)
            kind = KINDS.get(shape.form.fields[key].storage, int)
            blanks, live = True, shape.form.fields[key].live
        else:
            near = nearest(key, known_fields(asked, shape))
            raise Malformed(
                "E_SORT", [Problem("/sort", "E_UNKNOWN_FIELD", {"name": key[:40], "nearest": near})]
            )
        sorts.append(Sort(column, text.startswith("-"), kind, blanks, live))
    descending = sorts[0].descending if sorts else True
    return [*sorts, Sort(shape.table.c._id, descending, int, blanks=False)]


def _column(session: Session, asked: Access, shape: Shape, key: str) -> ColumnElement[Any]:
    if shape.form.fields[key].live:
        return seen_column(session, asked.actor, asked, shape, key)
    return in_order(asked, shape, key)


def _sortable(its: Field) -> bool:
    return its.storage not in MANY and not its.encrypted


def _after(sorts: Sequence[Sort], values: Sequence[Any]) -> ColumnElement[bool]:
    """The rows behind the one whose sort values these are."""
    ways: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for by, plain in zip(sorts, values, strict=True):
        if plain is None:
            equal.append(by.column.is_(None))
            continue
        value = literal(plain, by.column.type)  # true and false are compared like any other
        behind = by.column < value if by.descending else by.column > value
        ways.append(and_(*equal, or_(behind, by.column.is_(None)) if by.blanks else behind))
        equal.append(by.column == value)
    return or_(false(), *ways)


def _encode(values: Sequence[Any]) -> str:
    plain = [
        {"t": v.isoformat()}
        if isinstance(v, datetime)
        else {"d": v.isoformat()}
        if isinstance(v, date)
        else v
        for v in values
    ]
    return spelled(json.dumps(plain).encode())


def _decode(cursor: str, sorts: Sequence[Sort]) -> list[Any]:
    try:
        values = [_revive(value) for value in json.loads(unspelled(cursor))]
        if len(values) != len(sorts) or values[-1] is None:
            raise ValueError
        if not all(_fits(value, by.kind) for value, by in zip(values, sorts, strict=True)):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Malformed("E_CURSOR") from error
    return values


def _fits(value: Any, kind: type) -> bool:
    """Whether a mark's value may stand in a column: of its kind, and kept by every database."""
    if value is None:
        return True
    if kind is int:
        return type(value) is int and -(2**63) <= value < 2**63
    if kind is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None
    return type(value) is kind and not (isinstance(value, str) and "\0" in value)


def _revive(value: Any) -> Any:
    if isinstance(value, dict):
        if "t" in value:
            return datetime.fromisoformat(value["t"])
        return date.fromisoformat(value["d"])
    if value is not None and not isinstance(value, (str, int, bool)):
        raise ValueError
    return value
