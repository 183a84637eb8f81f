"""PostgreSQL gives a transaction up at any statement that writes or locks, as it does to resolve a
deadlock: the deed is done again, and nobody notices.

The statements are counted, not guessed, as crash points are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import psycopg
import pytest
from kills.crash_points import writes
from kills.longer import seed

from careloom.platform.store.clock import TurnedClock
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, sound
from .asked import BEGUN, Asked, Question, some

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.parametrize("clinic", ["postgresql"], indirect=True),
]
STATES = ("40P01", "40001", "55P03")  # a deadlock, a conflict, a lock not to be had in time
GIVE_UP = "DO $$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '{}'; END $$"
LOCKS = ("FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "PG_ADVISORY_XACT_LOCK")
Told = Callable[[str, object], None]


def locks(query: str) -> bool:
    return any(words in query.upper() for words in LOCKS)


@dataclass
class Passed:
    """How many such statements were sent."""

    number: int = 0


@contextmanager
def given_up(at: int = 0, state: str = "") -> Iterator[Passed]:
    """The server refuses the at-th of them."""
    passed = Passed()

    def counting(send: Any) -> Any:
        def sent(cursor: Any, query: Any, *given: Any, **more: Any) -> Any:
            if isinstance(query, str) and (writes(query) or locks(query)):
                passed.number += 1
                if passed.number == at:
                    return psycopg.Cursor.execute(cursor, GIVE_UP.format(state))
            return send(cursor, query, *given, **more)

        return sent

    with pytest.MonkeyPatch.context() as patch:
        for name in ("execute", "executemany"):
            patch.setattr(psycopg.Cursor, name, counting(getattr(psycopg.Cursor, name)))
        yield passed


@pytest.fixture
def asked(clinic: Clinic, clock: TurnedClock) -> Asked:
    return Asked(clinic, clock, clinic.database)


@pytest.mark.parametrize("what", ["lead", "call"])
def test_a_request_is_done_again_unnoticed(asked: Asked, what: str, record_property: Told) -> None:
    wanted: Callable[[], Question] = getattr(asked, what)
    rows, chance = f"SELECT count(*) FROM form_{what}", seed()
    assert asked.ask(*wanted(), "first")[0] in (200, 201)
    question = wanted()
    with given_up() as unharmed:
        assert asked.ask(*question, "second")[0] in (200, 201)
    places = some(unharmed.number, chance)
    for at, state in zip(places, cycle(STATES), strict=False):
        question, before = wanted(), asked.count(rows)
        told = f"{what}, {state} at {at} of {unharmed.number}, seed {chance}"
        with given_up(at, state) as passed:
            assert asked.ask(*question, f"key-{at}")[0] in (200, 201), told
        assert passed.number > at, f"nothing was done again: {told}"
        assert asked.count(rows) == before + 1, told
    work_once(asked.database)
    assert sound(asked.clinic)
    record_property("crash points", len(places))


def test_a_worker_begins_each_flow_once(asked: Asked, record_property: Told) -> None:
    work_once(asked.database)
    asked.new_leads()
    with given_up() as unharmed:
        work_once(asked.database)
    chance = seed()
    places = some(unharmed.number, chance)
    for at, state in zip(places, cycle(STATES), strict=False):
        asked.new_leads()
        with given_up(at, state):
            work_once(asked.database)
        told = f"{state} at {at} of {unharmed.number}, seed {chance}"
        assert asked.count(BEGUN) == asked.made, told
        assert asked.count("SELECT count(*) FROM instance") == asked.made, told
    assert sound(asked.clinic)
    record_property("crash points", len(places))
