"""Ids grow with time, and no two are the same."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.ids import SINCE_MS
from careloom.platform.store.session import new_id


def test_an_id_says_when_it_was_made(database: Database, clock: TurnedClock) -> None:
    made = database.write(new_id)
    assert (made >> 22) + SINCE_MS == int(clock.now().timestamp() * 1000)


def test_ids_of_many_threads_are_all_different(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        batches = list(
            threads.map(
                lambda _: database.write(lambda s: [new_id(s) for _ in range(500)]), range(16)
            )
        )
    made = [one for batch in batches for one in batch]
    assert len(set(made)) == len(made) == 8000


def test_a_clock_turned_back_does_not_make_an_id_again(
    database: Database, clock: TurnedClock
) -> None:
    before = database.write(lambda s: [new_id(s) for _ in range(10)])
    clock.turn(timedelta(hours=-1))
    after = database.write(lambda s: [new_id(s) for _ in range(10)])
    assert min(after) > max(before)


def test_two_processes_do_not_share_a_node(
    database: Database, database_url: str, tmp_path: Path, clock: TurnedClock
) -> None:
    other = open_database(database_url, tmp_path / "home", clock)
    try:
        ours, theirs = database.write(new_id), other.write(new_id)
    finally:
        other.close()
    assert (ours >> 12) & 1023 != (theirs >> 12) & 1023


def test_a_node_is_leased_again_only_after_its_lease(
    database: Database, database_url: str, tmp_path: Path, clock: TurnedClock
) -> None:
    database.write(new_id)
    for _ in range(3):
        other = open_database(database_url, tmp_path / "home", clock)
        other.write(new_id)
        other.close()
        clock.turn(timedelta(minutes=11))
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM node")).scalar() == 2


def test_a_lease_lost_with_its_transaction_is_taken_anew(database: Database) -> None:
    def refused(session: object) -> None:
        raise ValueError

    try:
        database.write(refused)
    except ValueError:
        pass
    made = database.write(new_id)
    with database.read() as session:
        leased = session.execute(text("SELECT number FROM node")).scalars().all()
    assert (made >> 12) & 1023 in leased


def test_a_clock_that_jumps_in_the_middle_of_a_deed_keeps_the_deed(
    database: Database, clock: TurnedClock
) -> None:
    """The lease was held against the deed's one reading of the clock."""

    def deed(session: Session) -> list[int]:
        first = new_id(session)
        clock.turn(timedelta(hours=3))
        return [first, new_id(session)]

    first, second = database.write(deed)
    assert first < second < database.write(new_id)


def test_a_clock_that_jumps_before_the_first_question_keeps_the_deed(
    database: Database, clock: TurnedClock
) -> None:
    database.write(new_id)

    def deed(session: Session) -> int:
        clock.turn(timedelta(hours=3))
        return new_id(session)

    assert database.write(deed) < database.write(new_id)
