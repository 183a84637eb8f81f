"""A house without its records, in a database of its own."""

from datetime import timedelta
from pathlib import Path

import make
import pytest
from sqlalchemy import func, select

from careloom.platform.definitions.published import published
from careloom.platform.identity import grants
from careloom.platform.identity.actor import SYSTEM, actor_of
from careloom.platform.identity.model import GrantRow, Person
from careloom.platform.identity.tree import intake_of, tree
from careloom.platform.records.hollow import ALWAYS, hollow
from careloom.platform.records.lists import list_records
from careloom.platform.records.submit import submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.errors import NotFound

BILL = make.form(
    "bill",
    {"no": make.field(), "lines": make.rows({"what": make.field()}), "note": make.field()},
    x_label="no",
)


def test_what_is_tried_out_finds_people_units_and_definitions_and_no_record(
    database: Database, tmp_path: Path, clock: TurnedClock
) -> None:
    at = make.organisation(database)
    for document in (make.form("bill", {"no": make.field()}), BILL):
        make.publish(database, "form", document)
    role = make.role("desk", {"bill": [make.rule("all", "read", "create")]})
    make.publish(database, "role", role)
    desk = make.person(database, "desk", "B2", "desk")
    assert desk.person_id
    number = desk.person_id

    def settle(session: object) -> None:
        session.get_one(Person, number).password_hash = "argon"  # type: ignore[attr-defined]

    database.write(settle)
    for unit, days in (("B1", 1), ("R", 9)):
        until = clock.now() + timedelta(days=days)
        database.write(
            lambda s, u=unit, t=until: grants.give(s, SYSTEM, number, "desk", at[u], until=t)
        )
    make.record(database, "bill", no="1", lines=[{"what": "x"}])
    clock.turn(timedelta(days=2))
    with database.read() as session:
        made = hollow(session)
    second = open_database(f"sqlite:///{tmp_path}/second.db", tmp_path / "second", clock)
    made.put(second)
    with second.read() as session:
        assert list_records(session, SYSTEM, "bill").items == []
        assert published(session, "form", "bill").document == BILL
        with pytest.raises(NotFound):
            published(session, "form", "bill", 1)
        assert {place.code for place in tree(session).places.values()} == {"G", "R", "B1", "B2"}
        assert intake_of(session, at["G"]) == at["B1"]
        assert tree(session).places[at["B2"]].time_zone == "Asia/Urumqi"
        assert session.scalar(select(func.count()).where(Person.password_hash.is_not(None))) == 0
        held = session.execute(select(GrantRow.unit_id, GrantRow.since)).all()
        assert sorted(held) == sorted([(at["B2"], ALWAYS), (at["R"], ALWAYS)])
        asker = actor_of(session, number)
    values = {"no": "7", "lines": [{"what": "a"}, {"what": "b"}], "note": "n"}
    second.write(lambda session: submit(session, asker, "bill", values))
    with second.read() as session:
        (one,) = list_records(session, asker, "bill").items
        assert one.json()["lines"][1]["what"] == "b"
    second.close()
    with database.read() as session:
        assert len(list_records(session, SYSTEM, "bill").items) == 1
