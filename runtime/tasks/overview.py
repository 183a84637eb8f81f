"""Tasks beside the work list: what one has done, and everybody's; the newest first."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from ...platform.events.view_log import note
from ...platform.identity.actor import Actor
from ...platform.store.errors import Malformed
from ...platform.store.session import moment
from .actors import is_offered
from .model import How, TaskState, task_actors, tasks
from .subjects import Subject, subjects
from .worklist import MOST, TaskPage, drawn_row, joined


def overview(
    session: Session,
    actor: Actor,
    state: str,
    *,
    mine: bool,
    limit: int = 20,
    before: int | None = None,
    only: Sequence[ColumnElement[bool]] = (),
) -> TaskPage:
    """Tasks in a state; `next` is the id that the page after them begins before.

    mine: those the actor is asked to do, was asked to do until they were dropped, or has done.
    Else all whose record the actor may read: whether they may see what flows do, the caller has
    asked. only: conditions on `tasks` besides.
    """
    if not 1 <= limit <= MOST:
        raise Malformed("E_LIMIT", most=MOST)
    about = subjects(session, actor)
    query = (
        joined(about)
        .where(tasks.c.state == state, _own(actor, state) if mine else _seen(about), *only)
        .order_by(tasks.c.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(tasks.c.id < before)
    rows = list(session.execute(query))
    now = moment(session)
    items = [drawn_row(row, about, now, How.OFFERED) for row in rows[:limit]]
    for item in items:
        if item.label is not None:
            note(item.subject_form, [item.subject_id], "list")
    return TaskPage(items, str(items[-1].id) if len(rows) > limit else None)


def _own(actor: Actor, state: str) -> ColumnElement[bool]:
    if state == TaskState.DONE:
        return tasks.c.closed_by == actor.person_id
    asked = select(task_actors.c.id).where(task_actors.c.task_id == tasks.c.id, is_offered(actor))
    return asked.exists()


def _seen(about: dict[str, Subject]) -> ColumnElement[bool]:
    """The task's record is one of those the actor may read."""
    return or_(False, *(and_(one.joins(), one.seen()) for one in about.values()))
