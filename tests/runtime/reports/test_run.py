"""Numbers of every kind, exact on both databases; what is too much is stopped."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import make
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.definitions.kinds import register
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.records.submit import submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.errors import Unavailable
from careloom.runtime.reports import run
from careloom.runtime.reports.bounds import bounded
from careloom.runtime.reports.check import REPORT
from careloom.runtime.reports.draw import Pen, table
from careloom.runtime.reports.figures import change, shown
from careloom.runtime.reports.lens import _steady, lens_of
from careloom.runtime.reports.line import plot
from careloom.runtime.reports.question import Question
from careloom.runtime.reports.run import Answer, run_report

NOW = datetime(2026, 3, 18, 4, 0, tzinfo=UTC)
VISIT = make.form(
    "visit",
    {
        "kind": make.field("choice", x_options=make.fixed("new", "back")),
        "came": make.field("datetime"),
        "left": make.field("datetime"),
        "paid": make.field("money"),
        "unit": make.field("unit"),
    },
    x_unit="unit",
)
HOURS = {
    "format": 1,
    "key": "hours",
    "title": "Hours",
    # shut at noon on Mondays, open over midnight on Fridays, never on Sundays
    "hours": {day: [["09:00", "12:00"], ["13:00", "18:00"]] for day in ("mon", "tue", "wed", "thu")}
    | {"fri": [["20:00", "02:00"]], "sat": [["10:00", "11:00"]], "sun": []},
    "closed": ["2026-03-11"],
}


def numbers(**kinds: str) -> list[dict[str, Any]]:
    return [{"key": key, "title": key, "kind": key, "of": of} for key, of in kinds.items()]


def report(key: str, *measures: Any, **words: Any) -> dict[str, Any]:
    made = {"format": 1, "key": key, "title": key, "form": "visit", "date": "came"}
    counts = {"key": "visits", "title": "Visits", "kind": "count"}
    return made | {"measures": list(measures) or [counts]} | words


PAID = numbers(count="paid", sum="paid", avg="paid", min="paid", max="paid", median="paid")
SHARE = {"key": "share", "title": "Share", "kind": "share", "of": "count"}
STAY = {"key": "stay", "title": "Stay", "from": ["came"], "to": "left", "calendar": "hours"}
BY_KIND = [{"key": "kind", "field": "kind"}]
BY_DAY = [{"key": "day", "field": "came", "grain": "day"}]
REPORTS = [
    report("paid", *PAID, SHARE, dimensions=BY_KIND),
    report("stay", *numbers(sum="stay", max="stay"), spans=[STAY]),
    report("now", chart="number", compare=True, period="this_month"),
    report("days", chart="line", dimensions=BY_DAY),
    report("cross", chart="table", dimensions=[*BY_KIND, *BY_DAY], across="day"),
    *(
        report(grain, dimensions=[{"key": "at", "field": "came", "grain": grain}])
        for grain in ("hour", "day", "week", "month", "quarter", "year")
    ),
]
#: kind, came, left, paid; the last two are paid more together than 64 bits hold
VISITS = [
    ("new", "2026-03-02T09:30", "2026-03-02T10:00", "10.10"),  # Monday: 30
    ("new", "2026-03-02T11:30", "2026-03-02T13:30", "20.20"),  # the noon hour is left out: 60
    ("new", "2026-03-06T21:00", "2026-03-07T10:30", "0.30"),  # Friday night, Saturday: 330
    ("new", "2026-03-10T17:00", "2026-03-12T09:10", "40.00"),  # the closed day is left out: 70
    ("back", "2026-01-31T23:59", "2026-01-31T23:00", "9999999999999999.99"),  # left before: 0
    ("back", "2025-12-31T12:30", None, "9999999999999999.98"),
    (None, "2026-02-10T08:00", "2026-02-10T08:59", None),  # before opening: 0
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def clinic(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database of each kind for the module, asked and never changed."""
    url = request.getfixturevalue(f"shared_{request.param}_url")
    database = open_database(url, tmp_path_factory.mktemp("home"), TurnedClock(NOW))
    register(REPORT)
    at = make.organisation(database)
    for kind, document in [("calendar", HOURS), ("form", VISIT), *(("report", r) for r in REPORTS)]:
        make.publish(database, kind, document)
    rights = ["reports.read:*"]
    make.publish(
        database, "role", make.role("reader", {"visit": [make.rule("all", "read")]}, rights)
    )

    def visits(session: Session) -> None:
        for kind, came, left, paid in VISITS:
            values = {"came": f"{came}:00+08:00", "unit": str(at["B1"]), "kind": kind, "paid": paid}
            if left is not None:
                values["left"] = f"{left}:00+08:00"
            submit(session, SYSTEM, "visit", {k: v for k, v in values.items() if v is not None})

    database.write(visits)
    yield database
    database.close()


@pytest.fixture(scope="module")
def reader(clinic: Database) -> Actor:
    return make.person(clinic, "reader", "G", "reader")


def ask(clinic: Database, reader: Actor, key: str, question: Question | None = None) -> Answer:
    with clinic.read() as session:
        return run_report(session, reader, key, question)


