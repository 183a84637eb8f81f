"""Rows and bytes of files: what is written when, what is swept, what is missing."""

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from careloom.platform.store.bodies import Bodies, Missing
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, NotFound, TooMany
from careloom.platform.store.file_model import FileRow, FileState
from careloom.platform.store.files import (
    MOST_LOOSE,
    Body,
    add_file,
    file_rows,
    keep_files,
    open_whole,
    put_body,
    sweep,
)

ANN, BOB = 1, 2
TEXT = "主诉：牙痛".encode()
Put = Callable[[int], FileRow]


@pytest.fixture
def put(database: Database, bodies: Bodies) -> Put:
    """Upload a file as somebody."""

    def upload(by: int = ANN) -> FileRow:
        body = put_body(bodies, "note.txt", BytesIO(TEXT))
        return database.write(lambda session: add_file(session, body, by, 7))

    return upload


def keep(database: Database, row: FileRow, by: int = ANN, record: int = 5) -> None:
    database.write(lambda session: keep_files(session, [row.id], by, "visit", record, "notes"))


def known(database: Database, file_id: str) -> FileRow | None:
    with database.read() as session:
        return file_rows(session, [file_id]).get(file_id)


def test_a_file_is_kept_with_all_that_is_known_of_it(
    database: Database, bodies: Bodies, put: Put, clock: TurnedClock
) -> None:
    row = known(database, put(ANN).id)
    assert row is not None
    assert (row.name, row.type, row.size) == ("note.txt", "text/plain", len(TEXT))
    assert (row.state, row.by, row.unit_id, row.at) == (FileState.LOOSE, ANN, 7, clock.now())
    with open_whole(bodies, row) as opened:
        assert opened.read() == TEXT


def test_ids_are_random_and_the_same_bytes_are_two_files(put: Put) -> None:
    one, other = put(ANN), put(ANN)
    assert one.sha256 == other.sha256
    assert one.id != other.id and len(one.id) == 32


def test_only_its_uploader_puts_a_loose_file_into_a_record(database: Database, put: Put) -> None:
    row = put(ANN)
    with pytest.raises(Conflict):
        keep(database, row, BOB)
    keep(database, row, ANN)
    found = known(database, row.id)
    assert found and (found.state, found.form, found.record_id) == (FileState.KEPT, "visit", 5)


def test_a_kept_file_stays_where_it_is(database: Database, put: Put) -> None:
    row = put(ANN)
    keep(database, row)
    with pytest.raises(Conflict):
        keep(database, row, record=6)
    found = known(database, row.id)
    assert found and found.record_id == 5


def test_a_person_has_only_so_many_loose_files(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    def add(session: object, by: int) -> FileRow:
        body = Body(secrets.token_hex(16), "a.txt", "text/plain", 1, "0" * 64)
        return add_file(session, body, by, None)  # type: ignore[arg-type]

    database.write(lambda session: [add(session, ANN) for _ in range(MOST_LOOSE)][0])
    with pytest.raises(TooMany):
        database.write(lambda session: add(session, ANN))
    database.write(lambda session: add(session, BOB))
    clock.turn(timedelta(days=1))
    database.write(lambda session: add(session, ANN))


def test_bytes_that_are_gone_are_missing(database: Database, bodies: Bodies, put: Put) -> None:
    row = put(ANN)
    bodies.remove(row.id)
    with pytest.raises(NotFound, match="E_FILE_MISSING"):
        open_whole(bodies, row)


@pytest.mark.parametrize("altered", [TEXT[:-1], TEXT + b"x", b"x" * len(TEXT), b""])
def test_bytes_that_were_altered_are_missing(bodies: Bodies, put: Put, altered: bytes) -> None:
    row = put(ANN)
    bodies.put(row.id, BytesIO(altered))
    with pytest.raises(NotFound, match="E_FILE_MISSING"):
        open_whole(bodies, row)


def test_a_loose_file_is_swept_after_a_day_and_a_kept_one_never(
    database: Database, bodies: Bodies, put: Put, clock: TurnedClock
) -> None:
    loose, kept = put(ANN), put(ANN)
    keep(database, kept)
    clock.turn(timedelta(hours=23))
    assert sweep(database, bodies) == 0
    clock.turn(timedelta(hours=2))
    fresh = put(BOB)
    assert sweep(database, bodies) == 1
    assert known(database, loose.id) is None
    with pytest.raises(Missing):
        bodies.open(loose.id)
    for row in (kept, fresh):
        assert known(database, row.id) is not None
        open_whole(bodies, row).close()


def test_bytes_whose_row_was_never_written_are_swept(
    database: Database, bodies: Bodies, put: Put
) -> None:
    row = put(ANN)
    keep(database, row)
    put_body(bodies, "note.txt", BytesIO(TEXT))
    assert sweep(database, bodies) == 0  # they may be an upload under way
    assert sweep(database, bodies, timedelta(0)) == 1
    assert [file_id for file_id, _ in bodies.listed()] == [row.id]


def test_a_sweep_that_was_killed_after_the_row_is_finished_by_the_next(
    database: Database, bodies: Bodies, put: Put
) -> None:
    row = put(ANN)
    database.write(lambda session: session.delete(session.get_one(FileRow, row.id)))
    assert sweep(database, bodies, timedelta(0)) == 1
    assert list(bodies.listed()) == []


def test_nobody_keeps_a_file_that_was_swept(
    database: Database, bodies: Bodies, put: Put, clock: TurnedClock
) -> None:
    row = put(ANN)
    clock.turn(timedelta(days=2))
    sweep(database, bodies)
    with pytest.raises(Conflict):
        keep(database, row)


def test_of_two_who_keep_a_file_at_once_one_does(database: Database, put: Put) -> None:
    row, line = put(ANN), threading.Barrier(2)

    def one(record: int) -> bool:
        line.wait(30)
        try:
            keep(database, row, record=record)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as two:
        kept = list(two.map(one, (5, 6)))
    assert sorted(kept) == [False, True]
    found = known(database, row.id)
    assert found is not None and found.record_id == (5 if kept[0] else 6)
