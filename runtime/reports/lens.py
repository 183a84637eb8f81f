"""One report in one reader's eyes: the columns, groups, days and hours as they may know them.

A day or an hour of a record is one on its branch's clock; of a record without a branch, on the
reader's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    Text,
    and_,
    case,
    cast,
    extract,
    false,
    func,
    literal,
    or_,
)
from sqlalchemy.orm import Session

from ...platform.definitions.fields import Field
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import Access, access
from ...platform.identity.tree import tree
from ...platform.records.filters import filter_clause
from ...platform.records.live import seen_column
from ...platform.records.shape import Shape, shape_of
from ...platform.store.errors import Malformed
from ...platform.store.session import moment
from .definition import Dimension, Report
from .question import Question, today_of

#: China's clocks have not been changed since 1991; who changes theirs does so within these years
STEADY = (datetime(1992, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))

Column = ColumnElement[Any]
Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Lens:
    """A report's form and table, and who looks at it."""

    session: Session
    actor: Actor
    asked: Access
    shape: Shape
    report: Report

    @property
    def is_sqlite(self) -> bool:
        return self.session.get_bind().dialect.name == "sqlite"

    def field(self, key: str) -> Field:
        return self.shape.form.fields[key]

    def column(self, key: str) -> Column:
        """A field, blank where the reader may not read it."""
        return seen_column(self.session, self.actor, self.asked, self.shape, key)

    def where(self, text: str) -> Condition:
        """An expression over a record as a condition."""
        return filter_clause(self.session, self.actor, self.asked, self.shape, text)

    def today(self) -> date:
        return today_of(moment(self.session), self.actor.time_zone)

    def zones(self) -> Iterator[tuple[ZoneInfo, Sequence[int] | None]]:
        """The clocks there are with their units; last the reader's own, with None: all others."""
        others: dict[str, list[int]] = {}
        for place in tree(self.session).places.values():
            if place.time_zone != self.actor.time_zone:
                others.setdefault(place.time_zone, []).append(place.id)
        for name, units in sorted(others.items()):
            yield ZoneInfo(name), units
        yield ZoneInfo(self.actor.time_zone), None

    def by_zone(self, make: Callable[[ZoneInfo], Column]) -> Column:
        """A value that depends on the clock of the record's branch."""
        unit = self.shape.table.c._unit
        *others, (own, _) = self.zones()
        if not others:
            return make(own)
        cases = [(unit.in_(units or ()), make(zone)) for zone, units in others]
        return case(*cases, else_=make(own))

    def group(self, dimension: Dimension) -> Column:
        """What the records are grouped by: a field's value, a day, the first day of a week …"""
        column, grain = self.column(dimension.field), dimension.grain
        if grain is None:
            return column
        if self.field(dimension.field).storage == "date":
            return self._first_day(column, grain)
        if grain == "hour":
            return self.by_zone(lambda zone: self._hour(column, zone))
        return self.by_zone(lambda zone: self._first_day(self._day(column, zone), grain))

    def _hour(self, column: Column, zone: ZoneInfo) -> Column:
        if self.is_sqlite:
            asked = func.x_hour(column, zone.key, type_=Integer())
            return _shifted(
                column, zone, asked, lambda by: cast(func.strftime("%H", column, by), Integer)
            )
        return cast(extract("hour", func.timezone(zone.key, column)), Integer)

    def _day(self, column: Column, zone: ZoneInfo) -> Column:
        if self.is_sqlite:
            asked = func.x_day_of_moment(column, zone.key, type_=Date())
            return _shifted(column, zone, asked, lambda by: func.date(column, by, type_=Date()))
        return cast(func.timezone(zone.key, column), Date)

    def _first_day(self, day: Column, grain: str) -> Column:
        """The first day of the week, month, quarter or year that a day lies in."""
        if grain == "day":
            return day
        if not self.is_sqlite:
            return cast(func.date_trunc(grain, day), Date)
        if grain == "quarter":
            back = (cast(func.strftime("%m", day), BigInteger) - 1) % 3
            months = literal("-").concat(cast(back, Text)).concat(" months")
            return func.date(day, "start of month", months, type_=Date())
        steps = {"week": ("weekday 0", "-6 days"), "month": ("start of month",)}
        return func.date(day, *steps.get(grain, ("start of year",)), type_=Date())

    def wanted(self, question: Question) -> list[Condition]:
        """The records a question is about: alive, readable, of the report, period and filters."""
        table = self.shape.table
        found = [table.c._retired_at.is_(None), self.asked.rows("read", table)]
        if self.report.where is not None:
            found.append(self.where(self.report.where))
        found += [self._filter(key, value) for key, value in question.filters.items()]
        return found + self.within(*question.days(self.report, self.today()))

    def within(self, since: date | None, until: date | None) -> list[Condition]:
        """The records dated from one day to another, both included."""
        if self.report.date is None or (since is None and until is None):
            return []
        column = self.column(self.report.date)
        if self.field(self.report.date).storage == "date":
            return _between(column, since, until)
        zones = [(units, _instants(since, until, zone)) for zone, units in self.zones()]
        own = zones[-1][1]
        if len(zones) == 1:
            return _between(column, *own)
        unit = self.shape.table.c._unit
        apart = [at for units, _ in zones for at in units or ()]
        ways = [and_(unit.in_(units or ()), *_between(column, *days)) for units, days in zones[:-1]]
        ways.append(and_(or_(unit.is_(None), unit.not_in(apart)), *_between(column, *own)))
        # What lies outside on every clock is passed over by the column's index.
        begins = [begin for _, (begin, _) in zones if begin is not None]
        ends = [end for _, (_, end) in zones if end is not None]
        widest = _between(column, min(begins, default=None), max(ends, default=None))
        return [*widest, or_(*ways)]

    def _filter(self, key: str, value: str) -> Condition:
        if key not in self.report.filters:
            raise Malformed("E_REPORT_FILTER", name=key[:40])
        its, column = self.field(key), self.column(key)
        if its.type.name == "unit":
            below = tree(self.session).below(_id(value))
            return column.in_(below) if below else false()
        if its.type.name == "person":
            return column == _id(value)
        if its.type.name == "yesno":
            return column.is_(value == "true")
        return column == value


