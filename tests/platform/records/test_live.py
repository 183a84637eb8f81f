"""What follows from today or a linked record is worked out when read, and never goes stale."""

from datetime import UTC, datetime
from typing import Any

import make
import pytest
from sqlalchemy import text

from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.identity.permissions import access
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.narrow import Condition, narrowed
from careloom.platform.records.past import as_of, history
from careloom.platform.records.shape import shape_of
from careloom.platform.records.submit import change, retire
from careloom.platform.store import jobs
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid

LEVELS = make.fixed("gold", "silver")
PATIENT = {
    "name": make.field(),
    "level": make.field("choice", x_options=LEVELS),
    "born": make.field("date"),
    "owes": make.field("money"),
    "doctor": make.field("person"),
}
#: field of a visit -> (its type, its formula)
LIVE = {
    "level": ("choice", "patient.level"),
    "age": ("number", "AGE(patient.born)"),
    "share": ("money", "patient.owes / 3"),
    "huge": ("number", "patient.owes * POWER(10, 30)"),
    "late": ("yesno", "due < TODAY()"),
    "called": ("text", 'patient.name & "!"'),
    "next_day": ("date", 'DATEADD(TODAY(), 1, "day")'),
    "seen_by": ("person", "patient.doctor"),
}


def visit(**more: Any) -> make.Json:
    live = {
        key: make.field(
            kind, x_value=formula, **({"x_options": LEVELS} if kind == "choice" else {})
        )
        for key, (kind, formula) in LIVE.items()
    }
    fields = {"name": make.field(), "patient": make.link("patient"), "due": make.field("date")}
    return make.form("visit", fields | live | more, x_label="name")


@pytest.fixture(autouse=True)
def forms(database: Database, clock: TurnedClock) -> None:
    clock.set(datetime(2026, 3, 3, 8, tzinfo=UTC))
    make.organisation(database)
    make.publish(database, "form", make.form("patient", PATIENT, x_label="name"))
    make.publish(database, "form", visit())


@pytest.fixture
def made(database: Database) -> dict[str, Any]:
    """Two patients with a visit each, and one visit without a patient."""
    doctor = make.person(database, "doctor", "B1").person_id
    values = {"born": "1990-03-04", "owes": "100", "doctor": str(doctor)}
    zhou = make.record(database, "patient", name="Zhou", level="gold", **values)
    li = make.record(database, "patient", name="Li", level="silver", born="2000-03-03")
    return {
        "zhou": zhou,
        "doctor": doctor,
        "first": make.record(database, "visit", name="1", patient=str(zhou.id), due="2026-03-03"),
        "second": make.record(database, "visit", name="2", patient=str(li.id)),
        "third": make.record(database, "visit", name="3"),
    }


def read(database: Database, record: Any, actor: Actor = SYSTEM) -> dict[str, Any]:
    with database.read() as session:
        return get(session, actor, "visit", record.id).json()


def names(database: Database, where: str = "", actor: Actor = SYSTEM, **more: Any) -> list[str]:
    with database.read() as session:
        page = list_records(session, actor, "visit", where=where or None, sort=["name"], **more)
        return [record.label for record in page.items]


def test_it_is_read_everywhere_and_kept_nowhere(database: Database, made: Any) -> None:
    expected = {
        "name": "1",
        "patient": str(made["zhou"].id),
        "due": "2026-03-03",
        "level": "gold",
        "age": 35,
        "share": "33.33",
        "late": False,
        "called": "Zhou!",
        "next_day": "2026-03-04",
        "seen_by": str(made["doctor"]),
    }
    assert made["first"].json() == expected, "what submitting answers"
    assert read(database, made["first"]) == expected
    with database.read() as session:
        page = list_records(session, SYSTEM, "visit", sort=["name"])
        assert page.items[0].json() == expected
        assert page.items[2].json() == {
            "name": "3",
            "called": "!",
            "next_day": "2026-03-04",
            "late": False,
        }
        columns = set(session.execute(text("SELECT * FROM form_visit")).keys())
        assert not columns & LIVE.keys()
        assert as_of(session, SYSTEM, "visit", made["first"].id, revision=1).json() == {
            key: expected[key] for key in ("name", "patient", "due")
        }
        assert (
            not history(session, SYSTEM, "visit", made["first"].id)[0].changed.keys() & LIVE.keys()
        )
        assert list(violations(session)) == []


