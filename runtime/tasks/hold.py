"""Claim, give back, close: one holder at a time, decided by a guarded update."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.identity.model import Person
from ...platform.store.errors import Conflict, NotAllowed, NotFound
from ...platform.store.hot import Hot
from ...platform.store.session import moment
from .actors import Offered, is_among
from .hand_over import bring_back
from .model import How, TaskState, task_actors, tasks
from .offer import withdraw

# Built once: building a statement costs as much as sending it.
_TASK = Hot(select(tasks).where(tasks.c.id == bindparam("at_task")))
_ASKED = Hot(
    select(
        task_actors.c.person_id, task_actors.c.role_key, task_actors.c.unit_id, task_actors.c.how
    ).where(task_actors.c.task_id == bindparam("at_task"), task_actors.c.open)
)
_WITH_ASKED = Hot(
    select(
        tasks,
        task_actors.c.id.label("asked"),
        task_actors.c.person_id.label("asked_person"),
        task_actors.c.role_key.label("asked_role"),
        task_actors.c.unit_id.label("asked_unit"),
    )
    .outerjoin(task_actors, (task_actors.c.task_id == tasks.c.id) & task_actors.c.open)
    .where(tasks.c.id == bindparam("at_task"))
)
_CLOSE = Hot(
    update(tasks)
    .where(
        tasks.c.id == bindparam("at_task"),
        tasks.c.state == TaskState.OPEN,
        tasks.c.holder_id.is_(None) | (tasks.c.holder_id == bindparam("by")),
    )
    .values(
        state=TaskState.DONE,
        closed_at=bindparam("at"),
        closed_by=bindparam("by"),
        outcome=bindparam("how"),
        comment=bindparam("said"),
    )
)


def found(session: Session, task_id: int) -> Any:
    """The task's row. Raises NotFound."""
    row = _TASK.first(session, {"at_task": task_id})
    if row is None:
        raise NotFound(task=str(task_id))
    return row


def asked(session: Session, task_id: int, *, how: How | None = None) -> list[Offered]:
    """The actors who are asked now (by one road only, if given)."""
    return [
        Offered(person, role, unit)
        for person, role, unit, road in _ASKED.all(session, {"at_task": task_id})
        if how is None or road == how
    ]


def found_for(session: Session, actor: Actor, task_id: int) -> Any:
    """The task's row. Raises NotFound, also when it is open and the actor is not asked: others do
    not learn of it."""
    rows = _WITH_ASKED.all(session, {"at_task": task_id})
    if not rows:
        raise NotFound(task=str(task_id))
    if rows[0].state == TaskState.OPEN and not actor.is_system:
        who = [
            Offered(row.asked_person, row.asked_role, row.asked_unit)
            for row in rows
            if row.asked is not None
        ]
        if not is_among(actor, who):
            raise NotFound(task=str(task_id))
    return rows[0]


def need_asked(session: Session, actor: Actor, task_id: int) -> None:
    """Raises NotFound unless the actor is asked: others do not learn of the task. Who was asked
    until a moment ago, when another closed it, is told so (Conflict)."""
    if not actor.is_system and not is_among(actor, asked(session, task_id)):
        if found(session, task_id).state != TaskState.OPEN:
            raise lost(session, actor, task_id)
        raise NotFound(task=str(task_id))


def need_undelegated(session: Session, row: Any) -> None:
    """Raises Conflict while it is delegated: who has it is only to answer."""
    if row.principal_id is not None:
        raise Conflict("E_TASK_DELEGATED", by=name_of(session, row.principal_id))


def claim(session: Session, actor: Actor, task_id: int) -> None:
    """Take the task for oneself; claiming what one holds changes nothing.

    Raises NotFound when one is not asked, Conflict (with who and when) when another holds it or
    it is closed.
    """
    row = found(session, task_id)
    if row.state == TaskState.OPEN:
        need_asked(session, actor, task_id)
        if actor.person_id is None:
            raise NotAllowed(task=str(task_id))
        if row.holder_id == actor.person_id:
            return
        taken = session.execute(
            update(tasks)
            .where(
                tasks.c.id == task_id,
                tasks.c.state == TaskState.OPEN,
                tasks.c.holder_id.is_(None),
            )
            .values(holder_id=actor.person_id, held_at=moment(session))
        )
        if taken.rowcount == 1:  # type: ignore[attr-defined]
            _tell(session, "task:claimed", actor, row)
            return
    raise lost(session, actor, task_id)


