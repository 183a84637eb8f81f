"""Backups taken while people write, restored into an empty home of the other kind: the state that
comes back is one that was, and sound."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from kills.longer import times
from prepared import dropped
from sqlalchemy import text

from careloom.platform.records.backup import back_up
from careloom.platform.records.bring_back import bring_back
from careloom.platform.records.check import violations
from careloom.platform.records.file_check import file_violations
from careloom.platform.store.bodies import Folder
from careloom.platform.store.database import Database, open_database
from careloom.runtime.flows.soundness import flows_are_sound
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, done, listed

pytestmark = pytest.mark.timeout(3600)
WRITERS = 2


@pytest.fixture
def people(clinic: Clinic) -> Iterator[list[int]]:
    """They submit leads and finish calls until the end of the test; the leads acknowledged."""
    over, told = threading.Event(), list[int]()

    def live(number: int) -> None:
        made = 0
        while not over.is_set():
            told.append(clinic.started(f"客户{number}-{made}"))
            made += 1
            if number == 0 and made % 3 == 0 and (calls := listed(clinic, "ann")):
                if calls[0].step_key == "first_call":
                    done(clinic, "ann", calls[0].id, result="answered")

    threads = [threading.Thread(target=live, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    yield told
    over.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def empty(
    request: pytest.FixtureRequest, clinic: Clinic, tmp_path: Path
) -> Iterator[Callable[[], Database]]:
    """An empty database of the other kind than the clinic's, each time another."""
    opened: list[Database] = []

    def made() -> Database:
        home = tmp_path / f"empty{len(opened)}"
        home.mkdir()
        url = f"sqlite:///{home}/careloom.db"
        if clinic.database.dialect == "sqlite":
            server, name = request.getfixturevalue("postgresql"), f"t_{uuid4().hex}"
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            url = f"{server}/{name}"
        opened.append(open_database(url, home, clinic.database.clock))
        return opened[-1]

    yield made
    for each in opened:
        url = each.url.replace("postgresql+psycopg://", "postgresql://")
        each.close()
        if each.dialect == "postgresql":
            dropped(url)


def test_what_comes_back_is_a_state_that_was(
    clinic: Clinic,
    people: list[int],
    empty: Callable[[], Database],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    for number in range(times("DRILLS")):
        file, before = tmp_path / f"{number}.backup", set(people)
        back_up(clinic.database, Folder(clinic.database.home / "files"), file)
        target = empty()
        bodies = Folder(target.home / "files")
        bring_back(target, bodies, file)
        with target.read() as session:
            there = set(session.scalars(text("SELECT _id FROM form_lead")))
            found = [*violations(session), *flows_are_sound(session)]
            found += file_violations(session, bodies)
        assert found == []
        assert before <= there, "what was acknowledged before the backup is in it"
        work_once(target)
        with target.read() as session:
            assert list(violations(session)) == []
    record_property("drills", times("DRILLS"))
