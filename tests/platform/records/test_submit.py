"""A record goes through one door: everything is checked, then row, history and event are one."""

from decimal import Decimal
from typing import Any

import make
import pytest
from sqlalchemy import func, select, text

from careloom.platform.events.model import Event
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get
from careloom.platform.records.past import history
from careloom.platform.records.submit import change, retire, submit
from careloom.platform.store.database import Database
from careloom.platform.store.errors import (
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    Refusal,
    Stale,
)
from careloom.platform.store.history import RecordHistory

VISIT = make.form(
    "visit",
    {
        "name": make.field(),
        "kind": make.field("choice", x_options=make.fixed("first", "return")),
        "reason": make.field(x_visible='kind = "return"', x_required='kind = "return"'),
        "price": make.field("money", x_scale=2),
        "count": make.field("number", x_default="1"),
        "total": make.field("money", x_scale=2, x_value="price * count"),
        "phone": make.field("phone"),
        "number": make.field("serial", x_serial="V{yyyy}-{seq:4}"),
    },
    ["name"],
    x_rules=[
        {
            "key": "cheap",
            "if": "ISBLANK(price) or price <= 1000",
            "message": "too dear",
            "field": "price",
        }
    ],
    x_label="name",
)


@pytest.fixture(autouse=True)
def units(database: Database) -> dict[str, int]:
    at = make.organisation(database)
    make.publish(database, "form", VISIT)
    return at


def problems(refusal: pytest.ExceptionInfo[Refusal]) -> dict[str, str]:
    return {problem.path: problem.code for problem in refusal.value.problems}


def count(database: Database, *tables: Any) -> list[int]:
    with database.read() as session:
        return [session.scalar(select(func.count()).select_from(t)) or 0 for t in tables]


def test_a_record_is_a_row_a_history_row_and_an_event(database: Database) -> None:
    made = make.record(database, "visit", name="Wang", price="12.50", count=3)
    assert made.json() == {
        "name": "Wang",
        "price": "12.50",
        "count": 3,
        "total": "37.50",
        "number": "V2026-0001",
    }
    assert made.values["total"] == Decimal("37.50")
    assert count(database, text("form_visit"), RecordHistory) == [1, 1]
    with database.read() as session:
        assert list(violations(session)) == []
        event = session.scalars(select(Event).where(Event.name == "record:submitted")).one()
    assert (event.subject_kind, event.subject_id) == ("form:visit", made.id)


def test_every_problem_is_told_at_once_with_its_field(database: Database) -> None:
    before = count(database, text("form_visit"), RecordHistory, Event)
    given = {"kind": "third", "phone": "12", "price": "1200", "age": 3, "number": "mine"}
    with pytest.raises(Invalid) as refusal:
        database.write(lambda s: submit(s, SYSTEM, "visit", given))
    assert problems(refusal) == {
        "/kind": "E_OPTION",
        "/phone": "E_PHONE",
        "/price": "E_RULE",
        "/age": "E_UNKNOWN_FIELD",
        "/name": "E_REQUIRED",
    }
    assert count(database, text("form_visit"), RecordHistory, Event) == before


def test_a_hidden_field_is_neither_required_nor_kept(database: Database) -> None:
    first = make.record(database, "visit", name="Wang", kind="first", reason="pain")
    assert "reason" not in first.values
    with pytest.raises(Invalid) as refusal:
        make.record(database, "visit", name="Wang", kind="return")
    assert problems(refusal) == {"/reason": "E_REQUIRED"}


def test_serial_numbers_have_no_gaps_though_submissions_fail(database: Database) -> None:
    for given in ({"name": "a"}, {}, {"name": "b"}, {"phone": "1"}, {"name": "c"}):
        try:
            make.record(database, "visit", **given)
        except Invalid:
            pass
    with database.read() as session:
        numbers = session.scalars(text("SELECT number FROM form_visit ORDER BY _id")).all()
    assert numbers == ["V2026-0001", "V2026-0002", "V2026-0003"]


def test_a_change_keeps_what_it_does_not_name(database: Database) -> None:
    made = make.record(database, "visit", name="Wang", price="10", phone="13800000000")
    after = database.write(
        lambda s: change(s, SYSTEM, "visit", made.id, {"count": 4, "phone": None})
    )
    assert after.revision == 2
    assert after.json() == {
        "name": "Wang",
        "price": "10.00",
        "count": 4,
        "total": "40.00",
        "number": "V2026-0001",
    }


def test_a_change_that_changes_nothing_writes_nothing(database: Database) -> None:
    made = make.record(database, "visit", name="Wang")
    before = count(database, RecordHistory, Event)
    same = database.write(lambda s: change(s, SYSTEM, "visit", made.id, {"name": " Wang "}))
    assert same.revision == 1
    assert count(database, RecordHistory, Event) == before