def unclaim(session: Session, actor: Actor, task_id: int) -> None:
    """Give the task back to all who are asked; giving back what nobody holds changes nothing.
    One that was delegated goes back to whoever delegated it.

    The holder may, whoever delegated it, and those it was escalated to. Raises NotFound when one
    is not asked, NotAllowed when it is another's, Conflict when it is closed.
    """
    row = found(session, task_id)
    if row.state == TaskState.OPEN:
        need_asked(session, actor, task_id)
        if row.holder_id is None:
            return
        above = asked(session, task_id, how=How.ESCALATED)
        mine = actor.person_id in (row.holder_id, row.principal_id)
        if not mine and not is_among(actor, above):
            raise NotAllowed("E_TASK_HELD", by=name_of(session, row.holder_id))
        if row.principal_id is not None:
            bring_back(session, actor, row, None)
            return
        given = session.execute(
            update(tasks)
            .where(
                tasks.c.id == task_id,
                tasks.c.state == TaskState.OPEN,
                tasks.c.holder_id == row.holder_id,
            )
            .values(holder_id=None, held_at=None)
        )
        if given.rowcount == 1:  # type: ignore[attr-defined]
            _tell(session, "task:released", actor, row)
            return
    raise lost(session, actor, task_id)


def close(
    session: Session,
    actor: Actor,
    task_id: int,
    outcome: str | None,
    comment: str | None = None,
) -> None:
    """Mark the task done by this actor, exactly once.

    Raises Conflict (with who and when) when another was faster or holds it.
    """
    closed = _CLOSE(
        session,
        {
            "at_task": task_id,
            "by": actor.person_id,
            "at": moment(session),
            "how": outcome,
            "said": comment,
        },
    )
    if closed != 1:
        raise lost(session, actor, task_id)
    withdraw(session, task_id)


def cancel_tasks(session: Session, of: ColumnElement[bool]) -> list[int]:
    """Close the open tasks of a token or an instance that goes elsewhere; returns their ids."""
    gone = session.execute(
        update(tasks)
        .where(of, tasks.c.state == TaskState.OPEN)
        .values(state=TaskState.CANCELLED, closed_at=moment(session))
        .returning(tasks.c.id)
    )
    ids = [task_id for (task_id,) in gone]
    if ids:
        session.execute(
            update(task_actors)
            .where(task_actors.c.task_id.in_(ids), task_actors.c.open)
            .values(open=False)
        )
    return ids


def still_open(session: Session, token_id: int, step_key: str) -> bool:
    """Whether the step has another task that nobody has done."""
    query = select(tasks.c.id).where(
        tasks.c.token_id == token_id,
        tasks.c.step_key == step_key,
        tasks.c.state == TaskState.OPEN,
    )
    return session.execute(query.limit(1)).first() is not None


def lost(session: Session, actor: Actor, task_id: int) -> Conflict | NotFound:
    """Why the actor cannot have the task: who has it or closed it, and when."""
    row = found(session, task_id)
    who, when = (
        (row.holder_id, row.held_at)
        if row.state == TaskState.OPEN
        else (row.closed_by, row.closed_at)
    )
    if row.state != TaskState.OPEN and not _was_asked(session, actor, task_id):
        return NotFound(task=str(task_id))
    code = {
        TaskState.OPEN: "E_TASK_HELD",
        TaskState.DONE: "E_TASK_DONE",
        TaskState.CANCELLED: "E_TASK_CANCELLED",
    }[TaskState(row.state)]
    return Conflict(code, by=name_of(session, who), at=_moment(when))


def need_known(session: Session, actor: Actor, task_id: int) -> str:
    """By which road the actor is or was asked. Raises NotFound when by none."""
    query = (
        select(
            task_actors.c.person_id,
            task_actors.c.role_key,
            task_actors.c.unit_id,
            task_actors.c.how,
        )
        .where(task_actors.c.task_id == task_id)
        .order_by(task_actors.c.open.desc(), task_actors.c.id.desc())
    )
    for person, role, unit, how in session.execute(query):
        if actor.is_system or is_among(actor, [Offered(person, role, unit)]):
            return str(how)
    raise NotFound(task=str(task_id))


def _was_asked(session: Session, actor: Actor, task_id: int) -> bool:
    try:
        need_known(session, actor, task_id)
    except NotFound:
        return False
    return True


def name_of(session: Session, person_id: int | None) -> str:
    """What a person is called; nobody is Careloom itself."""
    if person_id is None:
        return "Careloom"
    name = session.execute(select(Person.name).where(Person.id == person_id)).scalar_one_or_none()
    return name or ""


def _moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _tell(session: Session, name: str, actor: Actor, row: Any) -> None:
    append(
        session,
        name,
        actor,
        ("instance", row.instance_id),
        row.unit_id,
        {"task": str(row.id), "step": row.step_key},
    )
