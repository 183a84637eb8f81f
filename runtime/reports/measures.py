"""A measure -> the columns it is read from, and how its number comes of them.

Numbers stay whole in SQL (fields are scaled whole numbers, spans whole seconds) and become exact
decimals here; nothing is rounded before it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Double, Integer, func, funcfilter, literal

from ...platform.definitions.form_scope import form_scope
from ...platform.expressions import check
from ...platform.records.lowered import lowered
from ...platform.store.database import connect_hooks
from .definition import OVER_RECORDS, Measure, Report, measure_scope
from .hours import open_seconds
from .lens import Condition, Lens

Column = ColumnElement[Any]
Number = Decimal | None
Numbers = Mapping[str, Number]

EXACT = Context(prec=40)
HALF = 31  # bits: a SQLite sum of 64-bit numbers may overflow, sums of their halves cannot
MINUTE = 60


@dataclass(frozen=True)
class Counted:
    """A measure over records. parts: its columns; read: their values -> the number; behind: of
    the records of a group, those it counts."""

    key: str
    parts: tuple[Column, ...]
    read: Callable[[Sequence[Any]], Number]
    behind: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Quantity:
    """A whole number of each record, and by what it is divided to be what it means."""

    column: Column
    unit: Decimal


def counted(lens: Lens, wanted: Sequence[Condition]) -> list[Counted]:
    """The report's measures over records, as this reader may know them."""
    spans = {span.key: open_seconds(lens, span, wanted) for span in lens.report.spans}
    timed = Timed(lens, spans)
    return [
        _counted(lens, measure, timed)
        for measure in lens.report.measures
        if measure.kind in OVER_RECORDS
    ]


def _counted(lens: Lens, measure: Measure, timed: Timed) -> Counted:
    if measure.kind == "formula":
        return _formula(lens, measure)
    if measure.of in timed.spans:
        return timed.counted(measure)
    behind = () if measure.where is None else (lens.where(measure.where),)
    if not measure.of:
        return Counted(measure.key, (_over(func.count(), behind),), _as_it_is, behind)
    quantity = _quantity(lens, measure.of)
    parts, read = _AGGREGATES[measure.kind](quantity, lens.is_sqlite)
    of: Condition = quantity.column.is_not(None)
    if measure.most is not None:
        of = quantity.column <= int(measure.most * quantity.unit)
    # Only a count has to be told to pass over blanks; every other aggregate does so by itself.
    over = (*behind, of) if measure.kind == "count" else behind
    parts = tuple(_over(part, over) for part in parts)
    return Counted(measure.key, parts, read, (*behind, of))


@dataclass(frozen=True)
class Timed:
    """Measures of spans. Open time is dear to compute, so a group's seconds are fetched once, as a
    list, and folded here for each measure of them."""

    lens: Lens
    spans: Mapping[str, Column]
    lists: dict[tuple[str, str | None], Column] = field(default_factory=dict)

    def counted(self, measure: Measure) -> Counted:
        """One measure of a span: count, sum, avg, min, max or median, in minutes."""
        seconds = self.spans[measure.of]
        behind = () if measure.where is None else (self.lens.where(measure.where),)
        whose = (measure.of, measure.where)
        if whose not in self.lists:
            gather: Any = func.json_group_array if self.lens.is_sqlite else func.array_agg
            self.lists[whose] = _over(gather(seconds), behind)
        of: Condition = seconds.is_not(None)
        most = None if measure.most is None else measure.most * MINUTE
        if most is not None:
            of = seconds <= most

        def read(values: Sequence[Any]) -> Number:
            given = json.loads(values[0]) if isinstance(values[0], str) else values[0] or ()
            kept = [s for s in given if s is not None and (most is None or s <= most)]
            return folded(measure.kind, kept)

        return Counted(measure.key, (self.lists[whose],), read, (*behind, of))


