"""Periods as people say them (本周, 上月, 近30天), as days of the reader's clock."""

from __future__ import annotations

from datetime import date, timedelta

#: as a filter offers them; `all` is no limit at all
PERIODS = (
    "today",
    "yesterday",
    "this_week",
    "last_week",
    "this_month",
    "last_month",
    "last_30_days",
    "this_year",
    "all",
)
DAY = timedelta(days=1)
Days = tuple[date | None, date | None]


def days_of(period: str, today: date) -> Days:
    """The first and the last day of a period; weeks begin on Monday."""
    week = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    return {
        "today": (today, today),
        "yesterday": (today - DAY, today - DAY),
        "this_week": (week, week + 6 * DAY),
        "last_week": (week - 7 * DAY, week - DAY),
        "this_month": (month, _next_month(month) - DAY),
        "last_month": ((month - DAY).replace(day=1), month - DAY),
        "last_30_days": (today - 29 * DAY, today),
        "this_year": (date(today.year, 1, 1), date(today.year, 12, 31)),
        "all": (None, None),
    }[period]


def days_before(period: str, since: date | None, until: date | None, today: date) -> Days | None:
    """The stretch to compare with; None when there is none.

    Of a week, month or year that is not over yet, as many days of the one before as have passed
    of it; of any other period, as many days right before it.
    """
    if since is None or until is None:
        return None
    running = {
        "this_week": since - 7 * DAY,
        "this_month": (since - DAY).replace(day=1),
        "this_year": date(since.year - 1, 1, 1),
    }
    if period in running:
        first = running[period]
        return first, min(first + (min(today, until) - since), since - DAY)
    if period == "last_month":
        return (since - DAY).replace(day=1), since - DAY
    return since - (until - since) - DAY, since - DAY


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
