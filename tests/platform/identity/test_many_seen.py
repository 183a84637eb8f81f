"""Whoever is shown very many records in a short time stands in the trail as an alarm."""

import logging
from datetime import timedelta

import make
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.events.model import Event
from careloom.platform.events.view_log import looked
from careloom.platform.identity.many_seen import MANY, write_shown
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database

MINUTE = timedelta(minutes=1)


@pytest.fixture
def somebody(database: Database) -> int:
    make.organisation(database)
    number = make.person(database, "ann", "B1").person_id
    assert number is not None
    return number


def shown(
    database: Database, person: int | None, ids: range, form: str = "lead", purpose: str = "list"
) -> None:
    rows = looked([(form, purpose, tuple(ids))], database.clock.now(), person, "::1")

    def deed(session: Session) -> None:
        write_shown(session, rows)

    database.write(deed)


def alarms(database: Database) -> list[tuple[int, dict[str, int]]]:
    with database.read() as session:
        found = session.scalars(select(Event).where(Event.name == "person:saw_many"))
        return [(event.subject_id, dict(event.data)) for event in found]


def test_many_records_within_minutes_are_an_alarm_and_fewer_are_none(
    database: Database, clock: TurnedClock, somebody: int, caplog: pytest.LogCaptureFixture
) -> None:
    half = MANY // 2
    shown(database, somebody, range(half))
    clock.turn(11 * MINUTE)
    shown(database, somebody, range(half, MANY), purpose="export")
    assert alarms(database) == [], "each half in its own ten minutes"
    clock.turn(MINUTE)
    with caplog.at_level(logging.WARNING):
        shown(database, somebody, range(MANY - half), form="visit")
    assert alarms(database) == [(somebody, {"records": 2 * half, "minutes": 10})]
    assert str(somebody) in caplog.text


def test_the_same_records_over_and_over_are_no_more_than_they_are(
    database: Database, somebody: int
) -> None:
    for _ in range(5):
        shown(database, somebody, range(MANY // 2))
    assert alarms(database) == []


def test_it_is_said_once_an_hour_of_each_and_of_nobody_elses_looking(
    database: Database, clock: TurnedClock, somebody: int
) -> None:
    other = make.person(database, "bea", "B1").person_id
    for _ in range(3):
        shown(database, somebody, range(MANY))
        shown(database, other, range(MANY - 1))
        shown(database, None, range(MANY))  # the house itself
        clock.turn(MINUTE)
    assert [person for person, _ in alarms(database)] == [somebody]
    clock.turn(61 * MINUTE)
    shown(database, somebody, range(MANY))
    assert [person for person, _ in alarms(database)] == [somebody, somebody]
