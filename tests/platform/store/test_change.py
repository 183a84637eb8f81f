"""A form's table changes with its versions, and never loses a value."""

from typing import Any

import make
import pytest
from sqlalchemy import text

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.submit import retire, submit
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid


def document(**fields: Any) -> dict[str, Any]:
    return make.form("thing", {"name": make.field(), **fields})


@pytest.fixture(autouse=True)
def thing(database: Database) -> None:
    make.organisation(database)
    make.publish(database, "form", document(price=make.field("money", x_scale=2)))


def test_a_new_field_has_a_column_and_old_records_are_blank_in_it(database: Database) -> None:
    old = make.record(database, "thing", name="a", price="1.50")
    made = make.publish(
        database, "form", document(price=make.field("money", x_scale=2), age=make.field("number"))
    )
    assert made.version == 2
    assert [(change.path, change.code) for change in made.changes] == [("/properties/age", "C_ADD")]
    new = make.record(database, "thing", name="b", age=3)
    with database.read() as session:
        assert get(session, SYSTEM, "thing", old.id).json() == {"name": "a", "price": "1.50"}
        assert get(session, SYSTEM, "thing", new.id).json() == {"name": "b", "age": 3}
        assert list(violations(session)) == []


def test_a_removed_field_keeps_its_column_and_comes_back_with_its_values(
    database: Database,
) -> None:
    made = make.record(database, "thing", name="a", price="1.50")
    make.publish(database, "form", document())
    with database.read() as session:
        assert get(session, SYSTEM, "thing", made.id).json() == {"name": "a"}
        assert session.scalar(text("SELECT price FROM form_thing")) == 150
    make.publish(database, "form", document(price=make.field("money", x_scale=2)))
    with database.read() as session:
        assert get(session, SYSTEM, "thing", made.id).json() == {"name": "a", "price": "1.50"}


def test_more_decimals_convert_what_is_there(database: Database) -> None:
    made = make.record(database, "thing", name="a", price="1.50")
    make.publish(database, "form", document(price=make.field("money", x_scale=4)))
    with database.read() as session:
        assert get(session, SYSTEM, "thing", made.id).json()["price"] == "1.5000"


def test_a_whole_number_may_get_decimals_and_not_lose_them_again(database: Database) -> None:
    make.publish(database, "form", document(age=make.field("number")))
    made = make.record(database, "thing", name="a", age=-7)
    make.publish(database, "form", document(age=make.field("number", x_scale=2)))
    with database.read() as session:
        assert get(session, SYSTEM, "thing", made.id).json()["age"] == "-7.00"
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", document(age=make.field("number")))
    (problem,) = refusal.value.problems
    assert problem.params == {"was": "number x-scale 2", "now": "number x-scale 0"}


@pytest.mark.parametrize("large", ["9999999999999999.99", "-9999999999999999.99"])
def test_more_decimals_than_a_number_has_room_for_are_refused_whole(
    database: Database, large: str
) -> None:
    """SQLite would keep such a number inexactly and say nothing."""
    make.record(database, "thing", name="a", price="1.50")
    made = make.record(database, "thing", name="b", price=large)
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", document(price=make.field("money", x_scale=3)))
    (problem,) = refusal.value.problems
    assert (problem.path, problem.code) == ("/properties/price/x-scale", "E_NO_ROOM")
    with database.read() as session:
        assert get(session, SYSTEM, "thing", made.id).json()["price"] == large
        assert session.scalar(text("SELECT sum(price) FROM form_thing")) is not None


def test_a_number_that_just_has_room_is_exact_with_more_decimals(database: Database) -> None:
    made = make.record(database, "thing", name="a", price="999999999999.99")
    make.publish(database, "form", document(price=make.field("money", x_scale=6)))
    with database.read() as session:
        assert get(session, SYSTEM, "thing", made.id).json()["price"] == "999999999999.990000"


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (make.field("person"), make.field("unit"), ("person", "unit")),
        (make.link("thing"), make.field("person"), ("link thing", "person")),
        (make.link("thing"), make.link("other"), ("link thing", "link other")),
        (make.field("image"), make.field("choices", x_options=make.fixed("a")), ()),
        (make.field("id_card"), make.field("id_card", x_encrypted=False), ()),
    ],
)
def test_a_field_goes_on_meaning_what_it_meant(
    database: Database, was: dict[str, Any], now: dict[str, Any], told: tuple[str, ...]
) -> None:
    """What is kept alike may mean something else: a person's number is no unit's."""
    make.publish(database, "form", make.form("other", {"name": make.field()}))
    make.publish(database, "form", document(whose=was))
    make.publish(database, "form", document())
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", document(whose=now))
    (problem,) = refusal.value.problems
    assert (problem.path, problem.code) == ("/properties/whose/x-widget", "E_COLUMN_CHANGE")
    assert not told or (problem.params["was"], problem.params["now"]) == told


@pytest.mark.parametrize(
    "field",
    [
        make.field("money", x_scale=1),
        make.field("text"),
        make.field("date"),
        make.field("yesno"),
        make.field("choices", x_options=make.fixed("a")),
    ],
)
def test_a_change_of_type_that_would_lose_data_is_refused(
    database: Database, field: dict[str, Any]
) -> None:
    made = make.record(database, "thing", name="a", price="1.50")
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", document(price=field))
    (problem,) = refusal.value.problems
    assert (problem.path, problem.code) == ("/properties/price/x-widget", "E_COLUMN_CHANGE")
    with database.read() as session:
        assert get(session, SYSTEM, "thing", made.id).json()["price"] == "1.50"


def test_a_removed_field_may_not_come_back_as_another_type(database: Database) -> None:
    make.publish(database, "form", document())
    with pytest.raises(Invalid):
        make.publish(database, "form", document(price=make.field("date")))


def test_a_unique_field_is_unique_among_live_records_only(database: Database) -> None:
    make.publish(database, "form", document(code=make.field(x_column={"unique": True})))
    first = make.record(database, "thing", name="a", code="x")
    with pytest.raises(Invalid) as refusal:
        make.record(database, "thing", name="b", code="x")
    assert [problem.code for problem in refusal.value.problems] == ["E_UNIQUE"]
    database.write(lambda session: retire(session, SYSTEM, "thing", first.id))
    make.record(database, "thing", name="c", code="x")


def test_making_a_field_unique_that_is_not_so_is_refused_whole(database: Database) -> None:
    make.record(database, "thing", name="a")
    make.record(database, "thing", name="a")
    twice = make.form("thing", {"name": make.field(x_column={"unique": True})})
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", twice)
    assert [problem.code for problem in refusal.value.problems] == ["E_NOT_UNIQUE_YET"]
    with database.read() as session:
        assert len(list_records(session, SYSTEM, "thing").items) == 2
    database.write(lambda session: submit(session, SYSTEM, "thing", {"name": "a"}))