def folded(kind: str, seconds: Sequence[int]) -> Number:
    """A number of a group's seconds: how many, or minutes; None where there are none."""
    if kind == "count":
        return Decimal(len(seconds))
    if kind == "sum":
        return EXACT.divide(Decimal(sum(seconds)), Decimal(MINUTE))
    if not seconds:
        return None
    if kind == "median":
        ordered, count = sorted(seconds), len(seconds)
        middles = ordered[(count - 1) // 2] + ordered[count // 2]
        return EXACT.divide(Decimal(middles), Decimal(2 * MINUTE))
    if kind == "avg":
        return EXACT.divide(Decimal(sum(seconds)), Decimal(len(seconds) * MINUTE))
    edge = min(seconds) if kind == "min" else max(seconds)
    return EXACT.divide(Decimal(edge), Decimal(MINUTE))


def _over(part: Any, behind: Sequence[Condition]) -> Column:
    """An aggregate over those records only."""
    return funcfilter(part, *behind) if behind else part


def _quantity(lens: Lens, key: str) -> Quantity:
    its = lens.field(key)
    scale = its.scale if its.storage == "scaled" else 0
    return Quantity(lens.column(key), Decimal(10) ** scale)


def _formula(lens: Lens, measure: Measure) -> Counted:
    scope = measure_scope(form_scope(lens.session, lens.report.form, live=True))
    typed = check(measure.formula, scope)
    column = lowered(lens.session, lens.actor, lens.asked, lens.shape, typed)
    return Counted(measure.key, (column,), _as_it_is)


def _as_it_is(values: Sequence[Any]) -> Number:
    return None if values[0] is None else Decimal(str(values[0]))


Aggregate = tuple[tuple[Any, ...], Callable[[Sequence[Any]], Number]]


def _count(quantity: Quantity, is_sqlite: bool) -> Aggregate:
    return (func.count(),), _as_it_is


def _sum(quantity: Quantity, is_sqlite: bool) -> Aggregate:
    return _halves(quantity), lambda values: _total(values, quantity.unit)


def _average(quantity: Quantity, is_sqlite: bool) -> Aggregate:
    def read(values: Sequence[Any]) -> Number:
        return divided(_total(values, quantity.unit), Decimal(values[2]))

    return (*_halves(quantity), func.count(quantity.column)), read


def _halves(quantity: Quantity) -> tuple[Any, ...]:
    column = quantity.column
    high, low = column.op(">>")(literal(HALF, Integer())), column.op("&")(2**HALF - 1)
    return func.sum(high), func.sum(low)


def _total(values: Sequence[Any], unit: Decimal) -> Decimal:
    whole = int(values[0] or 0) * 2**HALF + int(values[1] or 0)
    return EXACT.divide(Decimal(whole), unit)


def _edge(name: str) -> Callable[[Quantity, bool], Aggregate]:
    def made(quantity: Quantity, is_sqlite: bool) -> Aggregate:
        edge = getattr(func, name)(quantity.column)
        return (edge,), lambda values: _of(values[0], quantity.unit)

    return made


def _median(quantity: Quantity, is_sqlite: bool) -> Aggregate:
    """The middle number, of an even count the middle of the two in the middle."""
    column = quantity.column
    if is_sqlite:
        return (func.x_middles(column),), lambda values: _of(values[0], quantity.unit * 2)
    # The second one is the next number up where the count is even, for fewer than 5e8 records.
    middles = func.percentile_disc(literal([0.5, 0.500000001], ARRAY(Double))).within_group(column)
    return (middles,), lambda values: _of(values[0] and sum(values[0]), quantity.unit * 2)


def _of(whole: Any, unit: Decimal) -> Number:
    return None if whole is None else EXACT.divide(Decimal(int(whole)), unit)


_AGGREGATES: dict[str, Callable[[Quantity, bool], Aggregate]] = {
    "count": _count,
    "sum": _sum,
    "avg": _average,
    "min": _edge("min"),
    "max": _edge("max"),
    "median": _median,
}


def divided(number: Number, by: Number) -> Number:
    """A ratio; None where there is nothing to divide by."""
    return None if number is None or not by else EXACT.divide(number, by)


def finished(report: Report, numbers: Numbers, totals: Numbers) -> dict[str, Number]:
    """All of a group's numbers in the report's order: ratios and shares made of the others."""
    found: dict[str, Number] = {}
    for measure in report.measures:
        if measure.kind == "ratio":
            found[measure.key] = divided(numbers[measure.of], numbers[measure.by])
        elif measure.kind == "share":
            found[measure.key] = divided(numbers[measure.of], totals[measure.of])
        else:
            found[measure.key] = numbers[measure.key]
    return found


class Middles:
    """SQLite's median: the sum of the two numbers in the middle of a group, or twice the one."""

    def __init__(self) -> None:
        self.values: list[int] = []

    def step(self, value: int | None) -> None:
        if value is not None:
            self.values.append(value)

    def finalize(self) -> int | None:
        self.values.sort()
        count = len(self.values)
        return self.values[(count - 1) // 2] + self.values[count // 2] if count else None


def _functions(driver: Any, dialect: str) -> None:
    if dialect == "sqlite":
        driver.create_aggregate("x_middles", 1, Middles)


connect_hooks.append(_functions)
