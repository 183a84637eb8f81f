"""The tasks a person may take, soonest due first, each with its record's label: one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Subquery, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from ...platform.events.view_log import note
from ...platform.identity.actor import Actor
from ...platform.identity.model import Person
from ...platform.store.errors import Malformed
from ...platform.store.letters import spelled, unspelled
from ...platform.store.session import moment
from .actors import stations
from .model import How, TaskState, task_actors, tasks
from .subjects import Subject, subjects

MOST = 200
MOST_COUNTED = 1_000
"""So many are counted and no more: a list that is longer would make its every look slow."""


@dataclass(frozen=True)
class TaskRow:
    """A task as it stands on a list.

    label: what its record is called, None when the actor may not read that record. how: by which
    road it came, see `model.How`. overdue: its due time has passed and it is open.
    """

    id: int
    title: Any
    flow_key: str
    step_key: str
    instance_id: int
    form_key: str | None
    subject_form: str
    subject_id: int
    label: str | None
    unit_id: int | None
    state: str
    offered_at: datetime
    due_at: datetime | None
    overdue: bool
    reminded_at: datetime | None
    escalated_at: datetime | None
    holder_id: int | None
    holder: str | None
    principal_id: int | None
    how: str
    closed_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class TaskPage:
    """Some tasks; next: what asks for those after them, None at the end; total: when counted, at
    most MOST_COUNTED."""

    items: list[TaskRow]
    next: str | None
    total: int | None = None


def worklist(
    session: Session,
    actor: Actor,
    limit: int = 20,
    cursor: str | None = None,
    count: bool = False,
    only: Sequence[ColumnElement[bool]] = (),
) -> TaskPage:
    """Open tasks the actor is asked to do, soonest due first, then oldest. only: conditions on
    `tasks` besides.

    A task another person holds is left out, unless it was escalated to the actor.
    """
    if not 1 <= limit <= MOST:
        raise Malformed("E_LIMIT", most=MOST)
    after = _decode(cursor) if cursor else None
    asked = _asked(actor, limit + 1, after, only)
    if asked is None:
        return TaskPage([], None, 0 if count else None)
    about = subjects(session, actor)
    query = (
        joined(about, asked.c.how, asked.c.sort_at)
        .join_from(tasks, asked, asked.c.task_id == tasks.c.id)
        .where(_free(actor, asked.c.how))
        .order_by(asked.c.sort_at, tasks.c.id)
        .limit(limit + 1)
    )
    rows = list(session.execute(query))
    now = moment(session)
    more = None
    if len(rows) > limit:
        more = _encode(rows[limit - 1].sort_at, rows[limit - 1].id)
    total = _count(session, actor, only) if count else None
    items = [drawn_row(row, about, now) for row in rows[:limit]]
    for item in items:
        if item.label is not None:
            note(item.subject_form, [item.subject_id], "list")
    return TaskPage(items, more, total)


def task_row(session: Session, actor: Actor, task_id: int, how: str = How.OFFERED) -> TaskRow:
    """One task as a list shows it. Whether the actor may see it, the caller has asked."""
    about = subjects(session, actor)
    row = session.execute(joined(about).where(tasks.c.id == task_id)).one()
    return drawn_row(row, about, moment(session), how)


def _legs(actor: Actor) -> list[ColumnElement[bool]]:
    """The roads to a task: by name, and by each role where it is held; each reads one index."""
    legs: list[ColumnElement[bool]] = []
    if actor.person_id is not None:
        legs.append(task_actors.c.person_id == actor.person_id)
    for role, unit in stations(actor):
        legs.append(and_(task_actors.c.role_key == role, task_actors.c.unit_id == unit))
    return legs


def _asked(
    actor: Actor,
    most: int,
    after: tuple[datetime, int] | None,
    only: Sequence[ColumnElement[bool]] = (),
) -> Subquery | None:
    """The first tasks on each road, merged; one that is on several roads counts once.

    Each leg stops after as many as the page needs, so a long list costs no more than a short one.
    """
    legs = []
    for leg in _legs(actor):
        query = (
            select(task_actors.c.task_id, task_actors.c.sort_at, task_actors.c.how)
            .join(tasks, tasks.c.id == task_actors.c.task_id)
            .where(task_actors.c.open, leg, _free(actor, task_actors.c.how), *only)
            .order_by(task_actors.c.sort_at, task_actors.c.task_id)
            .limit(most)
        )
        if after is not None:
            place = tuple_(task_actors.c.sort_at, task_actors.c.task_id)
            query = query.where(place > after)
        legs.append(select(query.subquery()))
    if not legs:
        return None
    every = legs[0].union_all(*legs[1:]).subquery()
    # `escalated` sorts before `offered`: whoever was asked both ways may take it from its holder.
    return (
        select(every.c.task_id, every.c.sort_at, func.min(every.c.how).label("how"))
        .group_by(every.c.task_id, every.c.sort_at)
        .subquery()
    )


def _free(actor: Actor, how: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(
        tasks.c.holder_id.is_(None),
        tasks.c.holder_id == actor.person_id,
        how == How.ESCALATED,
    )


def joined(about: dict[str, Subject], *more: ColumnElement[Any]) -> Select[Any]:
    """Tasks with their holders' names and what their records' labels need."""
    source: Any = tasks.outerjoin(Person, Person.id == tasks.c.holder_id)
    columns: list[ColumnElement[Any]] = []
    for subject in about.values():
        source = source.outerjoin(subject.table, subject.joins())
        columns += subject.columns()
    return select(tasks, Person.name.label("holder"), *columns, *more).select_from(source)


def drawn_row(
    row: Row[Any], about: dict[str, Subject], now: datetime, how: str | None = None
) -> TaskRow:
    """A row of `joined` as it stands on a list."""
    subject = about.get(row.subject_form)
    is_open = row.state == TaskState.OPEN
    return TaskRow(
        id=row.id,
        title=row.title,
        flow_key=row.flow_key,
        step_key=row.step_key,
        instance_id=row.instance_id,
        form_key=row.form_key,
        subject_form=row.subject_form,
        subject_id=row.subject_id,
        label=subject.label(row) if subject is not None else None,
        unit_id=row.unit_id,
        state=row.state,
        offered_at=row.offered_at,
        due_at=row.due_at,
        overdue=is_open and row.due_at is not None and row.due_at <= now,
        reminded_at=row.reminded_at,
        escalated_at=row.escalated_at,
        holder_id=row.holder_id,
        holder=row.holder,
        principal_id=row.principal_id,
        how=how or row.how,
        closed_at=row.closed_at,
        outcome=row.outcome,
    )


def _count(session: Session, actor: Actor, only: Sequence[ColumnElement[bool]]) -> int:
    asked = _asked(actor, MOST_COUNTED, None, only)
    if asked is None:
        return 0
    found = session.execute(select(func.count()).select_from(asked)).scalar_one()
    return min(found, MOST_COUNTED)


def _encode(at: datetime, task_id: int) -> str:
    text = f"{at.isoformat()} {task_id}"
    return spelled(text.encode())


def _decode(cursor: str) -> tuple[datetime, int]:
    try:
        text = unspelled(cursor).decode()
        at, task_id = text.split(" ")
        return datetime.fromisoformat(at).astimezone(UTC), int(task_id)
    except ValueError as error:
        raise Malformed("E_CURSOR") from error
