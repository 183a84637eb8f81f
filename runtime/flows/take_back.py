"""Take a completed task back while nobody has begun what comes after it (撤回)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.store.errors import Conflict, NotAllowed, NotFound
from ...platform.store.session import database_of, moment
from ..actions.act import Act
from ..steps.graph import TAKEN_BACK, ActionStep, Graph
from ..tasks import hand_over as hands
from ..tasks.actors import Offered
from ..tasks.hold import found, need_known, still_open
from ..tasks.model import How, NoteKind, TaskState, task_notes, tasks
from ..tasks.offer import ask_also
from .instance import lock, sight_of
from .leave import drop_rest
from .load import flow
from .model import InstanceState, instances, steps_taken
from .transit import go_on
from .writing import note_case, token_at

PASSED = ("task", "approve", "branch", "go_to", "repeat", "again", "race", "wait")
"""Steps that may be walked again as if they had not been: nothing outside has heard of them."""

MOST_LOOKED_AT = 3


def take_back(session: Session, actor: Actor, task_id: int) -> int:
    """The task is open again, in the hands of who completed it; returns the new task's id.

    What was written stays: the record that came of it is what completing it anew changes. Raises
    NotFound, NotAllowed unless the actor completed it, Conflict when the flow has gone on too far:
    somebody has begun the next task, a message was sent, a record made, or it has ended.
    """
    row = found(session, task_id)
    need_known(session, actor, task_id)
    standing = lock(session, row.instance_id)
    row = found(session, task_id)
    if standing is None:
        raise NotFound(task=str(task_id))
    _hold_later(session, row)
    graph = flow(session, standing.flow_key, standing.flow_version)
    _need_may(session, actor, graph, standing.state, row)
    drop_rest(session, row.token_id)
    note_case(session, row.token_id, token_at(session, row.token_id), TAKEN_BACK)
    hands.write_note(session, actor, row, NoteKind.TAKEN_BACK)
    data = {"task": str(row.id), "step": row.step_key}
    event = append(session, "task:taken_back", actor, ("instance", standing.id), row.unit_id, data)
    sight = sight_of(session, standing)
    go_on(sight, graph, standing, row.token_id, row.step_key, row.step_key, event)
    return _into_hands(session, actor, row)


def _hold_later(session: Session, row: Row[Any]) -> None:
    """Nobody claims what came after the task until this transaction ends: claiming does not wait
    for the instance. SQLite writes one transaction at a time anyway."""
    if database_of(session).dialect == "postgresql":
        later = select(tasks.c.id).where(tasks.c.token_id == row.token_id, tasks.c.id > row.id)
        session.execute(later.order_by(tasks.c.id).with_for_update())


def may_take_back(session: Session, actor: Actor, row: Row[Any]) -> bool:
    """Whether the actor could take the task back now."""
    state = session.execute(
        select(instances.c.state).where(instances.c.id == row.instance_id)
    ).scalar_one()
    graph = flow(session, row.flow_key, row.flow_version)
    try:
        _need_may(session, actor, graph, state, row)
    except (Conflict, NotAllowed):
        return False
    return True


def own_to_take_back(
    session: Session, actor: Actor, about: ColumnElement[bool]
) -> Sequence[Row[Any]]:
    """Of the tasks about something those the actor could take back now, newest first; `about`
    should be one that an index answers."""
    if actor.person_id is None:
        return []
    query = (
        select(tasks)
        .where(about, tasks.c.state == TaskState.DONE, tasks.c.closed_by == actor.person_id)
        .order_by(tasks.c.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    return [row for row in session.execute(query) if may_take_back(session, actor, row)]


def _need_may(session: Session, actor: Actor, graph: Graph, state: str, row: Row[Any]) -> None:
    if row.state != TaskState.DONE or row.closed_by != actor.person_id or actor.is_system:
        raise NotAllowed("E_NOT_TAKEN_BACK")
    if state == InstanceState.SUSPENDED:
        raise Conflict("E_FLOW_SUSPENDED")
    if state != InstanceState.RUNNING or _gone_on(session, graph, row):
        raise Conflict("E_GONE_ON")


def _gone_on(session: Session, graph: Graph, row: Row[Any]) -> bool:
    """Whether anything came after the task that cannot be walked again."""
    later = select(tasks).where(tasks.c.token_id == row.token_id, tasks.c.id > row.id)
    for task in session.execute(later):
        noted = select(task_notes.c.id).where(task_notes.c.task_id == task.id).limit(1)
        if task.holder_id is not None or task.state == TaskState.DONE:
            return True
        if session.execute(noted).first() is not None:
            return True
    if still_open(session, row.token_id, row.step_key):
        return True  # others are still asked to say yes to the same
    steps = select(steps_taken.c.step_key, steps_taken.c.case_key).where(
        steps_taken.c.token_id == row.token_id, steps_taken.c.id > row.id
    )
    return not all(case != "failed" and _passed(graph, key) for key, case in session.execute(steps))


def _passed(graph: Graph, key: str) -> bool:
    node = graph.nodes[key]
    if isinstance(node.step, ActionStep):
        return all(_only_sets(act) for act in node.step.do)
    return node.kind in PASSED


def _only_sets(act: Act) -> bool:
    """Of an action done twice nothing is there twice."""
    return act.action in ("set", "find") and not act.add


def _into_hands(session: Session, actor: Actor, row: Row[Any]) -> int:
    """The task that the step offers anew is the actor's, about the record made before."""
    query = select(tasks.c.id, tasks.c.due_at).where(
        tasks.c.token_id == row.token_id,
        tasks.c.step_key == row.step_key,
        tasks.c.state == TaskState.OPEN,
    )
    made = session.execute(query.order_by(tasks.c.id.desc()).limit(1)).first()
    if made is None:
        raise Conflict("E_GONE_ON")  # nobody is there whom the step asks for
    assert actor.person_id is not None
    ask_also(session, made.id, [Offered(person=actor.person_id)], How.REASSIGNED, made.due_at)
    session.execute(
        update(tasks)
        .where(tasks.c.id == made.id)
        .values(holder_id=actor.person_id, held_at=moment(session), record_id=row.record_id)
    )
    return int(made.id)
