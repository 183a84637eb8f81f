"""Spans of days as people name them: today, this week, last month. A week begins on a Monday."""

from collections.abc import Callable
from datetime import date, timedelta

Span = tuple[date, date]  # the first day and the last


def _days(first: int, last: int) -> Callable[[date], Span]:
    return lambda today: (today + timedelta(days=first), today + timedelta(days=last))


def _week(weeks: int) -> Callable[[date], Span]:
    def span(today: date) -> Span:
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
        return monday, monday + timedelta(days=6)

    return span


def _months(first: int, count: int = 1) -> Callable[[date], Span]:
    def span(today: date) -> Span:
        begin = _month(today, first)
        return begin, _month(begin, count) - timedelta(days=1)

    return span


def _month(day: date, later: int) -> date:
    """The first day of the month so many months later."""
    number = day.year * 12 + day.month - 1 + later
    return date(number // 12, number % 12 + 1, 1)


def _quarter(today: date) -> Span:
    return _months(-((today.month - 1) % 3), 3)(today)


def _year(years: int) -> Callable[[date], Span]:
    return lambda today: (date(today.year + years, 1, 1), date(today.year + years, 12, 31))


SPANS: dict[str, Callable[[date], Span]] = {
    "today": _days(0, 0),
    "yesterday": _days(-1, -1),
    "tomorrow": _days(1, 1),
    "this_week": _week(0),
    "last_week": _week(-1),
    "next_week": _week(1),
    "this_month": _months(0),
    "last_month": _months(-1),
    "next_month": _months(1),
    "last_7": _days(-6, 0),
    "last_30": _days(-29, 0),
    "next_7": _days(0, 6),
    "this_quarter": _quarter,
    "this_year": _year(0),
    "last_year": _year(-1),
}


def span_of(name: str, today: date) -> Span:
    """The days a name stands for. Raises KeyError for a name that is none."""
    return SPANS[name](today)
