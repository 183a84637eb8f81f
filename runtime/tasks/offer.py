"""Offer a task, ask more people, or move it to others. All in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from ...platform.store.hot import Hot
from ...platform.store.session import moment, new_id
from .actors import Offered
from .model import How, TaskState, task_actors, tasks

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""The sort_at of a task without a due time: after all others."""


# Built once: building a statement costs as much as sending it.
_OFFER = Hot(insert(tasks))
_ASK = Hot(insert(task_actors))
_WITHDRAW = Hot(
    update(task_actors)
    .where(task_actors.c.task_id == bindparam("at_task"), task_actors.c.open)
    .values(open=False)
)


@dataclass(frozen=True)
class NewTask:
    """What a task says; see `model.Task` for each part."""

    instance_id: int
    token_id: int
    flow_key: str
    flow_version: int
    step_key: str
    title: Any
    form_key: str | None
    subject_form: str
    subject_id: int
    unit_id: int | None
    due_at: datetime | None


def offer(session: Session, new: NewTask, actors: Sequence[Offered]) -> int:
    """Put a task before these actors; returns its id."""
    task_id = new_id(session)
    _OFFER(
        session,
        {
            **new.__dict__,
            "id": task_id,
            "state": TaskState.OPEN,
            "offered_at": moment(session),
        },
    )
    ask_also(session, task_id, actors, How.OFFERED, new.due_at)
    return task_id


def offer_also(
    session: Session, task_id: int, actors: Sequence[Offered], due_at: datetime | None
) -> None:
    """Ask these actors as well: the task is escalated to them."""
    ask_also(session, task_id, actors, How.ESCALATED, due_at)
    session.execute(update(tasks).where(tasks.c.id == task_id).values(escalated_at=moment(session)))


def reassign(
    session: Session, task_id: int, actors: Sequence[Offered], due_at: datetime | None
) -> None:
    """Move the task to these actors; it is nobody else's any more, and nobody holds it."""
    withdraw(session, task_id)
    ask_also(session, task_id, actors, How.REASSIGNED, due_at)
    session.execute(
        update(tasks)
        .where(tasks.c.id == task_id)
        .values(holder_id=None, held_at=None, principal_id=None)
    )


def remind(session: Session, task_id: int) -> None:
    """Note that those asked were reminded."""
    session.execute(update(tasks).where(tasks.c.id == task_id).values(reminded_at=moment(session)))


def redue(session: Session, task_id: int, due_at: datetime | None) -> None:
    """The task is due at another moment; it moves on the lists of those who are asked."""
    session.execute(update(tasks).where(tasks.c.id == task_id).values(due_at=due_at))
    session.execute(
        update(task_actors).where(task_actors.c.task_id == task_id).values(sort_at=due_at or NEVER)
    )


def withdraw(session: Session, task_id: int) -> None:
    """The task is on nobody's list any more; who was asked stays on record."""
    _WITHDRAW(session, {"at_task": task_id})


def ask_also(
    session: Session,
    task_id: int,
    actors: Sequence[Offered],
    how: How,
    due_at: datetime | None,
) -> None:
    """These are asked by that road, beside whoever is."""
    _ASK(
        session,
        [
            {
                "id": new_id(session),
                "task_id": task_id,
                "person_id": actor.person,
                "role_key": actor.role,
                "unit_id": actor.unit,
                "how": how,
                "since": moment(session),
                "sort_at": due_at or NEVER,
                "open": True,
            }
            for actor in dict.fromkeys(actors)
        ],
    )
