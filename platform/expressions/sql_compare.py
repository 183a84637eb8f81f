"""Comparison in SQL: null-safe, exact, and bare on a column where an index may serve."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, false, func, literal
from sqlalchemy import and_ as sql_and
from sqlalchemy import not_ as sql_not
from sqlalchemy import or_ as sql_or

from .arithmetic import WIDE
from .columns import Link, Rows, not_sql
from .scope import BOOL, DATETIME
from .tree import Field, Op, Resolved, is_constant

if TYPE_CHECKING:
    from .sql import Lowering

Condition = ColumnElement[bool]
ORDERS = {"lt": lt, "le": le, "gt": gt, "ge": ge}
MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}


def binary(lowering: Lowering) -> str:
    """The collation that orders text by code point."""
    return "BINARY" if lowering.sqlite else "C"


def guarded(condition: Condition, positive: bool) -> Condition:
    """NULL as FALSE, unless it stands where that makes no difference."""
    return condition if positive else func.coalesce(condition, false())


def compare(lowering: Lowering, node: Op, positive: bool) -> Condition:
    """eq, ne, lt, le, gt, ge and in_values."""
    if any(arg.type.kind in ("any", "list") for arg in node.args):
        raise not_sql(node.place)
    if node.op == "in_values":
        return _among(lowering, node, positive)
    op, (left, right) = node.op, node.args
    if is_constant(left):
        op, left, right = MIRRORED[op], right, left
    if not is_constant(right):
        return _sides(lowering, op, left, right, positive)
    value = lowering.evaluated(right)
    if value is None:
        if op in ORDERS:
            return false()
        blank = lowering.blank(left)
        return blank if op == "eq" else sql_not(blank)
    if isinstance(left, Op) and left.op == "day_of_moment" and not is_constant(left):
        ranged = _on_day(lowering, op, left.args[0], value, positive)
        if ranged is not None:
            return ranged
    raw = bare(lowering, left)
    if raw is not None:
        scaled = _scaled(op, raw[0], Decimal(value).scaleb(raw[1], WIDE), positive)
        if scaled is not None:
            return scaled
    return _ordered(
        lowering, op, lowering.value(left), lowering.parameter(value, right.type), left, positive
    )


def bare(lowering: Lowering, node: Resolved) -> tuple[ColumnElement[Any], int] | None:
    """The raw column and the scale of a number that is nothing but a column."""
    if not isinstance(node, Field) or node.type.kind != "number":
        return None
    column = lowering.column(node)
    if isinstance(column, Link | Rows):
        return None
    return column, node.type.scale


def _scaled(op: str, column: Any, wanted: Decimal, positive: bool) -> Condition | None:
    """A scaled column against a number brought to its scale: whole numbers on both sides."""
    exact = wanted == wanted.to_integral_value()
    if op in ("eq", "ne") and not exact:
        return None
    if not exact:
        up = op in ("lt", "ge")  # x < 2.5 as x < 3, x >= 2.5 as x >= 3, x <= 2.5 as x <= 2
        wanted = wanted.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    if not -(2**63) <= wanted < 2**63:
        return None
    whole = literal(int(wanted), BigInteger())
    if op == "eq":
        return guarded(column == whole, positive)
    if op == "ne":
        return column.is_distinct_from(whole)  # type: ignore[no-any-return]
    return guarded(ORDERS[op](column, whole), positive)


def _sides(
    lowering: Lowering, op: str, left: Resolved, right: Resolved, positive: bool
) -> Condition:
    """Two sides of which neither is known."""
    raws = bare(lowering, left), bare(lowering, right)
    if raws[0] is not None and raws[1] is not None and raws[0][1] == raws[1][1]:
        one, other = raws[0][0], raws[1][0]
        if op in ORDERS:
            return guarded(ORDERS[op](one, other), positive)
    else:
        one, other = lowering.value(left), lowering.value(right)
    if op == "eq":
        return one.is_not_distinct_from(other)
    if op == "ne":
        return one.is_distinct_from(other)
    return _ordered(lowering, op, one, other, left, positive)


def _ordered(
    lowering: Lowering,
    op: str,
    left: ColumnElement[Any],
    right: ColumnElement[Any],
    node: Resolved,
    positive: bool,
) -> Condition:
    kind = node.type.kind
    if op == "eq":
        return guarded(left == right, positive)
    if op == "ne":
        return left.is_distinct_from(right)
    if kind == "number" and lowering.sqlite:
        order = func.x_compare(left, right, type_=BigInteger())
        return guarded(ORDERS[op](order, 0), positive)
    if kind == "text":
        left = left.collate(binary(lowering))
    return guarded(ORDERS[op](left, right), positive)


def _on_day(
    lowering: Lowering, op: str, moment: Resolved, day: date, positive: bool
) -> Condition | None:
    """The clinic's day of a moment against a day, as a range of moments, which an index serves."""
    zone = lowering.env.zone
    try:
        first = datetime.combine(day, time(), zone).astimezone(UTC)
        after = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    except OverflowError:
        return None
    at = lowering.value(moment)
    begin, end = (lowering.parameter(edge, DATETIME) for edge in (first, after))
    if op in ("eq", "ne"):
        inside = sql_and(at >= begin, at < end)
        return guarded(inside, positive) if op == "eq" else sql_not(guarded(inside, False))
    edges: dict[str, Condition] = {
        "lt": at < begin,
        "le": at < end,
        "gt": at >= end,
        "ge": at >= begin,
    }
    return guarded(edges[op], positive)


def _among(lowering: Lowering, node: Op, positive: bool) -> Condition:
    """`x in (…)`."""
    subject, choices = node.args[0], node.args[1:]
    plain = not is_constant(subject) and not (
        isinstance(subject, Op) and subject.op == "day_of_moment"
    )
    known = all(is_constant(choice) for choice in choices)
    if not (plain and known):
        pairs = (Op("eq", (subject, choice), BOOL, node.place) for choice in choices)
        return sql_or(*(compare(lowering, pair, positive) for pair in pairs))
    values = [lowering.evaluated(choice) for choice in choices]
    given = [value for value in values if value is not None]
    conditions: list[Condition] = []
    raw = bare(lowering, subject)
    if raw is not None:
        scaled = [Decimal(value).scaleb(raw[1], WIDE) for value in given]
        whole = [
            int(value)
            for value in scaled
            if value == value.to_integral_value() and abs(value) < 2**63
        ]
        conditions.append(guarded(raw[0].in_(whole), positive))
    elif given:
        found = [lowering.parameter(value, subject.type) for value in given]
        conditions.append(guarded(lowering.value(subject).in_(found), positive))
    if len(given) < len(values):
        conditions.append(lowering.blank(subject))
    return sql_or(*conditions)