def lens_of(session: Session, actor: Actor, report: Report) -> Lens:
    """A report as its reader may see it. Raises NotAllowed unless they read the form at all."""
    asked = access(session, actor, report.form)
    asked.need("read")
    return Lens(session, actor, asked, shape_of(session, report.form), report)


@lru_cache(maxsize=64)
def _steady(zone: ZoneInfo) -> timedelta | None:
    """By how much a clock differs from UTC, if that does not change between STEADY's moments."""
    first, last = STEADY
    days = range(0, (last - first).days, 7)
    offsets = {(first + timedelta(days=day)).astimezone(zone).utcoffset() for day in days}
    return offsets.pop() if len(offsets) == 1 else None


def _shifted(
    column: Column, zone: ZoneInfo, asked: Column, native: Callable[[str], Column]
) -> Column:
    """A part of a local time on SQLite: by its own functions where the clock is steady, many times
    as fast as asking ours about each record."""
    offset = _steady(zone)
    if offset is None:
        return asked
    quick = native(f"{int(offset.total_seconds()):+d} seconds")
    return case((column.between(*STEADY), quick), else_=asked)


def _id(value: str) -> int:
    """An id of an address; 0, which nothing has, for what is none."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


def _between(column: Column, since: Any, until: Any) -> list[Condition]:
    """From a moment to before another; days count as a whole."""
    found = [] if since is None else [column >= since]
    if until is not None:
        found.append(column <= until if not isinstance(until, datetime) else column < until)
    return found


def _instants(
    since: date | None, until: date | None, zone: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """The instants at which the first day begins and the last one is over."""
    begin = None if since is None else datetime.combine(since, time(), zone)
    end = None if until is None else datetime.combine(until + timedelta(days=1), time(), zone)
    return begin, end
