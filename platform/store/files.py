"""Attached files: a row that says who may have it, and bytes in their home (`bodies`).

In this order, so that a crash between any two leaves nothing half: the bytes are put, synced and
in place; then the row, loose, its uploader's alone; then a record keeps it, in the record's own
transaction. Bytes without a row and rows no record kept are swept after a day.
"""

import hashlib
import logging
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import BinaryIO

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from .bodies import CHUNK, Bodies, Missing, answering
from .database import Database
from .errors import Conflict, NotFound, TooMany, Unavailable
from .file_kinds import harmless
from .file_model import FileRow, FileState
from .file_names import clean_name
from .session import moment

log = logging.getLogger("careloom.files")

DAY = timedelta(days=1)
MOST_LOOSE = 200  # of one person, within a day
BATCH = 500


@dataclass(frozen=True)
class Body:
    """Bytes that are safe in their home and have no row yet."""

    id: str
    name: str
    type: str
    size: int
    sha256: str


def put_body(bodies: Bodies, given_name: str | None, source: BinaryIO) -> Body:
    """Take a file in: judge it, make it harmless, put its bytes. Slow, so never inside a write.

    source: seekable. Raises Invalid with one problem at `/file`, Unavailable.
    """
    name, file_id = clean_name(given_name), secrets.token_hex(16)
    type, whole = harmless(name, source)
    try:
        size, sha256 = measure(whole)
        bodies.put(file_id, whole)
    finally:
        if whole is not source:
            whole.close()
    return Body(file_id, name, type, size, sha256)


def add_file(session: Session, body: Body, by: int | None, unit_id: int | None) -> FileRow:
    """Write the row of bytes that are in place: a loose file of a person. Raises TooMany."""
    now = moment(session)
    waiting = session.scalar(
        select(func.count()).where(
            FileRow.state == FileState.LOOSE, FileRow.by == by, FileRow.at > now - DAY
        )
    )
    if (waiting or 0) >= MOST_LOOSE:
        raise TooMany(3600)
    row = FileRow(
        id=body.id,
        name=body.name,
        type=body.type,
        size=body.size,
        sha256=body.sha256,
        state=FileState.LOOSE,
        unit_id=unit_id,
        by=by,
        at=now,
    )
    session.add(row)
    session.flush()
    return row


def file_rows(session: Session, ids: Collection[str]) -> dict[str, FileRow]:
    """The rows of these ids, of those that have one. It authorises nothing."""
    if not ids:
        return {}
    # The same session may have kept some of them since it last looked.
    query = select(FileRow).where(FileRow.id.in_(ids)).execution_options(populate_existing=True)
    return {row.id: row for row in session.scalars(query)}


def keep_files(
    session: Session, ids: Collection[str], by: int | None, form: str, record_id: int, field: str
) -> None:
    """Loose files of a person become a record's, in one of its fields, for good.

    Raises Conflict when one of them was taken or swept in between.
    """
    kept = session.scalars(
        update(FileRow)
        .where(FileRow.id.in_(ids), FileRow.state == FileState.LOOSE, FileRow.by == by)
        .values(state=FileState.KEPT, form=form, record_id=record_id, field=field)
        .returning(FileRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    if len(kept) < len(ids):
        raise Conflict("E_FILE_GONE")


def open_whole(bodies: Bodies, row: FileRow) -> BinaryIO:
    """A file's bytes, found to be those that were put; to be closed.

    Raises NotFound (E_FILE_MISSING) when they are gone or altered, Unavailable.
    """
    try:
        body = bodies.open(row.id)
    except Missing:
        log.error("file %s has lost its bytes", row.id)
        raise NotFound("E_FILE_MISSING") from None
    try:
        with answering():
            found = measure(body)
    except Unavailable:
        body.close()
        raise
    if found != (row.size, row.sha256):
        body.close()
        log.error("file %s is not what was put", row.id)
        raise NotFound("E_FILE_MISSING")
    return body


def measure(source: BinaryIO) -> tuple[int, str]:
    """Size in bytes and SHA-256 of all of it; afterwards it stands at its beginning."""
    source.seek(0)
    size, digest = 0, hashlib.sha256()
    while chunk := source.read(CHUNK):
        size += len(chunk)
        digest.update(chunk)
    source.seek(0)
    return size, digest.hexdigest()


def sweep(database: Database, bodies: Bodies, kept_for: timedelta = DAY) -> int:
    """Remove loose files and bytes without a row that are older than a day; returns how many.

    Bytes are as old as their home's clock says, rows as old as the database's. Any process may
    sweep at any time: a row goes before its bytes, so what is left over the next sweep finds.
    """
    gone = 0
    while swept := database.write(lambda session: _drop_loose(session, kept_for)):
        gone += _remove(bodies, swept)
    before = datetime.now(UTC) - kept_for
    bodies.tidy(before)
    old = (file_id for file_id, written in bodies.listed() if written < before)
    while ids := list(islice(old, BATCH)):
        gone += _remove(bodies, list(_rowless(database, ids)))
    return gone


def _drop_loose(session: Session, kept_for: timedelta) -> list[str]:
    ids = select(FileRow.id).where(
        FileRow.state == FileState.LOOSE, FileRow.at < moment(session) - kept_for
    )
    dropped = (
        delete(FileRow)
        .where(FileRow.id.in_(ids.limit(BATCH)), FileRow.state == FileState.LOOSE)
        .returning(FileRow.id)
        .execution_options(synchronize_session=False)
    )
    return list(session.scalars(dropped))


def _rowless(database: Database, ids: Collection[str]) -> Iterator[str]:
    with database.read() as session:
        known = set(session.scalars(select(FileRow.id).where(FileRow.id.in_(ids))))
    return (file_id for file_id in ids if file_id not in known)


def _remove(bodies: Bodies, ids: Iterable[str]) -> int:
    count = 0
    for file_id in ids:
        bodies.remove(file_id)
        count += 1
    return count