def test_a_stale_change_is_told_what_stands_now(database: Database) -> None:
    made = make.record(database, "visit", name="Wang")
    database.write(lambda s: change(s, SYSTEM, "visit", made.id, {"name": "Li"}, revision=1))
    with pytest.raises(Stale) as refusal:
        database.write(lambda s: change(s, SYSTEM, "visit", made.id, {"name": "Xu"}, revision=1))
    assert refusal.value.current.values["name"] == "Li"


def test_a_retired_record_stays_and_changes_no_more(database: Database) -> None:
    made = make.record(database, "visit", name="Wang")
    database.write(lambda s: retire(s, SYSTEM, "visit", made.id))
    with pytest.raises(Conflict, match="E_RETIRED"):
        database.write(lambda s: change(s, SYSTEM, "visit", made.id, {"name": "Li"}))
    with database.read() as session:
        assert get(session, SYSTEM, "visit", made.id).retired_at is not None
        assert list(violations(session)) == []


def test_history_tells_each_change_from_and_to(database: Database) -> None:
    made = make.record(database, "visit", name="Wang", price="10")
    database.write(lambda s: change(s, SYSTEM, "visit", made.id, {"price": "20"}))
    with database.read() as session:
        newest, oldest = history(session, SYSTEM, "visit", made.id)
    assert newest.changed == {"price": ("10.00", "20.00"), "total": ("10.00", "20.00")}
    assert oldest.changed["name"] == (None, "Wang")


def test_a_record_goes_where_its_writer_is_or_to_who_takes_intake(
    database: Database, units: dict[str, int]
) -> None:
    make.publish(database, "role", make.role("desk", {"visit": [make.rule("branch", "create")]}))
    desk = make.person(database, "desk", "B2", "desk")
    assert make.record(database, "visit", desk, name="a").unit_id == units["B2"]
    assert make.record(database, "visit", SYSTEM, name="b").unit_id == units["B1"]


def test_who_may_not_create_learns_only_that(database: Database) -> None:
    reader = make.role("reader", {"visit": [make.rule("branch", "read")]})
    make.publish(database, "role", reader)
    someone = make.person(database, "someone", "B1", "reader")
    with pytest.raises(NotAllowed):
        make.record(database, "visit", someone, name="a")


def test_a_field_that_may_only_be_read_is_refused_and_a_hidden_one_unknown(
    database: Database,
) -> None:
    rules = [make.rule("branch", "read", "create", "change", price="read", phone="hidden")]
    make.publish(database, "role", make.role("desk", {"visit": rules}))
    desk = make.person(database, "desk", "B1", "desk")
    with pytest.raises(Invalid) as refusal:
        make.record(database, "visit", desk, name="a", price="1", phone="13800000000", total="1")
    assert problems(refusal) == {
        "/price": "E_READ_ONLY",
        "/phone": "E_UNKNOWN_FIELD",
        "/total": "E_READ_ONLY",
    }


def test_changing_what_one_may_not_see_says_it_is_not_there(database: Database) -> None:
    rules = [make.rule("own", "read", "create", "change")]
    make.publish(database, "role", make.role("desk", {"visit": rules}))
    desk, other = (
        make.person(database, "d1", "B1", "desk"),
        make.person(database, "d2", "B1", "desk"),
    )
    made = make.record(database, "visit", desk, name="a")
    with pytest.raises(NotFound):
        database.write(lambda s: change(s, other, "visit", made.id, {"name": "b"}))


def test_a_person_who_may_not_see_a_field_keeps_it_when_changing_others(
    database: Database,
) -> None:
    rules = [make.rule("branch", "read", "change", phone="hidden")]
    make.publish(database, "role", make.role("desk", {"visit": rules}))
    desk = make.person(database, "desk", "B1", "desk")
    made = make.record(database, "visit", name="a", phone="13800000000")
    database.write(lambda s: change(s, desk, "visit", made.id, {"name": "b"}))
    with database.read() as session:
        assert get(session, SYSTEM, "visit", made.id).values["phone"] == "13800000000"
        assert "phone" not in get(session, desk, "visit", made.id).values


def test_the_index_has_the_last_word_of_two_who_ask_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both found the value free before either wrote it; the second is refused by the database."""
    card = make.form("card", {"number": make.field(x_column={"unique": True})})
    make.publish(database, "form", card)
    make.record(database, "card", number="7")
    monkeypatch.setattr("careloom.platform.records.submit.unique_problems", lambda *_: [])
    with pytest.raises(Conflict, match="E_UNIQUE"):
        make.record(database, "card", number="7")
    with database.read() as session:
        assert list(violations(session)) == []
