"""Open time between two moments of a record, in SQL.

The open hours of a calendar become one running count, so that the time between two moments is the
difference of two counts: each found by a search among the beginnings of the open spans, a few
hundred a year, whatever the number of records.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, case, cast, extract, func, literal, select
from sqlalchemy.sql.elements import Grouping

from ...platform.definitions.calendars import Calendar, open_spans
from ...platform.definitions.published import published
from ...platform.store.database import connect_hooks
from ...platform.store.session import moment
from .definition import Span
from .lens import Condition, Lens

Column = ColumnElement[Any]
NUMBERS = ARRAY(BigInteger)
DAY = timedelta(days=1)
LONGEST = timedelta(days=3600)  # what a calendar is asked for at once


def open_seconds(lens: Lens, span: Span, wanted: Sequence[Condition]) -> Column:
    """Whole seconds of open time from a span's beginning to its end; blank where either is.

    wanted: the records it will be asked of. Moments more than nine years before the last of them
    are blank as well.
    """
    calendar = published(lens.session, "calendar", span.calendar).document
    starts = [lens.column(key) for key in span.start]
    start = starts[0] if len(starts) == 1 else func.coalesce(*starts)
    end = lens.column(span.end)
    first, last = _reach(lens, start, end, wanted)
    return lens.by_zone(
        lambda zone: _between(lens, _counted(calendar, zone, first, last), start, end)
    )


def _reach(
    lens: Lens, start: Column, end: Column, wanted: Sequence[Condition]
) -> tuple[datetime, datetime]:
    """From when to when open time has to be known."""
    now = moment(lens.session)
    early, late = lens.session.execute(
        select(func.min(start), func.max(end)).select_from(lens.shape.table).where(*wanted)
    ).one()
    last = min(max(late or now, early or now), now + DAY)
    return max(early or now, last - LONGEST), last


class Running:
    """Open time counted from a first moment on, in seconds; moments are seconds since 1970.

    In a span that begins at b with so much open time before it, the count at a moment t is
    t - b + before, and never more than its value at the span's end.
    """

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self.begins = [begin for begin, _ in spans]
        self.offsets: list[int] = []
        self.ends: list[int] = []
        before = 0
        for begin, end in spans:
            self.offsets.append(before - begin)
            before += end - begin
            self.ends.append(before)

    def at(self, second: int) -> int | None:
        """The open time before a moment; None before the first span."""
        number = bisect_right(self.begins, second) - 1
        if number < 0:
            return None
        return min(second + self.offsets[number], self.ends[number])


def _counted(calendar: Calendar, zone: tzinfo, first: datetime, last: datetime) -> Running:
    # Some days more, so that no moment asked about lies before the first span.
    spans = open_spans(calendar, zone, first - 30 * DAY, last + DAY)
    return Running([(int(opens.timestamp()), int(shuts.timestamp())) for opens, shuts in spans])


def _between(lens: Lens, running: Running, start: Column, end: Column) -> Column:
    if lens.is_sqlite:
        seconds = [cast(func.strftime("%s", side), BigInteger) for side in (start, end)]
        return func.x_open_seconds(*seconds, _named(running), type_=BigInteger())
    later = func.greatest(start, end, type_=end.type)
    return case((end.is_not(None), _at(running, later) - _at(running, start)))


def _at(running: Running, side: Column) -> Column:
    """`Running.at` on PostgreSQL, whose width_bucket searches a sorted array; what stands at place
    0 of an array is blank there."""
    begins, offsets, ends = (
        Grouping(literal(numbers, NUMBERS))
        for numbers in (running.begins, running.offsets, running.ends)
    )
    second = cast(func.floor(extract("epoch", side)), BigInteger)
    number = func.width_bucket(second, begins)
    return func.least(second + offsets[number], ends[number], type_=BigInteger())


#: What SQLite's function is asked by name: the spans themselves would be copied for every record.
_RUNNING: OrderedDict[str, Running] = OrderedDict()
MOST_KEPT = 256


def _named(running: Running) -> str:
    name = sha256(repr((running.begins, running.ends)).encode()).hexdigest()
    _RUNNING[name] = running
    _RUNNING.move_to_end(name)
    while len(_RUNNING) > MOST_KEPT:
        _RUNNING.popitem(last=False)
    return name


def _x_open_seconds(start: int | None, end: int | None, name: str) -> int | None:
    if start is None or end is None:
        return None
    running = _RUNNING[name]
    first, last = running.at(start), running.at(end)
    return None if first is None or last is None else max(last - first, 0)


def _functions(driver: Any, dialect: str) -> None:
    if dialect == "sqlite":
        driver.create_function("x_open_seconds", 3, _x_open_seconds, deterministic=True)


connect_hooks.append(_functions)
