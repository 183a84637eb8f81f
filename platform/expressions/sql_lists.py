"""Lists, row forms and measures in SQL: subqueries over a sub-form, aggregates over a group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Text,
    case,
    cast,
    func,
    literal,
    not_,
    select,
)
from sqlalchemy import exists as sql_exists
from sqlalchemy.dialects.postgresql import JSONB

from .columns import Columns, Joined, Link, Rows, not_sql, sql_type
from .scope import ANY, NUMBER, Type
from .sql_compare import bare, binary
from .tree import Each, Field, Group, Keep, Op, Resolved

if TYPE_CHECKING:
    from .sql import Lowering

HALF = 31  # bits: a SQLite sum of 64-bit numbers may overflow, sums of their halves cannot


@dataclass(frozen=True)
class Many:
    """A list in SQL: its tables (none for a measure's group), what ties and filters them, the
    value of each row (None for rows as such), the raw scaled column where it is nothing else."""

    sources: tuple[FromClause, ...]
    where: tuple[ColumnElement[bool], ...]
    columns: Columns
    order: Sequence[ColumnElement[Any]]
    kind: Type
    value: ColumnElement[Any] | None = None
    raw: tuple[ColumnElement[Any], int] | None = None
    distinct: bool = False
    grouped: bool = False


def many(lowering: Lowering, node: Resolved) -> Many:
    """The list a node stands for. Raises E_NOT_SQL for lists that no table holds."""
    if isinstance(node, Field):
        return _field(lowering, node)
    if isinstance(node, Group):
        columns = lowering.frames[-1]
        return Many((), (), columns, (), node.type.of or ANY, grouped=True)
    if isinstance(node, Op) and node.op == "list_unique":
        return replace(many(lowering, node.args[0]), distinct=True)
    if isinstance(node, Keep):
        rows = many(lowering, node.rows)
        kept = _inside(lowering, rows, lambda: lowering.condition(node.where, True))
        return replace(rows, where=(*rows.where, kept))
    if isinstance(node, Each):
        return _each(lowering, node)
    raise not_sql(node.place)


def _field(lowering: Lowering, node: Field) -> Many:
    column = lowering.column(node)
    item = node.type.of or ANY
    if isinstance(column, Rows):
        opened = column.open()
        return Many((opened.source,), (opened.on,), opened.columns, opened.order, item)
    if isinstance(column, Link) or item.kind != "text":
        raise not_sql(node.place, node.key)
    if lowering.sqlite:
        found = func.json_each(column).table_valued("value", "key")
        value, order = cast(found.c.value, Text), found.c.key
    else:
        tree = cast(column, JSONB)
        array = case((func.jsonb_typeof(tree) == "array", tree))
        elements = func.jsonb_array_elements_text(array)
        found = elements.table_valued("value", with_ordinality="at")
        found = found.render_derived()
        value, order = cast(found.c.value, Text), found.c.at
    return Many((found,), (found.c.value.is_not(None),), {}, (order,), item, value)


def _each(lowering: Lowering, node: Each) -> Many:
    rows = many(lowering, node.rows)
    kind = node.body.type
    if kind.kind == "bool":
        value = _inside(lowering, rows, lambda: lowering.condition(node.body))
        return replace(rows, value=value, kind=kind)
    value = _inside(lowering, rows, lambda: lowering.value(node.body))
    raw = _inside(lowering, rows, lambda: bare(lowering, node.body))
    where = (*rows.where, value.is_not(None))
    return replace(rows, value=value, raw=raw, kind=kind, where=where)


def _inside(lowering: Lowering, rows: Many, lower: Callable[[], Any]) -> Any:
    """Lower a body against the columns of the rows."""
    if rows.grouped:
        return lower()
    lowering.frames.append(rows.columns)
    try:
        return lower()
    finally:
        lowering.frames.pop()


def folded(found: Many, aggregate: Callable[[Many], ColumnElement[Any]]) -> ColumnElement[Any]:
    """An aggregate over the list: of the group itself, or as a subquery.

    The values come from a table of their own: an aggregate over nothing but outer columns, as in
    SUM(items, parent.price), would belong to the outer query.
    """
    if found.grouped:
        made: Any = aggregate(found)
        return made.filter(*found.where) if found.where else made  # type: ignore[no-any-return]
    chosen = found.value if found.value is not None else literal(1)
    raw = [] if found.raw is None else [found.raw[0].label("raw")]
    rows = select(chosen.label("value"), *raw).select_from(*found.sources).where(*found.where)
    inner = rows.correlate_except(*found.sources).subquery()
    moved = replace(
        found,
        value=None if found.value is None else inner.c.value,
        raw=None if found.raw is None else (inner.c.raw, found.raw[1]),
    )
    return select(aggregate(moved)).select_from(inner).scalar_subquery()


def exists(lowering: Lowering, found: Many) -> ColumnElement[bool]:
    """Whether the list has anything in it."""
    if found.grouped:
        return folded(found, lambda _: func.count()) > 0
    query = select(literal(1)).select_from(*found.sources).where(*found.where)
    return sql_exists(query.correlate_except(*found.sources))


def select_one(opened: list[Joined], inner: ColumnElement[Any]) -> ColumnElement[Any]:
    """The one value at the end of a link."""
    sources = [joined.source for joined in opened]
    query = select(inner).select_from(*sources).where(*(joined.on for joined in opened))
    return query.correlate_except(*sources).limit(1).scalar_subquery()


def condition(lowering: Lowering, node: Op) -> ColumnElement[bool]:
    """in_list, list_any, list_all."""
    if node.op == "in_list":
        found = many(lowering, node.args[1])
        wanted = lowering.value(node.args[0], found.kind)
        if found.value is None or found.grouped:
            raise not_sql(node.place)
        return exists(lowering, replace(found, where=(*found.where, found.value == wanted)))
    found = many(lowering, node.args[0])
    if found.value is None:
        raise not_sql(node.place)
    test = found.value if node.op == "list_any" else not_(found.value)
    hit = exists(lowering, replace(found, where=(*found.where, test)))
    return hit if node.op == "list_any" else not_(hit)


def value(lowering: Lowering, node: Op) -> ColumnElement[Any]:
    """The list operations that answer one value."""
    made = _FOLDS.get(node.op)
    if made is None:
        raise not_sql(node.place, node.op)
    found = many(lowering, node.args[0])
    if found.value is None and node.op != "list_count":
        raise not_sql(node.place)
    return made(lowering, node, found)


def _distinct(found: Many) -> ColumnElement[Any]:
    assert found.value is not None
    return found.value.distinct() if found.distinct else found.value


def _counted(found: Many) -> ColumnElement[Any]:
    return func.count() if found.value is None else func.count(_distinct(found))


def _count(lowering: Lowering, node: Op, found: Many) -> ColumnElement[Any]:
    return lowering.unscaled(cast(folded(found, _counted), BigInteger), 0)


def _count_equal(lowering: Lowering, node: Op, found: Many) -> ColumnElement[Any]:
    wanted = lowering.value(node.args[1], found.kind)
    if found.value is None:
        raise not_sql(node.place)
    return _count(lowering, node, replace(found, where=(*found.where, found.value == wanted)))


def _sum(lowering: Lowering, node: Op, found: Many) -> ColumnElement[Any]:
    number = sql_type(NUMBER)
    if not lowering.sqlite:
        exact: Any = func.coalesce(folded(found, lambda m: func.sum(_distinct(m))), 0)
        return lowering.call("fit", exact, kind=node.type)
    if found.raw is None or found.distinct:
        total = folded(found, lambda m: func.x_total(_distinct(m)))
        return func.coalesce(total, 0, type_=number)

    def half(found: Many, sign: str, by: int) -> ColumnElement[Any]:
        assert found.raw is not None
        return func.sum(found.raw[0].op(sign)(by))

    high = folded(found, lambda m: half(m, ">>", HALF))
    low = folded(found, lambda m: half(m, "&", 2**HALF - 1))
    return func.x_halves(high, low, found.raw[1], type_=number)


def _average(lowering: Lowering, node: Op, found: Many) -> ColumnElement[Any]:
    number = sql_type(NUMBER)
    if lowering.sqlite:
        return folded(found, lambda m: func.x_average(_distinct(m), type_=number))
    total = folded(found, lambda m: func.sum(_distinct(m)))
    count = cast(folded(found, _counted), number)
    return lowering.call("x_div", total, count, kind=node.type)


def _extreme(lowering: Lowering, node: Op, found: Many) -> ColumnElement[Any]:
    most = node.op == "list_max"
    native: Any = func.max if most else func.min
    if lowering.sqlite and found.kind.kind == "number":
        if found.raw is None:
            fold: Any = func.x_most if most else func.x_least
            return folded(found, lambda m: fold(m.value, type_=sql_type(NUMBER)))
        edge = folded(found, lambda m: native(m.raw[0] if m.raw else None))
        return lowering.unscaled(edge, found.raw[1])
    kind, order = found.kind, binary(lowering)

    def best(found: Many) -> ColumnElement[Any]:
        assert found.value is not None
        chosen = found.value.collate(order) if kind.kind == "text" else found.value
        made: ColumnElement[Any] = native(chosen, type_=sql_type(kind))
        return made

    return folded(found, best)


def _end(lowering: Lowering, node: Op, found: Many) -> ColumnElement[Any]:
    """FIRST and LAST; the last of distinct values has no order to go by."""
    last = node.op == "list_last"
    if found.grouped or not found.order or (last and found.distinct):
        raise not_sql(node.place, node.op)
    assert found.value is not None
    order = [part.desc() if last else part.asc() for part in found.order]
    query = select(found.value).select_from(*found.sources).where(*found.where)
    return query.order_by(*order).limit(1).correlate_except(*found.sources).scalar_subquery()


_FOLDS: dict[str, Callable[[Lowering, Op, Many], ColumnElement[Any]]] = {
    "list_count": _count,
    "list_count_equal": _count_equal,
    "list_sum": _sum,
    "list_avg": _average,
    "list_min": _extreme,
    "list_max": _extreme,
    "list_first": _end,
    "list_last": _end,
}
