"""Who saw what is kept for three years, then dropped a month at a time, once it is anchored.

A month's rows are told by their ids, which bear the time they were made (UTC): the way through
them is the table's own key, on either database. First a sum over all of them goes into the log of
events (`views:dropped`: month, rows, SHA-256) and is sealed there; only then are they removed, a
few at a time. Whoever has a backup from before can show by `total` that it holds what was dropped.
"""

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, bindparam, delete, exists, select
from sqlalchemy.orm import Session

from ..store import jobs
from ..store.database import Database
from ..store.ids import SINCE_MS
from .log import append
from .model import Event, View, Viewed
from .seal import seal

KIND = "views"
EVENT, SUBJECT = "views:dropped", "view_log"
MONTHS_KEPT = 36
ROWS_AT_ONCE, RECORDS_AT_ONCE = 200, 2_000
CHUNK = 1_000

VIEWS = View.__table__
REMOVE = delete(Viewed).where(
    Viewed.form == bindparam("_form"),
    Viewed.record_id == bindparam("_record_id"),
    Viewed.at == bindparam("_at"),
    Viewed.view_id == bindparam("_view_id"),
)

_looked: dict[Path, date] = {}  # by home: the last day that was looked


class Nobody:
    """It happens by itself."""

    person_id = None


def ask_to_drop(database: Database) -> bool:
    """Once a day: leave a job for the oldest month if it has been kept long enough; whether so."""
    today = database.clock.now().astimezone(UTC).date()
    if _looked.get(database.home) == today:
        return False
    with database.read() as session:
        oldest = session.scalar(select(View.id).order_by(View.id).limit(1))
        month = None if oldest is None else _month_of(oldest)
        old = month is not None and _later(month, MONTHS_KEPT + 1) <= today
        asked = old and session.scalar(select(exists().where(jobs.JobRow.kind == KIND)))
    if old and not asked:
        database.write(lambda session: jobs.ask(session, KIND, "", f"{month:%Y-%m}"))
    _looked[database.home] = today
    return bool(old and not asked)


def drop(database: Database, job: jobs.Job) -> bool:
    """The next step of dropping a month (`about`: "2026-03"); whether anything is left to do."""
    month = date.fromisoformat(f"{job.about}-01")
    with database.read() as session:
        found = session.execute(select(Event.seq).where(*_its_event(month))).one_or_none()
        summed = total(session, month) if found is None else None
    if summed is not None:
        database.write(lambda session: _anchor(session, job, month, *summed))
        return True
    if found is None or found.seq is None:
        database.write(seal)
        return True
    more = database.write(lambda session: _remove(session, job, month))
    if not more:
        _looked.pop(database.home, None)  # the month after it may be as old
    return more


def total(session: Session, month: date) -> tuple[int, str]:
    """How many rows of the log a month has, and SHA-256 over all of them in order, as hex."""
    first, after = _edges(month)
    made, count = hashlib.sha256(), 0
    while True:
        query = select(VIEWS).where(VIEWS.c.id >= first, VIEWS.c.id < after).order_by(VIEWS.c.id)
        rows = session.execute(query.limit(CHUNK)).all()
        for row in rows:
            words = [*map(str, row[:2]), *row[2:]]
            made.update(json.dumps(words, ensure_ascii=False).encode() + b"\n")
        count += len(rows)
        if len(rows) < CHUNK:
            return count, made.hexdigest()
        first = rows[-1].id + 1


def _anchor(session: Session, job: jobs.Job, month: date, rows: int, digest: str) -> None:
    if jobs.held(session, job) is None or session.scalar(
        select(exists().where(*_its_event(month)))
    ):
        return
    data = {"month": f"{month:%Y-%m}", "rows": rows, "hash": digest}
    append(session, EVENT, Nobody(), (SUBJECT, _number(month)), None, data)


def _remove(session: Session, job: jobs.Job, month: date) -> bool:
    """The next rows, and the ways to them from their records; whether there are any more."""
    progress = jobs.held(session, job)
    if progress is None:
        return False
    first, after = _edges(month)
    query = select(VIEWS).where(VIEWS.c.id >= first, VIEWS.c.id < after).order_by(VIEWS.c.id)
    ways: list[dict[str, object]] = []
    gone: list[int] = []
    for row in session.execute(query.limit(ROWS_AT_ONCE)):
        if ways and len(ways) + len(row.ids) > RECORDS_AT_ONCE:
            break
        own = {"_form": row.form, "_at": row.at, "_view_id": row.id}
        ways += [{**own, "_record_id": int(record_id)} for record_id in row.ids]
        gone.append(row.id)
    if not gone:
        jobs.forget(session, *job.key)
        return False
    if ways:
        session.connection().execute(REMOVE, ways)
    session.execute(delete(View).where(View.id.in_(gone)))
    progress.place, progress.done = gone[-1], progress.done + len(gone)
    session.flush()
    return True


def _its_event(month: date) -> tuple[ColumnElement[bool], ...]:
    return (
        Event.subject_kind == SUBJECT,
        Event.subject_id == _number(month),
        Event.name == EVENT,
    )


def _number(month: date) -> int:
    return month.year * 100 + month.month


def _month_of(number: int) -> date:
    moment = datetime.fromtimestamp(((number >> 22) + SINCE_MS) / 1000, UTC)
    return moment.date().replace(day=1)


def _later(month: date, months: int) -> date:
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _edges(month: date) -> tuple[int, int]:
    """The first id a month can have, and the first of the month after it."""
    return _first(month), _first(_later(month, 1))


def _first(month: date) -> int:
    begin = datetime(month.year, month.month, 1, tzinfo=UTC)
    return max(0, (int(begin.timestamp() * 1000) - SINCE_MS) << 22)


jobs.KINDS[KIND] = drop
