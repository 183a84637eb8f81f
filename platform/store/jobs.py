"""Work of the store's own that a publishing or a new key leaves behind, done a little at a time.

A job is a row, written in the transaction that makes it necessary. Whoever works (the worker, or
`careloom jobs run`) does one step after the other; each step is a transaction of its own that also
moves the job's `place` on, so a kill costs one step at most. Steps that no transaction may hold
(an index built beside the writers) are such that they can be begun anew.

The kinds of job are a table (`KINDS`); rooms above add their own.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from sqlalchemy import BigInteger, Integer, String, delete, exists, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from .database import Database
from .errors import Unavailable, without_data
from .model import Base, Json, Moment
from .session import after_commit, moment

log = logging.getLogger("careloom.jobs")

LONGEST_PAUSE = timedelta(minutes=10)


class JobRow(Base):
    """One job. about: the field, or another name that tells it from its like; place: the id of
    the last record that is done; done: how many were."""

    __tablename__ = "store_job"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    form: Mapped[str] = mapped_column(String(40), primary_key=True)
    about: Mapped[str] = mapped_column(String(90), primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    place: Mapped[int] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    tries: Mapped[int] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(String(500))


@dataclass(frozen=True)
class Job:
    """What a step is told of its job."""

    kind: str
    form: str
    about: str
    data: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.form, self.about


#: (database, job) -> whether anything is left to do
Step = Callable[[Database, Job], bool]


def in_one_transaction(step: Callable[[Session, Job], bool]) -> Step:
    """A step that is one transaction."""

    @wraps(step)
    def taken(database: Database, job: Job) -> bool:
        return database.write(lambda session: step(session, job))

    return taken


#: Does a step, then is called again while it answers True.
KINDS: dict[str, Step] = {}
#: Called after a commit that left a job behind.
wake: list[Callable[[], None]] = []


def ask(
    session: Session, kind: str, form: str, about: str = "", data: Mapping[str, Any] | None = None
) -> None:
    """Have a job done once this transaction is committed; one of the same name begins anew."""
    session.execute(delete(JobRow).where(*_named(kind, form, about)))
    now = moment(session)
    session.add(
        JobRow(
            kind=kind,
            form=form,
            about=about,
            data=dict(data or {}),
            place=0,
            done=0,
            asked_at=now,
            due_at=now,
            tries=0,
        )
    )
    session.flush()
    after_commit(session, _wake)


def forget(session: Session, kind: str, form: str, about: str = "") -> None:
    """A job is done, or is not wanted any more."""
    session.execute(delete(JobRow).where(*_named(kind, form, about)))


def _named(kind: str, form: str, about: str) -> tuple[Any, ...]:
    return JobRow.kind == kind, JobRow.form == form, JobRow.about == about


def _wake() -> None:
    for call in wake:
        call()


def held(session: Session, job: Job) -> JobRow | None:
    """The job's row, locked until this transaction ends; None when it is done, or in another's
    hands."""
    query = select(JobRow).where(*_named(*job.key)).with_for_update(skip_locked=True)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def waiting(session: Session) -> list[JobRow]:
    """Every job there is, the oldest first."""
    query = select(JobRow).order_by(JobRow.asked_at, JobRow.kind, JobRow.form, JobRow.about)
    return list(session.scalars(query))


def anything_due(session: Session) -> bool:
    """Whether a job is to be worked on now."""
    return bool(session.scalar(select(exists().where(JobRow.due_at <= moment(session)))))


def run(database: Database, most: int | None = None) -> int:
    """Work on what is due, step by step, until nothing is; returns how many steps were done.

    most: steps of one job before the next has its turn. What fails is told and tried later.
    """
    count = 0
    with database.read() as session:
        due = [
            Job(row.kind, row.form, row.about, row.data)
            for row in waiting(session)
            if row.due_at <= moment(session) and row.kind in KINDS
        ]
    for job in due:
        count += _work_on(database, job, most)
    return count


def _work_on(database: Database, job: Job, most: int | None) -> int:
    count = 0
    try:
        while most is None or count < most:
            count += 1
            if not KINDS[job.kind](database, job):
                break
    except Unavailable:
        raise  # the store's own trouble: whoever works waits a while
    except Exception as error:
        log.exception("job %s", " ".join(job.key))
        words = without_data(error)
        database.write(lambda session: _put_off(session, job, words))
    return count


def _put_off(session: Session, job: Job, words: str) -> None:
    """Later, and the later the oftener it failed."""
    row = session.get(JobRow, job.key)
    if row is not None:
        pause = min(timedelta(seconds=2**row.tries), LONGEST_PAUSE)
        session.execute(
            update(JobRow)
            .where(*_named(*job.key))
            .values(tries=row.tries + 1, error=words, due_at=moment(session) + pause)
        )
