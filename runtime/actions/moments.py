"""Moments of a flow: after so much time, in a calendar's hours or not; and the day's beginning."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ...platform.definitions.calendars import open_after
from ...platform.definitions.published import published
from ...platform.identity.actor import TIME_ZONE
from ...platform.identity.tree import tree
from ...platform.store.session import moment
from .commands import StepFailed


def zone_of(session: Session, unit_id: int | None) -> ZoneInfo:
    """The time zone of a unit."""
    place = tree(session).places.get(unit_id) if unit_id is not None else None
    return ZoneInfo(place.time_zone if place else TIME_ZONE)


def after(session: Session, duration: timedelta, calendar: str | None, zone: tzinfo) -> datetime:
    """The moment so much time from now; with a calendar, so much of its open time.

    Raises StepFailed when the calendar never opens, NotFound when there is none of that key.
    """
    now = moment(session)
    if calendar is None:
        return now + duration
    hours = published(session, "calendar", calendar).document
    try:
        return open_after(hours, zone, now, duration)
    except ValueError as error:
        raise StepFailed("E_CALENDAR_SHUT", calendar=calendar) from error


def as_moment(value: Any, zone: tzinfo) -> Any:
    """A date as the moment it begins there; anything else as it is."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time.min, zone).astimezone(UTC)
    return value


def day_began(now: datetime, zone: tzinfo) -> datetime:
    """The last midnight there, in UTC."""
    return datetime.combine(now.astimezone(zone).date(), time.min, zone).astimezone(UTC)
