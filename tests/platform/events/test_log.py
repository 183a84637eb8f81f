"""The log: what happened, once, in order, sealed so that nobody can rewrite it unseen."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.events import handoff
from careloom.platform.events.log import append, subscribe
from careloom.platform.events.model import Event, Handoff
from careloom.platform.events.names import declare
from careloom.platform.events.seal import broken, seal
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Refusal

declare({"test:happened": ("n",)})
subscribe("tester", ["test:happened"])


def happen(session: Session, subject: int = 1, n: int = 0, cause: int | None = None) -> int:
    return append(session, "test:happened", SYSTEM, ("test", subject), None, {"n": n}, cause)


def take(session: Session) -> int | None:
    found = handoff.take(session, "tester")
    handoff.done(session, "tester", found)
    return found[0].data["n"] if found else None


def test_an_event_is_handed_to_who_wants_it_exactly_once(database: Database) -> None:
    database.write(happen)
    assert database.write(take) == 0
    assert database.write(take) is None


def test_an_event_of_a_deed_that_fails_never_happened(database: Database) -> None:
    def deed(session: Session) -> None:
        happen(session)
        raise ValueError

    with pytest.raises(ValueError):
        database.write(deed)
    assert database.write(take) is None


def test_many_workers_take_each_event_once_and_a_subjects_in_order(database: Database) -> None:
    for n in range(60):
        database.write(lambda session, n=n: happen(session, subject=n % 5, n=n))
    taken: list[int] = []

    def work(_: int) -> None:
        while (n := database.write(take)) is not None:
            taken.append(n)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert sorted(taken) == list(range(60))


def test_what_fails_waits_longer_each_time_and_holds_its_subject_only(
    database: Database, clock: TurnedClock
) -> None:
    first = database.write(lambda s: happen(s, subject=1, n=1))
    database.write(lambda s: happen(s, subject=1, n=2))
    database.write(lambda s: happen(s, subject=2, n=3))
    for attempt in range(handoff.MOST_TRIES):
        parked = database.write(lambda s: handoff.failed(s, first, "tester", "broken"))
        assert parked == (attempt == handoff.MOST_TRIES - 1)
    assert database.write(take) == 3
    clock.turn(timedelta(hours=1))
    assert database.write(take) is None
    database.write(lambda s: handoff.retry(s, first, "tester"))
    assert [database.write(take) for _ in range(3)] == [1, 2, None]


def test_a_chain_of_causes_ends(database: Database) -> None:
    def deed(session: Session) -> None:
        cause = None
        for _ in range(20):
            cause = happen(session, cause=cause)

    with pytest.raises(Refusal, match="E_TOO_DEEP"):
        database.write(deed)


def test_an_event_says_only_what_it_declared(database: Database) -> None:
    with pytest.raises(ValueError, match="has no secret"):
        database.write(
            lambda s: append(s, "test:happened", SYSTEM, ("test", 1), None, {"secret": 1})
        )


def test_the_sealed_log_is_gapless_and_whole(database: Database) -> None:
    for n in range(30):
        database.write(lambda session, n=n: happen(session, n=n))
    assert [database.write(lambda s: seal(s, most=12)) for _ in range(4)] == [12, 12, 6, 0]
    with database.read() as session:
        assert session.scalars(select(Event.seq).order_by(Event.seq)).all() == list(range(1, 31))
        assert list(broken(session)) == []
        assert list(broken(session, since=10)) == []


def test_nothing_waits_for_a_handoff_nobody_asked_for(database: Database) -> None:
    database.write(
        lambda s: append(
            s, "pack:applied", SYSTEM, ("pack:x", 1), None, {"key": "x", "version": "1.0.0"}
        )
    )
    with database.read() as session:
        assert session.scalars(select(Handoff)).all() == []
