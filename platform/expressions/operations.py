"""What every operation of the resolved tree does, as a plain Python function.

This table is the authority: the closures call these functions, SQLite has them registered, and
PostgreSQL and the browser carry their own spelling of each, held to it by tests/expressions.json.
Unless `strict` is off, an operation is called with no blank argument and is blank otherwise
(`otherwise` False for tests, which are never blank). `zone`: the clinic's zone comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from . import arithmetic as n
from . import days as d
from . import wording as t
from . import workdays as w


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its Python face and how it takes blank."""

    face: Callable[..., Any]
    strict: bool = True
    zone: bool = False
    otherwise: bool | None = None


def identity(value: Any) -> Any:
    """What equality compares: a row by its id."""
    return value.get("_id") if hasattr(value, "get") else value


def _class(value: Any) -> str:
    for kind in (bool, int | Decimal | float, str, datetime, date, timedelta):
        if isinstance(value, kind):
            return str(kind)
    return "other"


def equal(a: Any, b: Any) -> bool:
    """Blank equals blank only; rows compare by id; nothing of one kind equals another kind."""
    if a is None or b is None:
        return a is b
    a, b = identity(a), identity(b)
    return bool(a == b) and _class(a) == _class(b)


def text_of_any(value: Any, zone: Any) -> str | None:
    """The text of a value whose type is known only now."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return d.text_of_moment(value, zone)
    if isinstance(value, date):
        return value.isoformat()
    number = n.decimal_of(value)
    return None if number is None else n.text_of(number)


def in_values(value: Any, *choices: Any) -> bool:
    return any(equal(value, choice) for choice in choices)


def in_list(value: Any, values: Sequence[Any] | None) -> bool:
    return value is not None and any(equal(value, item) for item in values or ())


def _some(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def list_count_equal(values: Sequence[Any] | None, wanted: Any) -> Decimal:
    if wanted is None:
        return n.ZERO
    return Decimal(sum(1 for value in values or () if equal(value, wanted)))


def list_unique(values: Sequence[Any] | None) -> list[Any] | None:
    """Each value once, in the order it first came."""
    seen: dict[Hashable, Any] = {}
    for value in values or ():
        seen.setdefault(identity(value), value)
    return list(seen.values()) or None


def _least(values: Sequence[Any]) -> Any:
    return min(values) if values else None


def _most(values: Sequence[Any]) -> Any:
    return max(values) if values else None


OPERATIONS: dict[str, Operation] = {
    "add": Operation(n.add),
    "sub": Operation(n.sub),
    "mul": Operation(n.mul),
    "div": Operation(n.div),
    "neg": Operation(n.neg),
    "mod": Operation(n.mod),
    "power": Operation(n.power),
    "abs": Operation(n.absolute),
    "int": Operation(n.integer),
    "round": Operation(n.round_half),
    "round_up": Operation(n.round_up),
    "round_down": Operation(n.round_down),
    "value_of": Operation(n.value_of),
    "text_of_number": Operation(n.text_of),
    "format_number": Operation(n.format_number),
    "len": Operation(t.length),
    "left": Operation(t.left),
    "right": Operation(t.right),
    "mid": Operation(t.mid),
    "upper": Operation(t.upper),
    "lower": Operation(t.lower),
    "trim": Operation(t.trim),
    "contains": Operation(t.contains, otherwise=False),
    "starts_with": Operation(t.starts_with, otherwise=False),
    "ends_with": Operation(t.ends_with, otherwise=False),
    "replace": Operation(t.replace, strict=False),
    "concat": Operation(t.concat, strict=False),
    "phone_mask": Operation(t.phone_mask),
    "date_of": Operation(d.date_of),
    "date_of_text": Operation(d.date_of_text),
    "day_of_moment": Operation(d.day_of_moment, zone=True),
    "year": Operation(d.year),
    "month": Operation(d.month),
    "day": Operation(d.day_of_month),
    "hour": Operation(d.hour, zone=True),
    "minute": Operation(d.minute, zone=True),
    "weekday": Operation(d.weekday),
    "date_add": Operation(d.date_add),
    "moment_add": Operation(d.moment_add, zone=True),
    "date_diff": Operation(d.date_diff),
    "moment_diff": Operation(d.moment_diff, zone=True),
    "edate": Operation(d.edate),
    "eomonth": Operation(d.eomonth),
    "workday": Operation(w.workday),
    "networkdays": Operation(w.networkdays),
    "age": Operation(d.age),
    "duration": Operation(d.duration_of),
    "add_days": Operation(d.add_days),
    "days_add": Operation(lambda days, day: d.add_days(day, days)),
    "sub_days": Operation(lambda day, days: d.add_days(day, n.neg(days))),
    "days_between": Operation(d.days_between),
    "add_span": Operation(d.add_span),
    "span_add": Operation(lambda span, moment: d.add_span(moment, span)),
    "sub_span": Operation(d.sub_span),
    "span_between": Operation(lambda a, b: a - b),
    "spans_add": Operation(d.spans_add),
    "spans_sub": Operation(d.spans_sub),
    "span_neg": Operation(lambda span: -span),
    "text_of_date": Operation(lambda day: day.isoformat()),
    "text_of_moment": Operation(d.text_of_moment, zone=True),
    "text_of_any": Operation(text_of_any, zone=True),
    "format_date": Operation(d.format_date),
    "format_moment": Operation(d.format_moment, zone=True),
    "eq": Operation(equal, strict=False),
    "ne": Operation(lambda a, b: not equal(a, b), strict=False),
    "lt": Operation(lambda a, b: a < b, otherwise=False),
    "le": Operation(lambda a, b: a <= b, otherwise=False),
    "gt": Operation(lambda a, b: a > b, otherwise=False),
    "ge": Operation(lambda a, b: a >= b, otherwise=False),
    "not": Operation(lambda a: not a, strict=False),
    "truth": Operation(lambda a: a is True, strict=False),
    "isblank": Operation(lambda a: a is None, strict=False),
    "in_values": Operation(in_values, strict=False),
    "in_list": Operation(in_list, strict=False),
    "sum_of": Operation(lambda *a: n.total(_some(a)), strict=False),
    "avg_of": Operation(lambda *a: n.average(_some(a)), strict=False),
    "min_of": Operation(lambda *a: _least(_some(a)), strict=False),
    "max_of": Operation(lambda *a: _most(_some(a)), strict=False),
    "count_of": Operation(lambda *a: Decimal(len(_some(a))), strict=False),
    "list_sum": Operation(lambda a: n.total(a or ()), strict=False),
    "list_avg": Operation(lambda a: n.average(a or ()), strict=False),
    "list_min": Operation(lambda a: _least(a or ()), strict=False),
    "list_max": Operation(lambda a: _most(a or ()), strict=False),
    "list_count": Operation(lambda a: Decimal(len(a or ())), strict=False),
    "list_any": Operation(lambda a: any(a or ()), strict=False),
    "list_all": Operation(lambda a: all(a or ()), strict=False),
    "list_first": Operation(lambda a: a[0] if a else None, strict=False),
    "list_last": Operation(lambda a: a[-1] if a else None, strict=False),
    "list_unique": Operation(list_unique, strict=False),
    "list_count_equal": Operation(list_count_equal, strict=False),
}

# Operations the evaluators treat themselves: lazy ones, and those that read the surroundings.
LAZY = frozenset({"if", "switch", "and", "or", "ifblank"})
BOUND = frozenset({"today", "now", "me", "myorg", "has_role"})
