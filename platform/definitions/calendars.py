"""Calendars: the hours in which a time limit runs, in a branch's own time, night and day.

Instants are aware UTC datetimes; open hours are wall-clock hours of a zone. Time is counted in
elapsed seconds, so an hour lost or won by a clock change is lost or won here too.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from ..store.errors import Problem
from .kinds import Document, Kind
from .schema_check import pointer, schema, twice

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FAR = timedelta(days=3660)  # a calendar that is shut longer than ten years never opens

Calendar = Mapping[str, Any]


def open_after(calendar: Calendar, zone: tzinfo, start: datetime, duration: timedelta) -> datetime:
    """The instant at which `duration` of open time has passed since `start`.

    A duration of nothing gives the next open instant, `start` itself when it is open. Raises
    ValueError when the calendar never opens.
    """
    left = duration
    for opens, shuts in _spans(calendar, zone, start):
        begin = max(opens, start)
        if begin + left < shuts or (left and begin + left == shuts):
            return begin + left
        left -= shuts - begin
    raise ValueError("the calendar never opens")


def open_between(calendar: Calendar, zone: tzinfo, start: datetime, end: datetime) -> float:
    """Minutes of open time from `start` to `end`; 0 when `end` is not later."""
    passed = timedelta()
    for opens, shuts in _spans(calendar, zone, start):
        if opens >= end:
            break
        passed += min(shuts, end) - max(opens, start)
    return passed.total_seconds() / 60


def open_spans(
    calendar: Calendar, zone: tzinfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The spans of open time that touch the time from `start` to `end`, whole, in order."""
    for opens, shuts in _spans(calendar, zone, start):
        if opens >= end:
            break
        yield opens, shuts


def is_open(calendar: Calendar, zone: tzinfo, moment: datetime) -> bool:
    opens, _ = next(_spans(calendar, zone, moment), (moment + FAR, None))
    return opens <= moment


def _spans(
    calendar: Calendar, zone: tzinfo, start: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Open spans in UTC, in order, from the one `start` stands in or the next after it."""
    special = {day["date"]: day["hours"] for day in calendar.get("special", ())}
    closed = set(calendar.get("closed", ()))
    first = start.astimezone(zone).date() - timedelta(days=1)  # last night's hours may reach today
    for number in range(FAR.days):
        day = first + timedelta(days=number)
        name = day.isoformat()
        hours = special.get(name, () if name in closed else calendar["hours"][DAYS[day.weekday()]])
        for opens, shuts in sorted(map(tuple, hours)):
            begin, finish = _instant(day, opens, zone), _instant(day, shuts, zone)
            if shuts <= opens:  # over midnight: 21:00 to 02:00
                finish = _instant(day + timedelta(days=1), shuts, zone)
            if finish > start:
                yield begin, finish


def _instant(day: date, clock: str, zone: tzinfo) -> datetime:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)


def check_calendar(session: Session, document: Document) -> list[Problem]:
    """Hours in order and apart, dates that exist, and some hour in which it is open."""
    found: list[Problem] = []
    for number, day in enumerate(DAYS):
        found += _hours(document["hours"][day], ("hours", day))
        found += _overlap(document["hours"], day, DAYS[(number + 1) % 7])
    for position, day in enumerate(document.get("special", ())):
        found += _hours(day["hours"], ("special", position, "hours"))
        found += _date(day["date"], ("special", position, "date"))
    for position, name in enumerate(document.get("closed", ())):
        found += _date(name, ("closed", position))
    for word in ("key", "date"):
        for position, name in twice(day[word] for day in document.get("special", ())):
            at = pointer("special", position, word)
            found.append(Problem(at, "E_KEY_TWICE", {"name": name}))
    if not any(document["hours"].values()):
        found.append(Problem("/hours", "E_NEVER_OPEN"))
    return found


def _hours(hours: list[list[str]], at: tuple[str | int, ...]) -> Iterator[Problem]:
    """Spans follow one another; only the last may reach over midnight."""
    before = ""
    for position, (opens, shuts) in enumerate(hours):
        last = position == len(hours) - 1
        if opens == shuts or opens == "24:00" or opens < before or (shuts < opens and not last):
            yield Problem(pointer(*at, position), "E_HOURS")
        before = shuts


def _overlap(hours: Mapping[str, list[list[str]]], day: str, after: str) -> Iterator[Problem]:
    """A night that reaches into hours of the next day would be counted twice."""
    if hours[day] and hours[after]:
        opens, shuts = hours[day][-1]
        if hours[after][0][0] < shuts < opens:
            yield Problem(pointer("hours", after, 0), "E_HOURS")


def _date(name: str, at: tuple[str | int, ...]) -> Iterator[Problem]:
    try:
        date.fromisoformat(name)
    except ValueError:
        yield Problem(pointer(*at), "E_DATE")


CALENDAR = Kind("calendar", schema("calendar"), check_calendar, order=10)
