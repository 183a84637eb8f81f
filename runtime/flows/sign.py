"""Have one more person say yes to an approval (加签): beside who is asked, or after them."""

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.store.errors import Conflict, Invalid, NotAllowed, Problem
from ..actions.commands import Offer, Reckoned, SetLimit, StepFailed
from ..actions.moments import reckon
from ..steps.graph import Graph, TaskStep
from ..tasks import hand_over as hands
from ..tasks.actors import Offered, is_among
from ..tasks.hold import asked, lost, need_asked, need_undelegated
from ..tasks.model import NoteKind, TaskState, task_actors, tasks
from ..timers.set import set_timers, set_watches
from . import hand_over
from .complete import complete
from .definition import YES
from .instance import Standing, need_running, sight_of, take_open
from .load import flow
from .put import Hands

BESIDE, AFTER = "beside", "after"
WAYS = (BESIDE, AFTER)


def add_sign(
    session: Session,
    actor: Actor,
    task_id: int,
    to: int,
    way: str = BESIDE,
    said: str | None = None,
) -> int:
    """`to` has to say yes as well, with a task of their own, due and hurried as the step says from
    now on; returns its id. A no of either is a no. `after`: the actor says yes at once, with the
    same words.

    Whoever is asked to approve may. Raises NotFound, NotAllowed, Conflict (closed, held by
    another, suspended, delegated, no moment is its due time), Invalid at /to when that person may
    not do it or is asked already.
    """
    task, standing, graph = _mine(session, actor, task_id)
    step = graph.task(task.step_key)
    said = hand_over.worded(said, required=False)
    if to == actor.person_id or _is_asked(session, task, to):
        raise Invalid(problems=[Problem("/to", "E_TASK_THEIRS")])
    hand_over.need_fit(session, hand_over.Handing(task, step, True), to)
    made = _offered(session, actor, task, standing, graph, to)
    hands.write_note(session, actor, task, NoteKind.SIGNER, said, to)
    hands.tell(session, "task:signer_added", actor, task, to)
    if way == AFTER:
        complete(session, actor, task_id, {}, YES, said)
    return made


def may_add_sign(session: Session, actor: Actor, task: Row[Any]) -> bool:
    """Whether the task is an approval that the actor may decide now."""
    return (
        task.state == TaskState.OPEN
        and task.holder_id in (None, actor.person_id)
        and task.principal_id is None
        and flow(session, task.flow_key, task.flow_version).task(task.step_key).approval is not None
        and is_among(actor, asked(session, task.id))
    )


def _offered(
    session: Session, actor: Actor, task: Row[Any], standing: Standing, graph: Graph, to: int
) -> int:
    """A task of this step before the person, with its due time and limits counted from now."""
    step: TaskStep = graph.task(task.step_key)
    sight, names = sight_of(session, standing), standing.run.names
    try:
        due = reckon(sight, step.due, names) if step.due is not None else Reckoned(None)
        limits = [(limit.key, reckon(sight, limit.when, names)) for limit in step.limits]
    except StepFailed as failure:
        raise Conflict(failure.code, **failure.params) from failure
    put = Hands(sight, graph, standing, None, actor)
    put.token_id = task.token_id
    made = put.offer(Offer(task.step_key, (Offered(person=to),), due))
    for key, at in limits:
        put.limit(SetLimit(made, key, at))
    set_timers(session, put.timers)
    set_watches(session, put.watches)
    return made


def _mine(session: Session, actor: Actor, task_id: int) -> tuple[Row[Any], Standing, Graph]:
    """An open approval that the actor may decide now, its instance locked; and its flow."""
    task, standing = take_open(session, actor, task_id)
    need_asked(session, actor, task_id)
    need_running(standing)
    if task.holder_id not in (None, actor.person_id):
        raise lost(session, actor, task_id)
    need_undelegated(session, task)
    graph = flow(session, standing.flow_key, standing.flow_version)
    if graph.task(task.step_key).approval is None:
        raise NotAllowed("E_NO_SIGN")
    return task, standing, graph


def _is_asked(session: Session, task: Row[Any], person_id: int) -> bool:
    """Whether the person has an open task of this approval by name already."""
    query = (
        select(tasks.c.id)
        .join(task_actors, task_actors.c.task_id == tasks.c.id)
        .where(tasks.c.token_id == task.token_id, tasks.c.step_key == task.step_key)
        .where(tasks.c.state == TaskState.OPEN, task_actors.c.open)
        .where(task_actors.c.person_id == person_id)
    )
    return session.execute(query.limit(1)).first() is not None
