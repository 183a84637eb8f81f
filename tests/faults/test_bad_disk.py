"""The disk answers with an I/O error at any of the calls by which people's requests are written,
once or from then on: each is refused in plain words or done, what was answered with a success is
there, and with the disk as it was all goes on, once each.

The calls are counted, not guessed, as crash points are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from kills.longer import seed
from prepared import copied
from sqlalchemy import text

from careloom.platform.records.file_check import file_violations
from careloom.platform.store.away import of_the_store
from careloom.platform.store.bodies import Folder
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.work.worker import work_once

from ..conftest import lacking
from ..runtime.clinic import Clinic, clinic_in, sound
from .asked import Asked, some
from .bad_disk import BadDisk, NoLibrary, bad_disk

MOST = 200
PAGE = b"%PDF-1.4\n" + b"x" * 20_000
TOLD = {"E_UNAVAILABLE", "E_FILES_AWAY"}


@dataclass
class OnDisk(Asked):
    """The small clinic's application, in the middle of whose requests its disk fails."""

    disk: BadDisk | None = None
    files: int = 0

    def upload(self, key: str) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        data = {"file": (BytesIO(PAGE), "片子.pdf")}
        answer = self.app.test_client().post("/api/files", data=data, headers=headers)
        return answer.status_code, (answer.json or {}).get("code", "")

    def opened_anew(self, clock: TurnedClock) -> None:
        """As a process that begins."""
        home = self.database.home
        self.database.close()
        database = open_database(f"sqlite:///{home / 'careloom.db'}", home, clock)
        self.clinic = Clinic(database, self.clinic.units, self.clinic.people)
        self.database = database
        self.app = create_app(database, settings_from({"CARELOOM_HOME": str(home)}))


@pytest.fixture
def on_disk(sqlite_template: Path, clock: TurnedClock, tmp_path: Path) -> Iterator[OnDisk]:
    try:
        with bad_disk() as disk:
            home = tmp_path / "home"
            url = copied(f"sqlite:///{sqlite_template}", home)
            database = open_database(url, home, clock)
            site = OnDisk(clinic_in(database), clock, database, disk=disk)
            yield site
            disk.set(0)
            site.database.close()
    except NoLibrary:
        lacking("SQLite as a library of its own")


def requests(site: OnDisk, key: str) -> Iterator[tuple[str, Callable[[], tuple[int, str]]]]:
    """Two leads, a file, and what the worker does of it; each with what is to be there of it."""
    for number in range(2):
        path, body = site.lead()
        yield "form_lead", lambda p=path, b=body, n=number: site.ask(p, b, f"{key}-{n}")  # type: ignore[misc]
    yield "file", lambda: site.upload(f"{key}-file")


def test_an_error_at_any_call_is_told_and_loses_nothing(
    on_disk: OnDisk, clock: TurnedClock, record_property: Callable[[str, object], None]
) -> None:
    site, disk = on_disk, on_disk.disk
    assert disk is not None
    for _, ask in requests(site, "warm"):
        assert ask()[0] == 201
    disk.set(0)
    for _, ask in requests(site, "unharmed"):
        assert ask()[0] == 201
    work_once(site.database)
    chance, counted = seed(), disk.calls
    places = some(min(counted, MOST), chance)
    wanted = {"form_lead": 4, "file": 2}
    for at in places:
        lasts, told = at % 2 == 0, f"call {at} of {counted}, seed {chance}"
        asked = list(requests(site, f"key-{at}"))
        disk.set(at, lasts)
        done: list[bool] = []
        for table, ask in asked:
            wanted[table] += 1
            status, code = ask()
            assert status == 201 or (status, code in TOLD) == (503, True), (told, status, code)
            done.append(status == 201)
        attempt(site)
        disk.set(0)
        if not all(done) or at % 5 == 0:
            site.opened_anew(clock)
        for (_, ask), was_done in zip(asked, done, strict=True):
            status, code = ask()
            assert status == 201, (told, was_done, code)
        work_once(site.database)
        assert {table: site.count(f"SELECT count(*) FROM {table}") for table in wanted} == wanted, (
            told
        )
        whole(site, told)
    record_property("crash points", len(places))


def attempt(site: OnDisk) -> None:
    """Whatever the worker meets, its thread tells of and looks again."""
    try:
        work_once(site.database)
    except Exception as error:
        assert of_the_store(error), error


def whole(site: OnDisk, told: str) -> None:
    """The file is, the house is, and every attached file is whole and somebody's."""
    with site.database.read() as session:
        assert session.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"], told
        found = list(file_violations(session, Folder(site.database.home / "files")))
        assert found == [], told
    assert sound(site.clinic), told
