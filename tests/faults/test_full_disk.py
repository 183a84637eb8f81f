"""A disk that is full in the middle of an import, of an attached file, of a backup: what was
acknowledged is there, no half file is kept, the error is in plain words; with room it goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prepared import copied
from sqlalchemy import text

from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.bring import bring, read_rows
from careloom.platform.records.sheet import read_sheet
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database
from careloom.platform.store.errors import Unavailable
from careloom.platform.verbs.backup import backup
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.work.worker import work_once

from ..conftest import lacking
from ..runtime.clinic import Clinic, clinic_in, form, sound
from ..runtime.clinic import text as text_field
from .small_disk import Refused, SmallDisk, small_disk

MEGABYTES = 32
ROWS = 400
PAGE = b"%PDF-1.4\n" + b"x" * (4 << 20)
GUEST = form("guest", {"name": text_field("Name")}, **{"x-label": "name", "x-match": [["name"]]})


@dataclass
class Site:
    """The small clinic on a small disk. headers: of somebody who may write there."""

    clinic: Clinic
    disk: SmallDisk
    app: Flask
    headers: dict[str, str]

    def post(self, path: str, **given: Any) -> Any:
        return self.app.test_client().post(path, headers=self.headers, **given)

    def count(self, table: str) -> int:
        with self.clinic.database.read() as session:
            return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    def files(self) -> list[Path]:
        return [path for path in (self.disk.root / "home" / "files").rglob("*") if path.is_file()]

    def works(self, name: str) -> None:
        """A lead is taken in and followed up, and all is sound."""
        assert self.post("/api/records/lead", json={"name": name}).status_code == 201
        work_once(self.clinic.database)
        assert sound(self.clinic)


@pytest.fixture
def site(sqlite_template: Path, clock: TurnedClock, tmp_path: Path) -> Iterator[Site]:
    try:
        with small_disk(tmp_path / "disk", MEGABYTES) as disk:
            home = disk.root / "home"
            database = open_database(copied(f"sqlite:///{sqlite_template}", home), home, clock)
            clinic = clinic_in(database)
            clinic.publish("form", GUEST)
            sue = clinic.people["sue"]
            token = database.write(lambda s: access_tokens.issue(s, SYSTEM, sue, "test")[1])
            app = create_app(database, settings_from({"CARELOOM_HOME": str(home)}))
            yield Site(clinic, disk, app, {"Authorization": f"Bearer {token}"})
            database.close()
    except Refused as error:
        lacking(f"A small disk of one's own ({error})")


def test_an_import_keeps_what_it_told_and_goes_on_once_there_is_room(site: Site) -> None:
    database = site.clinic.database
    lines = ["name", *(f"{'客' * 200}{number}" for number in range(ROWS))]
    sheet = read_sheet("guests.csv", "\n".join(lines).encode())

    def reading() -> Any:
        unit = site.clinic.units["one"]
        with database.read() as session:
            return read_rows(session, SYSTEM, "guest", sheet, unit_id=unit)

    told, read = [0], reading()
    site.disk.fill(spare=2 << 20)
    with pytest.raises(Unavailable) as refused:
        bring(database, SYSTEM, read, progress=told.append)
    assert refused.value.code == "E_DISK_FULL"
    assert 0 < told[-1] < ROWS
    assert site.count("form_guest") == told[-1]
    site.disk.clear()
    assert sound(site.clinic)
    bring(database, SYSTEM, reading())
    assert site.count("form_guest") == ROWS
    site.works("又来一位")


def test_a_file_that_finds_no_room_leaves_nothing_behind(site: Site) -> None:
    def sent() -> Any:
        return site.post("/api/files", data={"file": (BytesIO(PAGE), "片子.pdf")})

    site.disk.fill(spare=2 << 20)
    answer = sent()
    assert (answer.status_code, answer.json["code"]) == (503, "E_DISK_FULL"), answer.text
    assert "磁盘" in answer.json["title"] + answer.json.get("detail", ""), answer.json
    assert site.files() == []
    assert site.count("file") == 0
    site.works("没有附件的客户")
    site.disk.clear()
    assert sent().status_code == 201
    assert site.count("file") == len(site.files()) == 1
    site.works("有附件的客户")


def test_a_backup_that_finds_no_room_says_so_and_keeps_no_half(site: Site) -> None:
    file = site.disk.root / "all.backup"
    runner = site.app.test_cli_runner(env={"LANG": "zh_CN.UTF-8"})
    site.disk.fill(spare=24 << 10)
    result = runner.invoke(backup, [str(file)])
    assert result.exit_code == 1
    assert result.output.startswith("磁盘空间已满"), result.output
    assert list(site.disk.root.glob("all.backup*")) == []
    site.disk.clear()
    assert runner.invoke(backup, [str(file)]).exit_code == 0
    assert file.exists()
    site.works("备份之后")
