"""What keeps a report or a dashboard from being published, each with its place."""

from typing import Any

import make
import pytest

from careloom.platform.definitions.kinds import register
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid
from careloom.runtime.reports.check import REPORT
from careloom.runtime.reports.dashboard import DASHBOARD

VISIT = make.form(
    "visit",
    {
        "kind": make.field("choice", x_options=make.fixed("new", "back")),
        "came": make.field("datetime"),
        "left": make.field("datetime"),
        "day": make.field("date"),
        "paid": make.field("money"),
        "id_no": make.field("id_card", x_encrypted=True),
        "doctor": make.field("person"),
    },
)
COUNT = {"key": "visits", "title": "Visits", "kind": "count"}
SPAN = {"key": "stay", "title": "Stay", "from": ["came"], "to": "left", "calendar": "hours"}
GOOD: dict[str, Any] = {
    "format": 1,
    "key": "visits",
    "title": "Visits",
    "form": "visit",
    "date": "came",
    "filters": ["kind", "doctor"],
    "dimensions": [{"key": "kind", "field": "kind"}],
    "measures": [COUNT, {"key": "paid", "title": "Paid", "kind": "sum", "of": "paid"}],
}


def board(**words: Any) -> dict[str, Any]:
    made = {"format": 1, "key": "board", "title": "Board"}
    return made | {"items": [{"key": "one", "report": "visits"}]} | words


@pytest.fixture
def clinic(sqlite: Database) -> Database:
    register(REPORT)
    register(DASHBOARD)
    make.publish(sqlite, "form", VISIT)
    return sqlite


def problems(database: Database, kind: str, document: dict[str, Any]) -> set[tuple[str, str]]:
    try:
        make.publish(database, kind, document)
    except Invalid as refusal:
        return {(problem.path, problem.code) for problem in refusal.problems}
    return set()


def measure(**words: Any) -> dict[str, Any]:
    return {"measures": [COUNT, {"key": "more", "title": "More", **words}]}


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"form": "nothing"}, "/form", "E_NO_FORM"),
        ({"date": "kind"}, "/date", "E_NOT_GROUPABLE"),
        ({"filters": ["paid"]}, "/filters/0", "E_REPORT_FILTER"),
        ({"filters": ["knd"]}, "/filters/0", "E_NO_FIELD"),
        ({"dimensions": [{"key": "a", "field": "came"}]}, "/dimensions/0/field", "E_NOT_GROUPABLE"),
        (
            {"dimensions": [{"key": "a", "field": "id_no"}]},
            "/dimensions/0/field",
            "E_NOT_GROUPABLE",
        ),
        (
            {"dimensions": [{"key": "a", "field": "day", "grain": "hour"}]},
            "/dimensions/0/grain",
            "E_REPORT_GRAIN",
        ),
        ({"spans": [SPAN]}, "/spans/0/calendar", "E_REPORT_CALENDAR"),
        ({"spans": [{**SPAN, "to": "day"}]}, "/spans/0/to", "E_REPORT_MOMENT"),
        (measure(kind="sum", of="kind"), "/measures/1/of", "E_REPORT_NUMBER"),
        (measure(kind="median"), "/measures/1/of", "E_REPORT_NUMBER"),
        (measure(kind="sum", of="paid", most=3), "/measures/1/most", "E_REPORT_MOST"),
        (measure(kind="ratio", of="visits", by="other"), "/measures/1/by", "E_REPORT_MEASURE"),
        (measure(kind="share", of="more"), "/measures/1/of", "E_REPORT_MEASURE"),
        (measure(kind="count", where="paid >"), "/measures/1/where", "E_SYNTAX"),
        (measure(kind="share", of="visits", where="TRUE"), "/measures/1/where", "E_REPORT_WHERE"),
        (measure(formula="kind"), "/measures/1/formula", "E_NOT_IN_GROUP"),
        ({"chart": "funnel"}, "/steps", "E_REPORT_STEPS"),
        ({"chart": "funnel", "steps": ["visits", "paid"]}, "/steps/1", "E_REPORT_STEP"),
        ({"chart": "leaderboard"}, "/rank", "E_REPORT_RANK"),
        ({"chart": "line"}, "/dimensions", "E_REPORT_LINE"),
        ({"chart": "number"}, "/dimensions", "E_REPORT_PLAIN"),
        ({"across": "kind"}, "/across", "E_REPORT_ACROSS"),
    ],
)
def test_a_report_that_could_not_be_counted_is_not_published(
    clinic: Database, changed: dict[str, Any], path: str, code: str
) -> None:
    found = problems(clinic, "report", GOOD | changed)
    assert path in {at for at, _ in found}
    if code not in ("E_SYNTAX", "E_NOT_IN_GROUP"):  # the formula language says those
        assert (path, code) in found


def test_a_dashboard_needs_reports_that_offer_its_filters(clinic: Database) -> None:
    assert problems(clinic, "dashboard", board()) == {("/items/0/report", "E_DASHBOARD_REPORT")}
    assert problems(clinic, "report", GOOD) == set()
    assert problems(clinic, "dashboard", board(filters=["kind"], period="this_week")) == set()
    bad = board(filters=["paid"], phone=["two"])
    assert problems(clinic, "dashboard", bad) == {
        ("/items/0/report", "E_DASHBOARD_FILTER"),
        ("/phone", "E_DASHBOARD_PHONE"),
    }
    twice = board(items=[{"key": "a", "report": "visits", "by": "nothing"}] * 2)
    codes = {code for _, code in problems(clinic, "dashboard", twice)}
    assert codes == {"E_KEY_TWICE", "E_REPORT_BY"}
    make.publish(clinic, "report", {word: its for word, its in GOOD.items() if word != "date"})
    undated = problems(clinic, "dashboard", board(period="today"))
    assert undated == {("/items/0/report", "E_DASHBOARD_DATE")}
