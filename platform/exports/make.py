"""Make the file: freely, by a second person's yes, or at the server. There is no other way out.

How it may be made is judged where it is written down, in the transaction that lets the file go: so
of two who take at once what one may take, one is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..definitions.field_time import show_minute
from ..events.log import append
from ..events.view_log import Looked
from ..identity.actor import Actor
from ..identity.permissions import access
from ..records.take import Leaving, columns_of, write_file
from ..store.database import Database
from ..store.errors import Conflict, NotAllowed, NotFound
from ..store.locks import exclusive
from ..store.session import moment, new_id
from .ask import state_of
from .events import SUBJECT
from .free import beyond
from .model import Export, State, Way, exports
from .personal import holds_personal
from .question import Question, kept_question


@dataclass(frozen=True)
class Taken:
    """A file that was made. at: on the clock of the asker's branch."""

    question: Question
    rows: int
    reference: int
    by: str
    at: str

    def name(self, title: str) -> str:
        """What it is called: who took it when, under which reference, for a CSV can say it nowhere
        else."""
        moment = self.at.replace("-", "").replace(":", "").replace(" ", "-")
        return f"{title} {self.by} {moment} {self.reference}.{self.question.kind}"


def take_freely(
    database: Database,
    actor: Actor,
    question: Question,
    path: Path,
    *,
    free: int | None,
    address: str = "",
) -> Taken:
    """A file of as many records as leave without a yes. free: how many; None for any number.

    Raises NotAllowed (E_EXPORT_WANTS_YES) where there are more.
    """
    with database.read() as session:
        access(session, actor, question.form).need("export")
        bound = free if free is not None and holds_personal(session, question.form) else None

    def settle(session: Session, number: int, count: int, rows: Sequence[Looked]) -> None:
        if bound is not None:
            exclusive(session, f"exports of {actor.person_id}")
            ids = [one for row in rows if row.form == question.form for one in row.ids]
            if beyond(session, actor, question.form, bound, ids):
                raise too_many(bound)
        at = rows[0].at if rows else moment(session)
        session.add(_row(number, actor, question, Way.FREE, at, count))

    return _make(database, actor, question, path, settle, _more(bound, too_many), address=address)


def too_many(free: int) -> NotAllowed:
    """More than leave without a yes."""
    return NotAllowed("E_EXPORT_WANTS_YES", most=free)


def take_allowed(
    database: Database, actor: Actor, export_id: int, path: Path, *, address: str = ""
) -> Taken:
    """The file that was asked for and allowed, once, by whoever asked.

    It is of the question that was asked, in the asker's eyes as they are now, with no column that
    was not there then. Raises NotFound, and Conflict: there is no yes (any more), there are many
    more rows by now, or the asker would see a field that they did not see then.
    """
    with database.read() as session:
        row = session.get(Export, export_id)
        if row is None or row.way != Way.ASKED or row.person_id != actor.person_id:
            raise NotFound()
        state = state_of(row, moment(session))
        if state != State.ALLOWED:
            raise Conflict("E_EXPORT_NO_YES")
        access(session, actor, row.form).need("export")
        question = kept_question(row.form, row.kind, row.question)
        columns = _as_asked(session, actor, row)
        most = row.most

    def settle(session: Session, _number: int, count: int, rows: Sequence[Looked]) -> None:
        now = moment(session)
        spending = (
            update(exports)
            .where(
                exports.c.id == export_id,
                exports.c.state == State.ALLOWED,
                exports.c.until > now,
            )
            .values(state=State.DONE, done_at=rows[0].at if rows else now, taken=count)
        )
        if not session.execute(spending.returning(exports.c.id)).all():
            raise Conflict("E_EXPORT_NO_YES")

    return _make(
        database,
        actor,
        question,
        path,
        settle,
        _more(most, lambda _: Conflict("E_EXPORT_GREW")),
        number=export_id,
        columns=columns,
        address=address,
    )


def _as_asked(session: Session, actor: Actor, row: Export) -> list[str]:
    """The columns there were, as far as the actor sees them now. Raises Conflict where one is
    shown whole by now that was masked: nobody said yes to that."""
    seen = columns_of(session, actor, row.form)
    if any(seen.get(key) == "read" and then != "read" for key, then in row.columns.items()):
        raise Conflict("E_EXPORT_CHANGED")
    return [key for key in seen if key in row.columns]


def take_at_server(database: Database, actor: Actor, question: Question, path: Path) -> Taken:
    """A file for the operator, who has the whole database anyway."""

    def settle(session: Session, number: int, count: int, rows: Sequence[Looked]) -> None:
        at = rows[0].at if rows else moment(session)
        session.add(_row(number, actor, question, Way.SERVER, at, count))

    return _make(database, actor, question, path, settle)


def _row(
    number: int, actor: Actor, question: Question, way: Way, at: datetime, count: int
) -> Export:
    return Export(
        id=number,
        form=question.form,
        kind=question.kind,
        way=way,
        state=State.DONE,
        person_id=actor.person_id,
        unit_id=actor.unit_id,
        asked_at=at,
        question={},
        columns={},
        reason="",
        words="",
        done_at=at,
        taken=count,
    )


def _more(most: int | None, refusal: Callable[[int], Exception]) -> Callable[[int], None]:
    """Refuses a file as soon as it has more rows."""

    def counted(rows: int) -> None:
        if most is not None and rows > most:
            raise refusal(most)

    return counted


Settle = Callable[[Session, int, int, Sequence[Looked]], None]


def _make(
    database: Database,
    actor: Actor,
    question: Question,
    path: Path,
    settle: Settle,
    counted: Callable[[int], None] | None = None,
    number: int | None = None,
    **more: Any,
) -> Taken:
    reference = database.write(new_id) if number is None else number
    now = database.clock.now()
    at = show_minute(now, ZoneInfo(actor.time_zone))
    leaving = Leaving(actor.name, actor.login, now, at, reference, counted or (lambda _: None))

    def write_down(session: Session, count: int, rows: Sequence[Looked]) -> None:
        settle(session, reference, count, rows)
        data = {"form": question.form, "rows": count}
        append(session, "export:done", actor, (SUBJECT, reference), actor.unit_id, data)

    rows = write_file(
        database,
        actor,
        question.form,
        path,
        where=question.where or None,
        sort=question.sort,
        search=question.search,
        narrow=lambda session: question.clauses(session, actor),
        leaving=leaving,
        settle=write_down,
        **more,
    )
    return Taken(question, rows, reference, actor.login, at)
