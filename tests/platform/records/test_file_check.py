"""`careloom check` looks at files as well: each is there, whole, and somebody's."""

import secrets
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import make
import pytest
from sqlalchemy import delete, update

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records import file_check
from careloom.platform.records.file_check import file_violations
from careloom.platform.store.bodies import Folder
from careloom.platform.store.database import Database
from careloom.platform.store.file_model import FileRow
from careloom.platform.store.files import add_file, put_body


@pytest.fixture
def bodies(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "files")


@pytest.fixture
def kept(database: Database, bodies: Folder) -> str:
    """A file in a record."""
    make.organisation(database)
    make.publish(database, "form", make.form("visit", {"scans": make.field("file")}))
    body = put_body(bodies, "note.txt", BytesIO("主诉".encode()))
    database.write(lambda session: add_file(session, body, None, None))
    make.record(database, "visit", SYSTEM, scans=[body.id])
    return body.id


def told(database: Database, bodies: Folder) -> list[str]:
    with database.read() as session:
        return list(file_violations(session, bodies))


def test_files_that_are_whole_are_no_trouble(
    database: Database, bodies: Folder, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_check, "AT_ONCE", 1)
    assert told(database, bodies) == []


def test_missing_and_altered_bytes_are_told(database: Database, bodies: Folder, kept: str) -> None:
    path = bodies._path(kept)
    path.write_bytes(b"another")
    assert told(database, bodies) == [f"file {kept}: its bytes are not those that were put"]
    path.unlink()
    assert told(database, bodies) == [f"file {kept}: its bytes are missing"]


def test_bytes_without_a_row_are_told_once_the_sweep_should_have_had_them(
    database: Database, bodies: Folder, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = secrets.token_hex(16)
    bodies.put(lost, BytesIO(b"x"))
    assert told(database, bodies) == []
    old = datetime.now(UTC) - timedelta(days=3)
    monkeypatch.setattr(Folder, "listed", lambda _self: iter([(lost, old), (kept, old)]))
    assert told(database, bodies) == [f"file {lost}: its bytes are there and no row"]


def test_rows_and_records_that_do_not_know_each_other_are_told(
    database: Database, bodies: Folder, kept: str
) -> None:
    database.write(lambda s: s.execute(update(FileRow).values(record_id=7)))
    assert told(database, bodies) == [f"file {kept}: kept by visit 7, which is not there"]
    database.write(lambda s: s.execute(update(FileRow).values(form="gone")))
    assert told(database, bodies) == [f"file {kept}: kept by a record of gone, which is no form"]
    database.write(lambda s: s.execute(delete(FileRow)))
    (words,) = told(database, bodies)
    assert words.startswith("visit ") and words.endswith(f"names file {kept}, which has no row")