def test_it_never_goes_stale(database: Database, made: Any, clock: TurnedClock) -> None:
    """The linked record is changed or retired, another is linked, the day is over."""
    first, zhou = made["first"], made["zhou"]
    database.write(
        lambda s: change(s, SYSTEM, "patient", zhou.id, {"level": "silver", "owes": "1"})
    )
    assert (read(database, first)["level"], read(database, first)["share"]) == ("silver", "0.33")
    before = read(database, first)
    assert (before["age"], before["late"]) == (35, False)
    clock.set(datetime(2026, 3, 3, 15, 59, 59, tzinfo=UTC))
    assert read(database, first)["age"] == 35
    clock.set(datetime(2026, 3, 3, 16, 0, 0, tzinfo=UTC))  # midnight in Shanghai, and a birthday
    after = read(database, first)
    assert (after["age"], after["late"], after["next_day"]) == (36, True, "2026-03-05")
    assert names(database, "late") == ["1"] and names(database, "age = 36") == ["1"]
    database.write(lambda s: change(s, SYSTEM, "visit", first.id, {"patient": None}))
    assert "level" not in read(database, first) and names(database, "age > 0") == ["2"]
    database.write(lambda s: retire(s, SYSTEM, "patient", zhou.id))
    assert read(database, made["second"])["level"] == "silver"


def test_it_is_asked_for_put_in_order_and_counted_like_any_other(
    database: Database, made: Any
) -> None:
    assert names(database, 'level = "gold"') == ["1"]
    assert names(database, "level = NULL") == ["3"]
    assert names(database, "age >= 26 and share = NULL") == ["2"]
    assert names(database, "share = 33.33") == ["1"]
    assert names(database, "seen_by = patient.doctor and late = false and called <> NULL") == [
        "1",
        "2",
        "3",
    ]
    with database.read() as session:
        shape, asked = shape_of(session, "visit"), access(session, SYSTEM, "visit")

        def chosen(*condition: Any) -> list[str]:
            asks = [Condition(condition[0], condition[1], tuple(condition[2:]))]
            extra = narrowed(session, SYSTEM, asked, shape, asks)
            page = list_records(session, SYSTEM, "visit", extra=extra, sort=["-age"], count=True)
            assert page.total == len(page.items)
            return [record.label for record in page.items]

        assert chosen("age", "between", "20", "40") == ["1", "2"]
        assert chosen("share", "between", "33.329", "") == ["1"]
        assert chosen("level", "is", "silver") == ["2"]
        assert chosen("level", "blank") == ["3"]
        assert chosen("next_day", "is", "2026-03-04") == ["1", "2", "3"]
        assert chosen("late", "is", "false") == ["1", "2", "3"]
        assert chosen("called", "has", "ZHOU") == ["1"]
        assert chosen("seen_by", "is", str(made["doctor"])) == ["1"]
        pages, mark = [], None
        for _ in range(3):
            page = list_records(session, SYSTEM, "visit", sort=["-age"], limit=1, cursor=mark)
            pages += [record.label for record in page.items]
            mark = page.next
        assert (pages, mark) == (["1", "2", "3"], None)


def test_it_tells_nothing_that_its_asker_may_not_read(database: Database, made: Any) -> None:
    """A field of the linked record that is hidden, a record out of reach, a hidden link."""
    whole = [make.rule("all", "read")]
    for key, patients, visits in (
        ("no_level", [make.rule("all", "read", level="hidden", owes="masked")], whole),
        ("no_patients", [], whole),
        ("no_link", whole, [make.rule("all", "read", patient="hidden")]),
        ("no_value", whole, [make.rule("all", "read", level="hidden", share="hidden")]),
    ):
        forms = {"visit": visits} | ({"patient": patients} if patients else {})
        make.publish(database, "role", make.role(key, forms))
        actor = make.person(database, key, "B1", key)
        seen = read(database, made["first"], actor)
        assert "level" not in seen and "share" not in seen, key
        if key in ("no_patients", "no_link"):
            assert "age" not in seen and seen.get("called") in ("!", None)
        for where in ('level = "gold"', "share > 1"):
            try:
                assert names(database, where, actor) == [], (key, where)
            except Invalid:
                assert key in ("no_link", "no_value")
        if key == "no_link":  # the rule does not name what follows from it, but this it does
            named = [make.rule("all", "read", patient="hidden", level="read")]
            make.publish(database, "role", make.role(key, {"patient": whole, "visit": named}))
            assert read(database, made["first"], actor).keys() & LIVE.keys() >= {"level"}
            assert names(database, 'level = "gold"', actor) == ["1"]
        if key in ("no_level", "no_patients"):  # it is blank, so sorting by it says nothing
            with database.read() as session:
                page = list_records(session, actor, "visit", sort=["level"])
                assert [record.label for record in page.items] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("fields", "more", "at", "code"),
    [
        (
            {"x": make.field("number", x_value="age + 1")},
            {},
            "/properties/x/x-value",
            "E_FOLLOWS_LIVE",
        ),
        ({"x": make.field(x_visible="late")}, {}, "/properties/x/x-visible", "E_FOLLOWS_LIVE"),
        (
            {"x": make.field("number", x_default="age")},
            {},
            "/properties/x/x-default",
            "E_FOLLOWS_LIVE",
        ),
        (
            {"age": make.field("time", x_value="patient.name")},
            {},
            "/properties/age/x-widget",
            "E_LIVE_WIDGET",
        ),
        (
            {"age": make.field("number", x_value="AGE(due)", x_column={"index": True})},
            {},
            "/properties/age/x-column",
            "E_LIVE_WORD",
        ),
        ({"name": make.field(x_value="patient.name")}, {}, "/x-label", "E_LIVE_WORD"),
        ({}, {"x_match": [["level"]]}, "/x-match/0/0", "E_LIVE_WORD"),
        (
            {
                "x": make.field("person", x_value="IF(late_ = NULL, ME(), patient.doctor)"),
                "late_": make.field(),
            },
            {},
            "/properties/x/x-value",
            "E_NOT_KEPT",
        ),
        (
            {"x": make.rows({"n": make.field("number", x_value="YEAR(TODAY())")})},
            {},
            "/properties/x/items/properties/n/x-value",
            "E_NOT_KEPT",
        ),
        (
            {"x": make.field("number", x_value="patient.name")},
            {},
            "/properties/x/x-value",
            "E_EXPECT",
        ),
        (
            {"x": make.field("text", x_value="patient.lvl")},
            {},
            "/properties/x/x-value",
            "E_NO_NAME_NEAR",
        ),
    ],
)
def test_what_it_cannot_be_and_what_cannot_follow_from_it(
    database: Database, fields: make.Json, more: make.Json, at: str, code: str
) -> None:
    document = visit(**fields)
    for word, value in more.items():
        document[word.replace("_", "-")] = value
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", document)
    assert [(problem.path, problem.code) for problem in refusal.value.problems] == [(at, code)]