def test_every_kind_of_number_is_exact(clinic: Database, reader: Actor) -> None:
    answer = ask(clinic, reader, "paid")
    found = {group.keys[0]: list(group.numbers.values()) for group in answer.groups}
    assert found["new"][:6] == [
        Decimal(text) for text in ("4", "70.60", "17.65", "0.30", "40.00", "15.15")
    ]
    back = ("2", "19999999999999999.97", "9999999999999999.985")
    assert found["back"][:3] == [Decimal(text) for text in back]
    assert found["back"][5] == Decimal("9999999999999999.985")
    assert found[None] == [Decimal(0), Decimal(0), None, None, None, None, Decimal(0)]
    assert shown(found["new"][6], "percent", "en") == "66.7%"
    assert answer.total.numbers["sum"] == Decimal("20000000000000070.57")


def test_open_hours_leave_out_noon_nights_and_closed_days(clinic: Database, reader: Actor) -> None:
    march = ask(clinic, reader, "stay", Question("this_month")).total.numbers
    assert march == {"sum": Decimal(30 + 60 + 330 + 70), "max": Decimal(330)}
    early = ask(clinic, reader, "stay", Question("last_month")).total.numbers
    assert early == {"sum": Decimal(0), "max": Decimal(0)}
    assert ask(clinic, reader, "stay").total.numbers["sum"] == Decimal(490)


def test_a_number_stands_beside_the_same_stretch_of_the_period_before(
    clinic: Database, reader: Actor
) -> None:
    answer = ask(clinic, reader, "now")
    assert answer.before is not None
    assert (answer.total.count, answer.before.count) == (4, 1)
    assert [str(day) for day in answer.compared] == ["2026-02-01", "2026-02-18"]
    assert ask(clinic, reader, "now", Question("all")).before is None


@pytest.mark.parametrize(
    ("grain", "keys"),
    [
        ("hour", ["8", "9", "11", "12", "17", "21", "23"]),
        ("week", ["2025-12-29", "2026-01-26", "2026-02-09", "2026-03-02", "2026-03-09"]),
        ("month", ["2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"]),
        ("quarter", ["2025-10-01", "2026-01-01"]),
        ("year", ["2025-01-01", "2026-01-01"]),
    ],
)
def test_moments_are_grouped_by_the_branchs_clock(
    clinic: Database, reader: Actor, grain: str, keys: list[str]
) -> None:
    assert [group.keys[0] for group in ask(clinic, reader, grain).groups] == keys


def test_only_a_clock_that_nobody_changes_is_steady() -> None:
    assert _steady(ZoneInfo("Asia/Shanghai")) == timedelta(hours=8)
    assert _steady(ZoneInfo("Asia/Urumqi")) == timedelta(hours=6)
    assert _steady(ZoneInfo("Europe/Berlin")) is None


def test_a_line_leaves_no_day_out(clinic: Database, reader: Actor) -> None:
    with clinic.read() as session:
        answer = run_report(session, reader, "days", Question("this_month"))
        form = lens_of(session, reader, answer.report).shape.form
        drawn = plot(Pen(answer, form, "zh-CN"))
    assert drawn is not None
    assert len(drawn.lines[0].dots) == 9, "from the 2nd to the 10th"
    assert drawn.lines[0].dots[0] == "0.00 0.00" and drawn.lines[0].dots[1] == "12.50 100.00"
    assert drawn.heights[0] == "2" and drawn.days[0] == "2026-03-02"


def test_a_cross_table_has_one_dimension_down_and_one_across(
    clinic: Database, reader: Actor
) -> None:
    with clinic.read() as session:
        answer = run_report(session, reader, "cross", Question("this_month"))
        form = lens_of(session, reader, answer.report).shape.form
        found = table(Pen(answer, form, "en"))
    assert [head["title"] for head in found.heads[1:]] == ["2026-03-02", "2026-03-06", "2026-03-10"]
    assert [[cell.words for cell in row] for row in found.rows] == [["new", "2", "1", "1"]]


def test_more_groups_than_the_limit_are_left_out_and_told(
    clinic: Database, reader: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MOST_GROUPS", 2)
    answer = ask(clinic, reader, "paid")
    assert answer.more and len(answer.groups) == 2
    assert {group.count for group in answer.groups} == {4, 2}, "those with the most records stay"
    assert answer.total.count == 7


def test_what_takes_too_long_is_stopped(clinic: Database) -> None:
    slow = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000)"
        " SELECT count(*) FROM n"
    )
    begun = time.monotonic()
    with clinic.read() as session:
        with pytest.raises(Unavailable) as refusal, bounded(session, 0.2):
            session.execute(text(slow))
        assert refusal.value.code == "E_REPORT_SLOW"
        assert session.execute(text("SELECT 1")).scalar() == 1, "the session goes on"
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("number", "way", "words"),
    [
        ("0.66665", "percent", "66.7%"),
        ("-0.0001", "percent", "0%"),
        ("1234567.5", "money", "¥1,234,567.5"),
        ("14", "minutes", "14 min"),
        ("125.4", "minutes", "2 h 5 min"),
        ("1000", "number", "1,000"),
        (None, "percent", "—"),
    ],
)
def test_numbers_are_rounded_only_when_shown(number: str | None, way: str, words: str) -> None:
    assert shown(None if number is None else Decimal(number), way, "en") == words


def test_a_change_is_told_in_points_or_as_a_share() -> None:
    half, third = Decimal("0.5"), Decimal("0.4")
    assert change(half, third, "percent", "en") == ("up", "10 points")
    assert change(Decimal(3), Decimal(4), "number", "en") == ("down", "25%")
    assert change(Decimal(3), Decimal(0), "number", "en") == ("none", "—")
    assert change(Decimal(2), Decimal(2), "number", "en")[0] == "same"
