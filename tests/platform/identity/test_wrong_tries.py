"""Tries that led to no sign-in stand in the trail: one event for a login and window."""

from typing import Any

import make
import pytest
from sqlalchemy import func, select

from careloom.platform.events.model import Event
from careloom.platform.identity import attempts, people
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.identity.model import Attempt
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database

HERE, THERE = "10.0.0.1", "10.0.0.2"


@pytest.fixture
def lina(database: Database) -> Actor:
    make.organisation(database)
    return make.person(database, "lina", "B1")


def tried(database: Database, login: str, person: Actor | None, *addresses: str) -> None:
    number = person.person_id if person else None
    for address in addresses:
        database.write(lambda s, at=address: attempts.count(s, login, at, number))  # type: ignore[misc]


def told(database: Database) -> list[tuple[str, int, dict[str, Any]]]:
    with database.read() as session:
        events = session.scalars(
            select(Event).where(Event.name.endswith("tried")).order_by(Event.id)
        ).all()
    return [(event.name, event.subject_id, event.data) for event in events]


def test_a_logins_tries_are_one_event_once_their_window_is_over(
    database: Database, clock: TurnedClock, lina: Actor
) -> None:
    began = clock.now()
    tried(database, "lina", lina, *[HERE] * 30, THERE)
    assert told(database) == []
    clock.turn(attempts.WINDOW)
    tried(database, "lina", lina, HERE)
    data = {"tries": 31, "since": began.isoformat(), "address": THERE}
    assert told(database) == [("person:tried", lina.person_id, data)]
    with database.read() as session:
        event = session.scalars(select(Event).where(Event.name == "person:tried")).one()
        assert event.unit_id == lina.unit_id and event.actor_id is None


def test_a_worker_tells_them_while_nobody_signs_in(
    database: Database, clock: TurnedClock, lina: Actor
) -> None:
    tried(database, "lina", lina, HERE, HERE)
    attempts.tell_in_time(database)
    assert told(database) == []
    clock.turn(attempts.WINDOW)
    for _ in range(2):
        attempts.tell_in_time(database)
    assert [data["tries"] for _, _, data in told(database)] == [2]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0


def test_a_flood_of_logins_that_nobody_has_is_an_event_a_window(
    database: Database, clock: TurnedClock, lina: Actor
) -> None:
    for quarter in range(3):
        for number in range(40):
            tried(database, f"guess{quarter}.{number}", None, HERE, THERE)
        clock.turn(attempts.WINDOW)
    clock.turn(attempts.WINDOW)
    for _ in range(3):
        attempts.tell_in_time(database)
        clock.turn(attempts.WINDOW)
    found = told(database)
    assert {name for name, _, _ in found} == {"person:unknown_tried"} and len(found) <= 3
    assert sum(data["tries"] for _, _, data in found) == 240
    assert sum(data["logins"] for _, _, data in found) == 120
    assert all("guess" not in str(data) for _, _, data in found), "nothing that was typed"


def test_right_tries_are_not_told_as_wrong_ones(
    database: Database, clock: TurnedClock, lina: Actor
) -> None:
    tried(database, "lina", lina, HERE)
    database.write(lambda s: attempts.forgive(s, "lina", HERE))
    assert told(database) == []
    tried(database, "lina", lina, HERE, HERE, HERE)  # one wrong, then the right one, then its code
    database.write(lambda s: attempts.passed(s, "lina"))
    database.write(lambda s: attempts.forgive(s, "lina", HERE))
    assert [data["tries"] for _, _, data in told(database)] == [1]
    tried(database, "lina", lina, HERE)
    database.write(lambda s: attempts.passed(s, "lina"))
    clock.turn(attempts.WINDOW)
    attempts.tell_in_time(database)
    assert len(told(database)) == 1


def test_who_is_let_try_again_was_tried_all_the_same(database: Database, lina: Actor) -> None:
    tried(database, "lina", lina, *[HERE] * 12)
    database.write(lambda s: people.let_try_again(s, SYSTEM, lina.person_id or 0))
    assert [data["tries"] for _, _, data in told(database)] == [12]
