"""A record as it stood at a moment, and taken out of use and into use again."""

from datetime import timedelta

import make
import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.past import as_of, history
from careloom.platform.records.submit import change, restore, retire
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, Invalid, NotAllowed, NotFound, Stale

FIELDS = {
    "name": make.field(),
    "code": make.field(x_column={"unique": True}),
    "price": make.field("money"),
    "id_no": make.field("id_card"),
    "items": make.rows({"n": make.field("number")}),
    "twice": make.field("money", x_value="price * 2"),
}
NUMBER = "110101199003070038"


@pytest.fixture(autouse=True)
def thing(database: Database) -> None:
    make.organisation(database)
    make.publish(database, "form", make.form("thing", FIELDS, x_label="name"))


def test_a_record_is_read_as_it_stood_at_any_moment(database: Database, clock: TurnedClock) -> None:
    before = clock.now() - timedelta(seconds=1)
    made = make.record(
        database, "thing", name="a", price="1.50", id_no=NUMBER, items=[{"n": 1}, {"n": 2}]
    )
    first = clock.now()
    clock.turn(timedelta(hours=1))
    given = {"name": "b", "price": "2", "items": [{"n": 3}], "id_no": None}
    database.write(lambda s: change(s, SYSTEM, "thing", made.id, given))
    clock.turn(timedelta(hours=1))
    finer = FIELDS | {"price": make.field("money", x_scale=4)}
    del finer["items"]
    make.publish(database, "form", make.form("thing", finer, x_label="name"))
    with database.read() as session:
        then = as_of(session, SYSTEM, "thing", made.id, at=first)
        assert then.json() == {
            "name": "a",
            "price": "1.5000",
            "twice": "3.00",
            "id_no": NUMBER,
        }  # what the form has no more is not told
        assert (then.revision, then.version, then.label, then.updated_at) == (1, 1, "a", first)
        for at in (first + timedelta(minutes=59), None):
            revision = as_of(session, SYSTEM, "thing", made.id, at=at).revision
            assert revision == (1 if at else 2)
        assert as_of(session, SYSTEM, "thing", made.id, revision=1).json() == then.json()
        with pytest.raises(NotFound, match="E_NOT_YET"):
            as_of(session, SYSTEM, "thing", made.id, at=before)


def test_the_past_is_told_by_the_rights_of_today(database: Database) -> None:
    made = make.record(database, "thing", name="Wang", price="1.50", id_no=NUMBER)
    rules = [make.rule("branch", "read", price="hidden", id_no="masked")]
    make.publish(database, "role", make.role("desk", {"thing": rules}))
    desk, stranger = (
        make.person(database, "desk", "B1", "desk"),
        make.person(database, "stranger", "B1"),
    )
    with database.read() as session:
        seen = as_of(session, desk, "thing", made.id, revision=1).json()
        assert set(seen) == {"name", "id_no"} and NUMBER not in seen["id_no"]
        with pytest.raises(NotFound):
            as_of(session, stranger, "thing", made.id, revision=1)


def test_a_retired_record_comes_back_with_history_and_event(database: Database) -> None:
    made = make.record(database, "thing", name="a", price="1", code="x")
    database.write(lambda s: retire(s, SYSTEM, "thing", made.id))
    with database.read() as session:
        assert list_records(session, SYSTEM, "thing").items == []
        assert [r.id for r in list_records(session, SYSTEM, "thing", retired=True).items] == [
            made.id
        ]
    thrice = make.form("thing", FIELDS | {"twice": make.field("money", x_value="price * 3")})
    make.publish(database, "form", thrice)
    back = database.write(lambda s: restore(s, SYSTEM, "thing", made.id, revision=2))
    assert (back.retired_at, back.revision, back.json()["twice"]) == (None, 3, "3.00")
    with database.read() as session:
        actions = [line.action for line in history(session, SYSTEM, "thing", made.id)]
        assert actions == ["restore", "retire", "submit"]
        assert as_of(session, SYSTEM, "thing", made.id, revision=2).retired_at is not None
        assert get(session, SYSTEM, "thing", made.id).retired_at is None
        assert list(violations(session)) == []


def test_what_another_has_by_now_forbids_to_restore(database: Database) -> None:
    first = make.record(database, "thing", name="a", code="x")
    database.write(lambda s: retire(s, SYSTEM, "thing", first.id))
    make.record(database, "thing", name="b", code="x")
    with pytest.raises(Conflict, match="E_RESTORE_UNIQUE") as refusal:
        database.write(lambda s: restore(s, SYSTEM, "thing", first.id))
    assert [problem.path for problem in refusal.value.problems] == ["/code"]
    with pytest.raises(Invalid):  # nor can it be had by a new record
        make.record(database, "thing", name="c", code="x")


def test_only_who_may_retire_may_restore_and_only_what_is_retired(database: Database) -> None:
    made = make.record(database, "thing", name="a")
    rules = [make.rule("branch", "read", "change")]
    make.publish(database, "role", make.role("desk", {"thing": rules}))
    desk = make.person(database, "desk", "B1", "desk")
    with pytest.raises(Conflict, match="E_NOT_RETIRED"):
        database.write(lambda s: restore(s, SYSTEM, "thing", made.id))
    database.write(lambda s: retire(s, SYSTEM, "thing", made.id))
    with pytest.raises(NotAllowed):
        database.write(lambda s: restore(s, desk, "thing", made.id))
    with pytest.raises(Stale):
        database.write(lambda s: restore(s, SYSTEM, "thing", made.id, revision=1))
