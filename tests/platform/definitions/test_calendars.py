"""Calendars: open time counted across nights, weekends, holidays and clock changes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

import careloom.platform.records.kinds  # noqa: F401  registers the platform's kinds
from careloom.platform.definitions.calendars import DAYS, is_open, open_after, open_between
from careloom.platform.definitions.check import check
from careloom.platform.store.database import Database

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def calendar(hours: list[list[str]], **special: Any) -> dict[str, Any]:
    """The same hours every day, but for the days named."""
    days = {day: special.pop(day, hours) for day in DAYS}
    return {"format": 1, "key": "c", "title": "C", "hours": days, **special}


CONTACT = calendar([["09:00", "21:00"]])
BRANCH = calendar([["08:30", "12:00"], ["13:30", "18:00"]], sat=[["09:00", "12:00"]], sun=[])
NIGHT = calendar([["21:00", "02:00"]])
ALWAYS = calendar([["00:00", "24:00"]])


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


AFTER = [
    # Tuesday 3 March 2026
    (CONTACT, "2026-03-03 10:00", 15, "2026-03-03 10:15"),
    (CONTACT, "2026-03-03 20:50", 15, "2026-03-04 09:05"),
    (CONTACT, "2026-03-03 20:45", 15, "2026-03-03 21:00"),
    (CONTACT, "2026-03-03 21:00", 15, "2026-03-04 09:15"),
    (CONTACT, "2026-03-03 23:30", 10, "2026-03-04 09:10"),
    (CONTACT, "2026-03-04 06:00", 10, "2026-03-04 09:10"),
    (CONTACT, "2026-03-03 10:00", 24 * 60, "2026-03-05 10:00"),
    (CONTACT, "2026-03-03 10:00", 0, "2026-03-03 10:00"),
    (CONTACT, "2026-03-03 22:00", 0, "2026-03-04 09:00"),
    (CONTACT, "2026-03-03 21:00", 0, "2026-03-04 09:00"),
    (BRANCH, "2026-03-03 11:50", 30, "2026-03-03 13:50"),
    (BRANCH, "2026-03-06 17:30", 60, "2026-03-07 09:30"),  # Friday to Saturday
    (BRANCH, "2026-03-07 11:30", 60, "2026-03-09 09:00"),  # over Sunday
    (BRANCH, "2026-03-08 10:00", 1, "2026-03-09 08:31"),
    (NIGHT, "2026-03-03 23:30", 60, "2026-03-04 00:30"),
    (NIGHT, "2026-03-04 01:30", 60, "2026-03-04 21:30"),
    (NIGHT, "2026-03-04 12:00", 300, "2026-03-05 02:00"),
    (ALWAYS, "2026-03-03 23:59", 2, "2026-03-04 00:01"),
]


@pytest.mark.parametrize(("hours", "start", "passed", "hoped"), AFTER)
def test_open_time_runs_in_open_hours_only(
    hours: dict[str, Any], start: str, passed: int, hoped: str
) -> None:
    assert open_after(hours, SHANGHAI, local(start), minutes(passed)) == local(hoped)


BETWEEN = [
    (CONTACT, "2026-03-03 10:00", "2026-03-03 10:15", 15),
    (CONTACT, "2026-03-03 20:50", "2026-03-04 09:05", 15),
    (CONTACT, "2026-03-03 21:30", "2026-03-04 08:00", 0),
    (CONTACT, "2026-03-03 10:00", "2026-03-03 09:00", 0),
    (CONTACT, "2026-03-03 00:00", "2026-03-10 00:00", 7 * 12 * 60),
    (BRANCH, "2026-03-06 17:30", "2026-03-09 09:00", 30 + 180 + 30),
    (NIGHT, "2026-03-04 01:00", "2026-03-04 22:00", 120),
    (ALWAYS, "2026-03-03 00:00", "2026-03-04 00:00", 1440),
]


@pytest.mark.parametrize(("hours", "start", "end", "hoped"), BETWEEN)
def test_minutes_between_two_instants(
    hours: dict[str, Any], start: str, end: str, hoped: int
) -> None:
    assert open_between(hours, SHANGHAI, local(start), local(end)) == hoped


def test_hours_are_a_branchs_own() -> None:
    moment = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, 03:00 in Berlin
    assert is_open(CONTACT, SHANGHAI, moment)
    assert not is_open(CONTACT, BERLIN, moment)


def test_a_lost_hour_is_lost() -> None:
    night = calendar([["01:00", "04:00"]])
    start = local("2026-03-29 01:00", BERLIN)
    assert open_between(night, BERLIN, start, start + timedelta(hours=12)) == 120
    autumn = local("2026-10-25 01:00", BERLIN)
    assert open_between(night, BERLIN, autumn, autumn + timedelta(hours=12)) == 240


def test_closed_days_and_special_hours_come_first() -> None:
    holiday = calendar(
        [["09:00", "21:00"]],
        closed=["2026-10-01"],
        special=[{"key": "eve", "date": "2026-09-30", "hours": [["09:00", "12:00"]]}],
    )
    start = local("2026-09-30 11:50")
    assert open_after(holiday, SHANGHAI, start, minutes(15)) == local("2026-10-02 09:05")


def test_a_calendar_that_never_opens_is_an_error_and_not_a_loop() -> None:
    with pytest.raises(ValueError):
        open_after(calendar([]), SHANGHAI, local("2026-03-03 10:00"), minutes(1))
    assert not is_open(calendar([]), SHANGHAI, local("2026-03-03 10:00"))


@given(
    hours=st.sampled_from([CONTACT, BRANCH, NIGHT, ALWAYS]),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),
    passed=st.integers(0, 20_000),
)
def test_what_passes_until_the_limit_is_the_limit(
    hours: dict[str, Any], start: datetime, passed: int
) -> None:
    begin = start.replace(tzinfo=UTC)
    end = open_after(hours, SHANGHAI, begin, minutes(passed))
    assert end >= begin
    assert open_between(hours, SHANGHAI, begin, end) == pytest.approx(passed)


def found(session: Session, document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in check(session, "calendar", document)]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (calendar([["09:00", "09:00"]]), "/hours/mon/0", "E_HOURS"),
    (calendar([["13:00", "18:00"], ["09:00", "12:00"]]), "/hours/mon/1", "E_HOURS"),
    (calendar([["09:00", "13:00"], ["12:00", "18:00"]]), "/hours/mon/1", "E_HOURS"),
    (calendar([["21:00", "02:00"], ["03:00", "04:00"]]), "/hours/mon/0", "E_HOURS"),
    (calendar([["21:00", "02:00"]], tue=[["01:00", "03:00"]]), "/hours/tue/0", "E_HOURS"),
    (calendar([]), "/hours", "E_NEVER_OPEN"),
    (calendar([["9:00", "18:00"]]), "/hours/mon/0/0", "E_PATTERN"),
    (calendar([["09:00", "18:00"]], closed=["2026-02-30"]), "/closed/0", "E_DATE"),
]


@pytest.mark.parametrize(("document", "path", "code"), WRONG)
def test_a_wrong_calendar_is_refused(
    sqlite: Database, document: dict[str, Any], path: str, code: str
) -> None:
    with sqlite.read() as session:
        assert (path, code) in found(session, document)
        assert found(session, CONTACT) == found(session, NIGHT) == found(session, ALWAYS) == []
