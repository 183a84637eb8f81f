"""A disk that fills in the middle of a group: what was acknowledged is there, nothing else is."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.store import sqlite as sqlite_door
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Unavailable

PAGE = 4096
SPARE_PAGES = 20


@pytest.fixture
def small_disk(sqlite: Database) -> Iterator[Database]:
    """A database whose file may grow by twenty pages only, with a table to write into."""
    sqlite.write(lambda session: session.execute(text("CREATE TABLE probe (name TEXT, body BLOB)")))
    set_limit(sqlite, SPARE_PAGES)
    yield sqlite


def set_limit(database: Database, spare: int) -> None:
    """Let the file grow by so many pages; the limit is the writing connection's own."""

    def limit(session: Session) -> None:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages + spare}"))

    database.write(limit)


def put(
    database: Database, name: str, pages: int = 0, wait: Callable[[], None] | None = None
) -> str:
    """Write one row of so many pages; the answer is the acknowledgement."""

    def deed(session: Session) -> str:
        session.execute(
            text("INSERT INTO probe VALUES (:name, zeroblob(:size))"),
            {"name": name, "size": pages * PAGE},
        )
        if wait is not None:
            wait()
        return name

    return database.write(deed)


def present(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.execute(text("SELECT name FROM probe")).scalars())


def acknowledged(answers: dict[str, Future[str]]) -> set[str]:
    """Those that were answered; every other one must have been told that nothing was written."""
    done = set()
    for name, answer in answers.items():
        failure = answer.exception(timeout=10)
        if failure is None:
            done.add(name)
        else:
            assert isinstance(failure, Unavailable), f"{name}: {failure!r}"
    return done


def test_no_deed_of_a_group_is_acknowledged_when_the_disk_fills_in_it(
    small_disk: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_door, "MOST_SECONDS", 60)
    put(small_disk, "before")
    queued = threading.Event()
    with ThreadPoolExecutor(8) as threads:
        answers = {"first": threads.submit(put, small_disk, "first", 0, lambda: wait_for(queued))}
        wait_until_waiting(small_disk, 0)
        answers["second"] = threads.submit(put, small_disk, "second")
        answers["too big"] = threads.submit(put, small_disk, "too big", SPARE_PAGES * 2)
        wait_until_waiting(small_disk, 2)
        queued.set()
        done = acknowledged(answers)
    assert not done & {"first", "too big"}
    assert present(small_disk) == done | {"before"}


def test_writing_goes_on_once_there_is_room_again(small_disk: Database) -> None:
    put(small_disk, "before")
    with pytest.raises(Unavailable):
        put(small_disk, "too big", SPARE_PAGES * 2)
    set_limit(small_disk, SPARE_PAGES * 4)
    put(small_disk, "too big", SPARE_PAGES * 2)
    assert present(small_disk) == {"before", "too big"}


def test_a_crowd_on_a_full_disk_loses_nothing_it_was_told_of(small_disk: Database) -> None:
    names = [f"{thread}-{number}" for thread in range(8) for number in range(12)]
    with ThreadPoolExecutor(8) as threads:
        answers = {
            name: threads.submit(put, small_disk, name, number % 3)
            for number, name in enumerate(names)
        }
        done = acknowledged(answers)
    assert present(small_disk) == done
    assert 0 < len(done) < len(names), "the disk was to fill on the way"


def wait_for(event: threading.Event) -> None:
    assert event.wait(10)


def wait_until_waiting(database: sqlite_door.SQLite, deeds: int) -> None:
    """Until a group is open and so many deeds queue for it."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if database._group is not None and database._turn.waiting == deeds:
            return
        time.sleep(0.001)
    raise AssertionError(f"{deeds} deeds were to be waiting")
