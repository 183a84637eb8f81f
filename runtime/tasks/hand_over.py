"""Hand a task to another person, for good or to look at; and the notes people leave with it.

Who may, and to whom, the caller has asked. All in the caller's transaction.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.store.session import moment, new_id
from .actors import Offered
from .model import How, NoteKind, TaskState, task_actors, task_notes, tasks
from .offer import ask_also, reassign

_NOTE = insert(task_notes)
_NOTES = (
    select(task_notes)
    .where(task_notes.c.instance_id == bindparam("of_instance"))
    .order_by(task_notes.c.id)
)


def move(session: Session, actor: Actor, task: Row[Any], to: int, said: str | None) -> None:
    """The task is this person's from now on, and nobody else's."""
    reassign(session, task.id, [Offered(person=to)], task.due_at)
    _hold(session, task.id, to, None)
    write_note(session, actor, task, NoteKind.REASSIGNED, said, to)
    tell(session, "task:reassigned", actor, task, to)


def delegate(session: Session, actor: Actor, task: Row[Any], to: int, said: str | None) -> None:
    """The person is asked to look at it; it comes back to the actor, who stays answerable."""
    ask_also(session, task.id, [Offered(person=to)], How.DELEGATED, task.due_at)
    _hold(session, task.id, to, actor.person_id)
    write_note(session, actor, task, NoteKind.DELEGATED, said, to)
    tell(session, "task:delegated", actor, task, to)


def bring_back(session: Session, actor: Actor, task: Row[Any], said: str | None) -> None:
    """A task that was delegated is with whoever delegated it again."""
    session.execute(
        update(task_actors)
        .where(
            task_actors.c.task_id == task.id,
            task_actors.c.how == How.DELEGATED,
            task_actors.c.open,
        )
        .values(open=False)
    )
    _hold(session, task.id, task.principal_id, None)
    write_note(session, actor, task, NoteKind.ANSWERED, said, task.principal_id)
    tell(session, "task:answered", actor, task, task.principal_id)


def write_note(
    session: Session,
    actor: Actor,
    task: Row[Any],
    kind: NoteKind,
    said: str | None = None,
    to: int | None = None,
) -> int:
    """Keep what somebody said to a task or did with it; returns the note's id."""
    note_id = new_id(session)
    session.execute(
        _NOTE,
        {
            "id": note_id,
            "task_id": task.id,
            "instance_id": task.instance_id,
            "kind": kind,
            "person_id": actor.person_id,
            "to_id": to,
            "at": moment(session),
            "text": said,
        },
    )
    return note_id


def notes_of(session: Session, instance_id: int) -> Sequence[Row[Any]]:
    """Every note to an instance's tasks, oldest first."""
    return session.execute(_NOTES, {"of_instance": instance_id}).all()


def _hold(session: Session, task_id: int, holder: int, principal: int | None) -> None:
    session.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.state == TaskState.OPEN)
        .values(holder_id=holder, held_at=moment(session), principal_id=principal)
    )


def tell(session: Session, name: str, actor: Actor, task: Row[Any], to: int) -> None:
    """Write down that the task went, or was put, to a person."""
    data = {"task": str(task.id), "step": task.step_key, "to": [{"person": str(to)}]}
    append(session, name, actor, ("instance", task.instance_id), task.unit_id, data)
