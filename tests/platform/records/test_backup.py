"""A backup taken while people write, restored into an empty home of either kind."""

import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import make
import psycopg
import pytest
from sqlalchemy import text

from careloom.platform.events.anchor import drop_anchor
from careloom.platform.events.seal import seal
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.backup import back_up
from careloom.platform.records.bring_back import bring_back
from careloom.platform.records.check import violations
from careloom.platform.records.file_check import file_violations
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.past import history
from careloom.platform.records.submit import change, retire
from careloom.platform.store.bodies import Folder
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.errors import Conflict, Malformed
from careloom.platform.store.files import add_file, put_body

NUMBER = "110101199003070038"
FIELDS = {
    "name": make.field(),
    "id_no": make.field("id_card", x_column={"unique": True}),
    "price": make.field("money"),
    "day": make.field("date"),
    "at": make.field("datetime"),
    "ok": make.field("yesno"),
    "kinds": make.field("choices", x_options=make.fixed("a", "b")),
    "scans": make.field("file"),
    "items": make.rows({"n": make.field("number"), "day": make.field("date")}),
    "gone": make.field(),
}
Empty = Callable[[str], Database]


@pytest.fixture
def bodies(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "home" / "files")


@pytest.fixture
def clinic(database: Database, bodies: Folder) -> Database:
    return filled(database, bodies)


@pytest.fixture
def sqlite_clinic(sqlite: Database, bodies: Folder) -> Database:
    """For what is asked of the file, which is the same from either kind."""
    return filled(sqlite, bodies)


def filled(database: Database, bodies: Folder) -> Database:
    """Records with every sort of value, a file, a history, a column that was retired."""
    make.organisation(database)
    make.publish(database, "form", make.form("visit", FIELDS, x_label="name"))
    body = put_body(bodies, "note.txt", BytesIO("主诉".encode()))
    database.write(lambda session: add_file(session, body, None, None))
    made = make.record(
        database,
        "visit",
        name="王丽娜",
        id_no=NUMBER,
        price="12.50",
        day="2026-03-03",
        at="2026-03-03T10:00:00+08:00",
        ok=False,
        kinds=["b", "a"],
        scans=[body.id],
        items=[{"n": 1, "day": "2026-01-02"}, {"n": 2}],
        gone="still here",
    )
    database.write(lambda s: change(s, SYSTEM, "visit", made.id, {"price": "13"}))
    out = make.record(database, "visit", name="retired")
    database.write(lambda s: retire(s, SYSTEM, "visit", out.id))
    del (left := dict(FIELDS))["gone"]
    make.publish(database, "form", make.form("visit", left, x_label="name"))
    make.publish(database, "role", make.role("desk", {"visit": [make.rule("branch", "read")]}))
    make.person(database, "desk", "B1", "desk")
    database.write(seal)
    drop_anchor(database)
    return database


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Empty]:
    """Opens an empty database with a home of its own."""
    opened = []

    def made(kind: str) -> Database:
        home = tmp_path / f"new{len(opened)}"
        home.mkdir()
        url = f"sqlite:///{home / 'careloom.db'}"
        if kind == "postgresql":
            url = request.getfixturevalue("other_postgresql_url")
        opened.append(open_database(url, home))
        return opened[-1]

    yield made
    for each in opened:
        each.close()


