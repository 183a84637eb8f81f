"""Return a task to a step that was done before: from there the flow is walked again."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.store.errors import Invalid, NotAllowed, Problem
from ...platform.store.session import moment
from ..actions.commands import Named
from ..steps.graph import RETURNED, TaskStep
from ..tasks.hold import close, need_asked, need_undelegated
from . import writing
from .instance import Standing, need_running, sight_of, take_open
from .leave import drop_rest, drop_timers
from .load import flow
from .model import steps_taken
from .transit import go_on

MOST_SAID = 2000


def turn_back(
    session: Session, actor: Actor, task_id: int, to: str | None, said: str | None
) -> None:
    """Return a task to the step `to`, or to the one done last; `said`: why.

    What was written stays. Raises NotFound when the actor is not asked, NotAllowed when its step
    is not to be returned, Conflict when another was faster or the flow is suspended, Invalid
    without a reason or when that step was not done.
    """
    row, standing = take_open(session, actor, task_id)
    need_asked(session, actor, task_id)
    need_running(standing)
    need_undelegated(session, row)
    graph = flow(session, standing.flow_key, standing.flow_version)
    step = graph.task(row.step_key)
    said = (said or "").strip()
    if not step.returns:
        raise NotAllowed("E_NO_RETURN")
    back = done_before(session, step, row.token_id)
    target = to or next(iter(back), None)
    _judge(back, target, said)
    close(session, actor, task_id, RETURNED, said)
    drop_timers(session, task_id, watched=step.moves)
    drop_rest(session, row.token_id)
    writing.note_case(session, row.token_id, row.step_key, RETURNED)
    event = _tell(session, actor, standing, row.id, row.step_key)
    sight = sight_of(session, standing)
    go_on(sight, graph, standing, row.token_id, target, row.step_key, event)


def done_before(session: Session, step: TaskStep, token_id: int) -> list[str]:
    """The steps it may be returned to that the token has been at, the last one first."""
    query = (
        select(steps_taken.c.step_key)
        .where(steps_taken.c.token_id == token_id, steps_taken.c.step_key.in_(step.returns))
        .group_by(steps_taken.c.step_key)
        .order_by(func.max(steps_taken.c.id).desc())
    )
    return list(session.scalars(query))


def _judge(back: list[str], target: str | None, said: str) -> None:
    problems = []
    if target is None or target not in back:
        problems.append(Problem("/to", "E_ONE_OF", {"allowed": ", ".join(back)}))
    if not said:
        problems.append(Problem("/comment", "E_REQUIRED"))
    elif len(said) > MOST_SAID:
        problems.append(Problem("/comment", "E_LONG", {"most": MOST_SAID}))
    if problems:
        raise Invalid(problems=problems)


def _tell(session: Session, actor: Actor, standing: Standing, task_id: int, step: str) -> int:
    at = moment(session).isoformat()
    standing.run.names[step] = Named(outcome=RETURNED, at=at, by=actor.person_id)
    data = {"task": str(task_id), "step": step, "outcome": RETURNED}
    return append(
        session, "task:completed", actor, ("instance", standing.id), standing.unit_id, data
    )
