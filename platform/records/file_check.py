"""Whether every attached file is there, whole, and somebody's."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..definitions.form_scope import form_entries
from ..store.bodies import Bodies, Missing
from ..store.errors import NotFound
from ..store.file_model import FileRow, FileState
from ..store.files import DAY, measure
from ..store.rows import read_row
from .shape import Shape, shape_of

AT_ONCE = 500


def file_violations(session: Session, bodies: Bodies) -> Iterator[str]:
    """Rows whose bytes are missing or altered or whose record is not there, bytes without a row,
    and files that records name and nobody keeps. Every file is read."""
    known = set()
    for row in _rows(session):
        known.add(row.id)
        yield from _bytes(bodies, row)
        yield from _home(session, row)
    before = datetime.now(UTC) - 2 * DAY  # the hourly sweep takes what is older than one
    for file_id, written in bodies.listed():
        if file_id not in known and written < before:
            yield f"file {file_id}: its bytes are there and no row"
    for entry in form_entries(session):
        yield from _named(session, shape_of(session, entry.key), known)


def _rows(session: Session) -> Iterator[FileRow]:
    last = ""
    while True:
        query = select(FileRow).where(FileRow.id > last).order_by(FileRow.id).limit(AT_ONCE)
        found = session.scalars(query).all()
        yield from found
        if len(found) < AT_ONCE:
            return
        last = found[-1].id
        session.expunge_all()


def _bytes(bodies: Bodies, row: FileRow) -> Iterator[str]:
    try:
        with bodies.open(row.id) as body:
            size, digest = measure(body)
    except Missing:
        yield f"file {row.id}: its bytes are missing"
    else:
        if (size, digest) != (row.size, row.sha256):
            yield f"file {row.id}: its bytes are not those that were put"


def _home(session: Session, row: FileRow) -> Iterator[str]:
    if row.state != FileState.KEPT:
        return
    try:
        table = shape_of(session, row.form or "").table
    except NotFound:
        yield f"file {row.id}: kept by a record of {row.form}, which is no form"
        return
    if read_row(session, table, row.record_id or 0) is None:
        yield f"file {row.id}: kept by {row.form} {row.record_id}, which is not there"


def _named(session: Session, shape: Shape, known: set[str]) -> Iterator[str]:
    """Files that a record's fields name and that have no row."""
    fields = [key for key, its in shape.form.fields.items() if its.type.holds_files]
    for key in fields:
        column = shape.table.c[key]
        query = select(shape.table.c._id, column).where(column.is_not(None))
        for record_id, ids in session.execute(query):
            for file_id in ids:
                if file_id not in known:
                    yield f"{shape.form.key} {record_id}: names file {file_id}, which has no row"