@pytest.fixture
def other_postgresql_url(postgresql: str) -> Iterator[str]:
    """A PostgreSQL database with nothing in it."""
    name = f"t_{uuid4().hex}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{postgresql}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def folder(database: Database) -> Folder:
    return Folder(database.home / "files")


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_a_backup_comes_back_whole_in_either_kind_of_database(
    clinic: Database, bodies: Folder, empty: Empty, tmp_path: Path, into: str
) -> None:
    file = tmp_path / "careloom.backup"
    writing = threading.Event()

    def write() -> None:
        for _ in range(100):  # fewer than one page of the list holds
            if writing.wait(0):
                return
            make.record(clinic, "visit", name="meanwhile")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = back_up(clinic, bodies, file)
    finally:
        writing.set()
        writer.join()
    assert file.stat().st_mode & 0o077 == 0
    target = empty(into)
    bring_back(target, folder(target), file)
    with clinic.read() as ours, target.read() as theirs:
        assert list(violations(theirs)) == []
        assert list(file_violations(theirs, folder(target))) == []
        page = list_records(theirs, SYSTEM, "visit", limit=200)
        there = {record.id: record for record in page.items}
        found = [r for r in there.values() if r.label == "王丽娜"]
        assert len(there) == made.rows["form_visit"] - 1
        (one,) = found
        mine = get(ours, SYSTEM, "visit", one.id)
        assert one.json() == mine.json() and one.json()["id_no"] == NUMBER
        for each in (one, *list_records(theirs, SYSTEM, "visit", retired=True).items):
            assert history(theirs, SYSTEM, "visit", each.id) == history(
                ours, SYSTEM, "visit", each.id
            )
        assert theirs.scalar(text("SELECT gone FROM form_visit WHERE gone IS NOT NULL"))
        assert list_records(theirs, SYSTEM, "visit", search=NUMBER).items[0].id == one.id
    make.record(target, "visit", name="life goes on", items=[{"n": 3}])
    target.write(seal)
    with target.read() as theirs:
        assert list(violations(theirs)) == []
    with pytest.raises(Conflict, match="E_NOT_EMPTY"):
        bring_back(target, folder(target), file)


def test_without_its_keys_a_backup_names_them_and_waits_for_them(
    clinic: Database, bodies: Folder, empty: Empty, tmp_path: Path
) -> None:
    file = tmp_path / "careloom.backup"
    back_up(clinic, bodies, file, with_keys=False)
    with tarfile.open(file) as tar:
        assert not [name for name in tar.getnames() if name.startswith("keys")]
    target = empty("sqlite")
    with pytest.raises(Conflict, match="E_BACKUP_KEYS") as refusal:
        bring_back(target, folder(target), file)
    assert refusal.value.params["keys"] == "1.key"
    kept = clinic.home / "keys" / "fields"
    place = target.home / "keys" / "fields"
    place.mkdir(parents=True)
    for key in kept.glob("*.key"):
        (place / key.name).write_bytes(key.read_bytes())
    bring_back(target, folder(target), file)
    with target.read() as session:
        assert list_records(session, SYSTEM, "visit", search=NUMBER).items


def altered(file: Path, name: str, body: bytes) -> Path:
    """The same backup with one member replaced, or one more."""
    other = file.with_name("altered")
    with tarfile.open(file) as source, tarfile.open(other, "w") as out:
        members = [m for m in source.getmembers() if m.name != name]
        for member in members:
            out.addfile(member, source.extractfile(member))
        info = tarfile.TarInfo(name)
        info.size = len(body)
        out.addfile(info, BytesIO(body))
    return other


@pytest.mark.parametrize(
    "name",
    ["tables/person.jsonl.gz", "keys/fields/1.key", "../evil", "keys/secret", "manifest.json"],
)
def test_a_damaged_or_strange_backup_changes_nothing(
    sqlite_clinic: Database, bodies: Folder, empty: Empty, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "careloom.backup"
    back_up(sqlite_clinic, bodies, file)
    target = empty("sqlite")
    with pytest.raises(Malformed, match="E_BACKUP"):
        bring_back(target, folder(target), altered(file, name, b"{}"))
    assert not (target.home / "keys").exists() and not (target.home / "files").exists()


def test_another_releases_backup_and_no_backup_are_refused(
    sqlite_clinic: Database, bodies: Folder, empty: Empty, tmp_path: Path
) -> None:
    file = tmp_path / "careloom.backup"
    back_up(sqlite_clinic, bodies, file)
    with tarfile.open(file) as tar:
        manifest = json.load(tar.extractfile("manifest.json") or BytesIO())
    older = altered(file, "manifest.json", json.dumps(manifest | {"revision": "0001"}).encode())
    target = empty("sqlite")
    with pytest.raises(Conflict, match="E_BACKUP_RELEASE"):
        bring_back(target, folder(target), older)
    (tmp_path / "none").write_bytes(b"nothing of ours")
    with pytest.raises(Malformed, match="E_BACKUP"):
        bring_back(target, folder(target), tmp_path / "none")