def test_a_kept_value_becomes_live_and_is_kept_again(database: Database, made: Any) -> None:
    """Its column stays, out of use; kept again, a job computes it anew for every record."""
    kept = {"size": make.field("number", x_value="LEN(name)")}
    make.publish(database, "form", visit(**kept))
    jobs.run(database)
    assert read(database, made["first"])["size"] == 1
    make.publish(database, "form", visit(size=make.field("number", x_value="LEN(patient.name)")))
    assert read(database, made["first"])["size"] == 4
    make.publish(database, "form", visit(size=make.field("number", x_value="LEN(name) + 1")))
    jobs.run(database)
    assert read(database, made["first"])["size"] == 2
    with database.read() as session:
        assert list(violations(session)) == []


def test_a_field_others_use_does_not_become_live(database: Database) -> None:
    fields = {"visit": make.link("visit"), "size": make.field(x_default="visit.name")}
    make.publish(database, "form", make.form("task_of", fields))
    document = visit(name=make.field(x_value="patient.name"))
    del document["x-label"]
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", document)
    assert {problem.code for problem in refusal.value.problems} == {"E_FIELD_IN_USE"}
    hop = {"visit": make.link("visit"), "years": make.field("number", x_value="visit.age")}
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", make.form("other", hop))
    assert [problem.code for problem in refusal.value.problems] == ["E_FOLLOWS_LIVE"]


def test_a_sub_form_is_reckoned_with_what_its_rows_link_to(database: Database) -> None:
    """The rows' own columns are the record's; a hop from a row makes the sum live."""
    make.publish(
        database,
        "form",
        make.form("item", {"name": make.field(), "price": make.field("money")}, x_label="name"),
    )
    rows = make.rows({"item": make.link("item"), "qty": make.field("number")})
    fields = {
        "rows": rows,
        "count": make.field("number", x_value="SUM(rows.qty)"),
        "total": make.field("money", x_value="SUM(rows, qty * item.price)"),
    }
    make.publish(database, "form", make.form("bill", fields))
    item = make.record(database, "item", name="crown", price="10.50")
    made = make.record(database, "bill", rows=[{"item": str(item.id), "qty": 2}])
    assert (made.json()["count"], made.json()["total"]) == (2, "21.00")
    database.write(lambda s: change(s, SYSTEM, "item", item.id, {"price": "11"}))
    with database.read() as session:
        assert get(session, SYSTEM, "bill", made.id).json()["total"] == "22.00"
        assert "total" not in session.execute(text("SELECT * FROM form_bill")).keys()
        assert "count" in session.execute(text("SELECT * FROM form_bill")).keys()


def test_what_it_is_now_may_be_copied(database: Database, made: Any, clock: TurnedClock) -> None:
    """x-fill keeps what a live value was when the record was chosen: the age at the visit."""
    fill = {"from": "visit", "map": {"age_then": "age", "level_then": "level"}}
    visit = {**make.link("visit"), "x-fill": fill}
    fields = {"visit": visit, "age_then": make.field("number"), "level_then": make.field()}
    make.publish(database, "form", make.form("letter", fields))
    letter = make.record(database, "letter", visit=str(made["first"].id))
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    with database.read() as session:
        kept = get(session, SYSTEM, "letter", letter.id).json()
    assert (kept["age_then"], kept["level_then"]) == (35, "gold")
