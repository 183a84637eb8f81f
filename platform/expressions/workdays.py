"""Working days of mainland China: weekends, statutory holidays and make-up days.

The days come from the package `chinesecalendar`, which is brought up to date each November when
the State Council announces the next year. Outside the years it knows, nothing is guessed: the
result is blank with the warning E_CALENDAR.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from chinese_calendar.constants import holidays, workdays  # type: ignore[import-untyped]

from .arithmetic import whole
from .errors import Blank

FIRST = date(min(day.year for day in holidays), 1, 1)
LAST = date(max(day.year for day in holidays), 12, 31)


@lru_cache(maxsize=1)
def days_off() -> tuple[date, ...]:
    """Weekdays that are holidays, in order."""
    return tuple(sorted(day for day in holidays if day.weekday() < 5 and FIRST <= day <= LAST))


@lru_cache(maxsize=1)
def days_on() -> tuple[date, ...]:
    """Weekend days that are worked to make up for holidays, in order."""
    return tuple(sorted(day for day in workdays if day.weekday() > 4 and FIRST <= day <= LAST))


@lru_cache(maxsize=1)
def _worked() -> tuple[tuple[date, ...], dict[date, int]]:
    """Every working day in order, and how many there are before a given day."""
    off, on = frozenset(days_off()), frozenset(days_on())
    days: list[date] = []
    before: dict[date, int] = {}
    day = FIRST
    while day <= LAST:
        before[day] = len(days)
        if day in on or (day.weekday() < 5 and day not in off):
            days.append(day)
        day += timedelta(days=1)
    before[day] = len(days)
    return tuple(days), before


def _known(day: date) -> date:
    if not FIRST <= day <= LAST:
        raise Blank("E_CALENDAR")
    return day


def workday(day: date, n: Decimal) -> date:
    """The n-th working day after (before, when negative) a day; 0 is the day itself."""
    _known(day)
    steps = whole(n)
    if steps == 0:
        return day
    days, before = _worked()
    after = before[day + timedelta(days=1)]
    at = after + steps - 1 if steps > 0 else before[day] + steps
    if not 0 <= at < len(days):
        raise Blank("E_CALENDAR")
    return days[at]


def networkdays(a: date, b: date) -> Decimal:
    """Working days from a to b, both counted; negative when b is earlier."""
    _known(a)
    _known(b)
    if b < a:
        return -networkdays(b, a)
    _, before = _worked()
    return Decimal(before[b + timedelta(days=1)] - before[a])
