"""Encrypted fields by a new key: everything an older one wrote is written anew, then it may go.

A job for each form goes through its records, oldest first, with the columns of every version there
was and each record's history. Values stay what they are, so nothing of it is history.
"""

from collections.abc import Iterator

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from ..definitions.published import entries, versions
from ..events.log import append
from ..identity.actor import Actor
from ..store import jobs
from ..store.encrypted import Keyring, keyring
from ..store.errors import Conflict, NotFound
from ..store.history import RecordHistory
from ..store.rows import read_row
from ..store.session import database_of
from .new_key_rows import ROTATE_ROWS, ask_for_rows, rows_by
from .shape import Shape, shape_of, steady

ROTATE = "rotate"
AT_ONCE = 50
SUBJECT = ("keys", 0)


def ask_for(session: Session, actor: Actor, number: int) -> list[str]:
    """Have every form's encrypted fields written anew by the newest key; returns the forms."""
    forms = [
        entry.key for entry in entries(session, "form") if encrypted_fields(session, entry.key)
    ]
    for form_key in forms:
        jobs.ask(session, ROTATE, form_key, "", {"key": number})
    ask_for_rows(session, number)
    append(session, "keys:rotated", actor, SUBJECT, None, {"key": number})
    return forms


def encrypted_fields(session: Session, form_key: str) -> list[tuple[Shape, str]]:
    """Every field that is or ever was encrypted, each with the newest shape that has it."""
    found: dict[str, Shape] = {}
    for row in reversed(versions(session, "form", form_key)):
        shape = shape_of(session, form_key, row.version)
        found |= {key: shape for key, spec in shape.specs.items() if spec.encrypted}
    return [(shape, key) for key, shape in found.items()]


@jobs.in_one_transaction
def write_anew(session: Session, job: jobs.Job) -> bool:
    """Write the next records of a form anew; whether any are left."""
    progress = jobs.held(session, job)
    if progress is None:
        return False
    steady(session, job.form)
    fields = encrypted_fields(session, job.form)
    newest = keyring(database_of(session).home).newest()
    table = shape_of(session, job.form).table
    ids = session.scalars(
        select(table.c._id).where(table.c._id > progress.place).order_by(table.c._id).limit(AT_ONCE)
    ).all()
    for record_id in ids:
        progress.done += _record(session, job.form, record_id, fields, newest)
        progress.place = record_id
    session.flush()
    if len(ids) == AT_ONCE:
        return True
    if any(_older(session, job.form, fields, newest)):  # written meanwhile by who saw the old key
        progress.place = 0
        session.flush()
        return True
    jobs.forget(session, *job.key)
    return False


def _record(
    session: Session, form: str, record_id: int, fields: list[tuple[Shape, str]], newest: int
) -> bool:
    """One record and its history; whether anything of it was written by an older key."""
    current, written = f"{newest}:", False
    for shape, key in fields:
        row = read_row(session, shape.table, record_id, for_update=True)
        kept = row and row[key]
        if kept and not kept.startswith(current):
            columns = shape.encrypt_anew(key, kept)
            its = shape.table.c._id == record_id
            session.execute(update(shape.table).where(its).values(columns))
            written = True
    query = select(RecordHistory).where(
        RecordHistory.form == form, RecordHistory.record_id == record_id
    )
    for line in session.scalars(query):
        anew = {
            key: shape.encrypt_anew(key, kept)[key]
            for shape, key in fields
            if (kept := line.kept.get(key)) and not kept.startswith(current)
        }
        if anew:
            line.kept = {**line.kept, **anew}
            written = True
    return written


def _older(
    session: Session, form: str, fields: list[tuple[Shape, str]], newest: int
) -> Iterator[int]:
    """How often each field, and its history, was written by a key that is not the newest."""
    for shape, key in fields:
        column = shape.table.c[key]
        query = select(func.count()).select_from(shape.table)
        yield session.scalar(query.where(column.not_like(f"{newest}:%"))) or 0
        kept = RecordHistory.kept[key].as_string()
        lines = select(func.count()).where(RecordHistory.form == form, kept.not_like(f"{newest}:%"))
        yield session.scalar(lines) or 0


def in_use(session: Session, number: int) -> bool:
    """Whether anything kept was written by this key."""
    for entry in entries(session, "form"):
        for shape, key in encrypted_fields(session, entry.key):
            kept = RecordHistory.kept[key].as_string()
            history = select(1).where(RecordHistory.form == entry.key, kept.like(f"{number}:%"))
            rows = select(1).where(shape.table.c[key].like(f"{number}:%"))
            if session.scalar(select(or_(rows.exists(), history.exists()))):
                return True
    return any(rows_by(session, number))


def drop(session: Session, actor: Actor, number: int) -> Keyring:
    """Say that an old key goes: it is told in the trail, and the caller removes its file once this
    is committed. Raises NotFound, and Conflict for the newest key and for one that is in use."""
    keys = keyring(database_of(session).home)
    if number not in keys.numbers():
        raise NotFound("E_NO_KEY", number=number)
    if number == keys.newest():
        raise Conflict("E_KEY_NEWEST", number=number)
    waiting = any(row.kind in (ROTATE, ROTATE_ROWS) for row in jobs.waiting(session))
    if waiting or in_use(session, number):
        raise Conflict("E_KEY_IN_USE", number=number)
    append(session, "keys:dropped", actor, SUBJECT, None, {"key": number})
    return keys


jobs.KINDS[ROTATE] = write_anew
