"""Moments of a flow: after so much time, in a calendar's hours or not; and the day's beginning."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import select

from ...platform.definitions.calendars import open_after
from ...platform.definitions.published import published
from ...platform.records.shape import shape_of
from ...platform.store.session import database_of, moment
from .commands import Named, Reckoned, StepFailed, When
from .sight import Sight


def reckon(
    sight: Sight, when: When, names: Mapping[str, Named], since: datetime | None = None
) -> Reckoned:
    """When that is, counted from `since` (now without).

    The records it is worked out from are locked against change until this transaction ends, so
    that a change either was seen here or finds what is written down of it. Raises StepFailed for
    what is no moment and for a calendar that never opens, NotFound for one that is not there.
    """
    base = since or moment(sight.session)
    reads: set[tuple[str, int]] = set()
    value: Any = None
    for formula in when.formulas:
        value, reads = sight.look(formula, names)
        while not _held(sight, reads):
            value, reads = sight.look(formula, names)
        if value is not None and not isinstance(value, datetime):
            raise StepFailed("E_NOT_A_MOMENT", step=formula.at)
    try:
        at = _counted(when, value, base, sight.zone)
        if at is not None and when.calendar is not None:
            at = _open(sight, when, at)
    except OverflowError as error:
        raise StepFailed("E_NOT_A_MOMENT", step=when.formulas[0].at) from error
    return Reckoned(at, tuple(sorted(reads)))


def _counted(when: When, value: Any, base: datetime, zone: tzinfo) -> datetime | None:
    """The moment by the clock on the wall; of a duration with a calendar, where it begins."""
    if when.duration is not None:
        return base if when.calendar else base + when.duration
    if when.until is not None:
        assert value is None or isinstance(value, datetime)
        return None if value is None else value + (when.offset or timedelta())
    if when.after is not None and value is None:
        return None
    assert when.clock
    start = (value or base).astimezone(zone)
    on = start.date() + timedelta(days=when.day or 0)
    at = datetime.combine(on, when.clock, zone)
    if when.day is None and at <= start:
        at = datetime.combine(on + timedelta(days=1), when.clock, zone)
    return at.astimezone(UTC)


def _open(sight: Sight, when: When, at: datetime) -> datetime:
    """So much open time after it; the next open moment when it is no duration."""
    assert when.calendar
    hours = published(sight.session, "calendar", when.calendar).document
    try:
        return open_after(hours, sight.zone, at, when.duration or timedelta())
    except ValueError as error:
        raise StepFailed("E_CALENDAR_SHUT", calendar=when.calendar) from error


def _held(sight: Sight, reads: set[tuple[str, int]]) -> bool:
    """Lock the records; False when some were not locked yet, so that they are read once more.

    SQLite writes one transaction at a time anyway.
    """
    new = reads - sight.held
    if not new or database_of(sight.session).dialect != "postgresql":
        return True
    for form, record in sorted(new):
        table = shape_of(sight.session, form).table
        row = select(table.c._id).where(table.c._id == record)
        sight.session.execute(row.with_for_update(read=True))
    sight.forget()
    sight.held |= new
    return False


def as_moment(value: Any, zone: tzinfo) -> Any:
    """A date as the moment it begins there; anything else as it is."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time.min, zone).astimezone(UTC)
    return value


def day_began(now: datetime, zone: tzinfo) -> datetime:
    """The last midnight there, in UTC."""
    return datetime.combine(now.astimezone(zone).date(), time.min, zone).astimezone(UTC)
