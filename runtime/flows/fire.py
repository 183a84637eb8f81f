"""What is due, carried out: a task's limit, the end of a wait, a message, a moment that moved."""

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import SYSTEM
from ...platform.store.session import moment
from ..actions.commands import Named
from ..channels.calls import call_row
from ..channels.model import CallState
from ..steps.call import ANSWERED, FAILED, GIVEN_UP
from ..steps.graph import CallStep, Graph, Limit, RaceStep, TaskStep
from ..tasks import offer
from ..tasks.hold import asked, found
from ..tasks.model import TaskState
from ..timers.due import Due, park, take
from ..timers.set import hold_timers, unwatch
from .control import TIMER
from .instance import Standing, lock, sight_of
from .leave import drop_rest, drop_timers
from .load import flow
from .model import InstanceState, TokenState, tokens
from .move import move
from .send import send
from .transit import go_on
from .who import resolve
from .writing import end_wait, move_token, note_case, open_incident, token_at, told_actors

LASTING = ("message", "move")
"""What is still done when its instance has ended: a message may be due after that."""


def fire(session: Session, timer: Due) -> bool:
    """Take a timer that is due and carry out what it is for, in this transaction.

    False when another transition has the instance (come back to it) or the timer is gone.
    """
    standing = lock(session, timer.instance_id, wait=False)
    if standing is None:
        return False
    if standing.state == InstanceState.SUSPENDED:
        hold_timers(session, standing.id, True)
        return True
    if not take(session, timer.id):
        return False
    runs = standing.state == InstanceState.RUNNING
    if runs or (standing.state == InstanceState.ENDED and timer.purpose in LASTING):
        _PURPOSES[timer.purpose](session, standing, timer)
    return True  # else nothing is left to be done; a row that stayed would hold up those behind it


def give_up(session: Session, timer: Due, error: Exception) -> None:
    """A timer that could not be fired again and again: it is parked, and an incident says why."""
    query = (
        select(tokens.c.id, tokens.c.step_key)
        .where(tokens.c.instance_id == timer.instance_id)
        .order_by(tokens.c.state.in_([TokenState.ENDED, TokenState.CANCELLED]), tokens.c.id)
    )
    token = session.execute(query.limit(1)).one()
    params = {"purpose": timer.purpose, "error": type(error).__name__}
    incident = open_incident(session, timer.instance_id, token.id, token.step_key, TIMER, params)
    park(session, timer.id, incident)
    subject = ("instance", timer.instance_id)
    data = {"step": token.step_key, "code": TIMER}
    append(session, "incident:opened", SYSTEM, subject, None, data)


def _wait(session: Session, standing: Standing, timer: Due) -> None:
    """The wait is over, or what it waited for has come: the token goes on."""
    wait = end_wait(session, timer.owner_id)
    if wait is None:
        return
    graph = flow(session, standing.flow_key, standing.flow_version)
    event = _tell(session, standing, "flow:woken", {"step": wait.step_key})
    if wait.kind == "record":
        form = str(wait.what).partition(".")[0]
        key = wait.arm or wait.step_key
        standing.run.names[key] = Named(form, int(timer.data["record"]))
    drop_timers(session, wait.id, watched=True)
    following = graph.nodes[wait.step_key].next
    if wait.arm is not None:
        following = _won(session, graph, standing, wait)
    go_on(
        sight_of(session, standing), graph, standing, wait.token_id, following, wait.step_key, event
    )


def _won(
    session: Session, graph: Graph, standing: Standing, wait: Row[tuple[object, ...]]
) -> str | None:
    """This arm of the race came first: the others are dropped. Returns where it leads."""
    drop_rest(session, wait.token_id)
    note_case(session, wait.token_id, wait.step_key, wait.arm)
    standing.run.names[wait.step_key] = Named(outcome=wait.arm)
    step = graph.nodes[wait.step_key].step
    assert isinstance(step, RaceStep)
    arm = step.arm(wait.arm)
    assert arm is not None
    return arm.to


def _go_on(session: Session, standing: Standing, timer: Due) -> None:
    """The budget was spent: the next one begins where it ended."""
    step = token_at(session, timer.owner_id)
    graph = flow(session, standing.flow_key, standing.flow_version)
    event = _tell(session, standing, "flow:woken", {"step": step})
    go_on(sight_of(session, standing), graph, standing, timer.owner_id, step, step, event)


def _call(session: Session, standing: Standing, timer: Due) -> None:
    """A call is over: the token goes on with what came back, or as its step says for one that was
    given up; else somebody has to look."""
    row = call_row(session, timer.owner_id)
    if row is None or row.state not in (CallState.ANSWERED, CallState.FAILED):
        return  # somebody has gone on without it, or has it sent again
    graph = flow(session, standing.flow_key, standing.flow_version)
    node = graph.nodes[row.step_key]
    assert isinstance(node.step, CallStep)
    data = {"step": row.step_key, "call": str(row.id), "tries": row.tries}
    if row.state == CallState.ANSWERED:
        event = _tell(session, standing, "call:answered", {**data, "status": row.status})
        outcome, to = ANSWERED, node.next
    else:
        event = _tell(session, standing, "call:failed", {**data, "code": row.trouble})
        outcome, to = FAILED, node.step.failed
        if to is None:
            _stuck(session, standing, row)
            return
    at = moment(session).isoformat()
    standing.run.names[row.step_key] = Named(outcome=outcome, at=at, answer=row.answer)
    case = ANSWERED if outcome == ANSWERED else GIVEN_UP
    note_case(session, row.token_id, row.step_key, case)
    go_on(sight_of(session, standing), graph, standing, row.token_id, to, row.step_key, event)


def _stuck(session: Session, standing: Standing, row: Row[Any]) -> None:
    """The token stands at its call with an incident, until somebody retries or goes on without."""
    note_case(session, row.token_id, row.step_key, "failed")
    move_token(session, row.token_id, row.step_key, TokenState.STUCK)
    params = {"status": row.status, "tries": row.tries, "name": row.connection_key}
    code = row.trouble or "E_CALL_BROKEN"
    open_incident(session, standing.id, row.token_id, row.step_key, code, params)
    _tell(session, standing, "incident:opened", {"step": row.step_key, "code": code})


def _limit(session: Session, standing: Standing, timer: Due) -> None:
    """A task is still open at its limit."""
    task = found(session, timer.owner_id)
    if task.state != TaskState.OPEN:
        return
    graph = flow(session, standing.flow_key, standing.flow_version)
    step = graph.task(task.step_key)
    limit = step.limit(timer.data["limit"])
    if limit is None:
        return
    if limit.when.formulas:
        unwatch(session, task.id, "limit", limit.key)  # it has run out: it moves no more
    if limit.do == "remind":
        offer.remind(session, task.id)
        _told(session, standing, task, limit, "task:reminded", {})
    else:
        _ask_others(session, standing, task, step, limit)


def _ask_others(
    session: Session,
    standing: Standing,
    task: Row[tuple[object, ...]],
    step: TaskStep,
    limit: Limit,
) -> None:
    """Escalate (they are asked as well) or reassign (they are asked instead)."""
    sight = sight_of(session, standing)
    names = standing.run.names
    but = {names[key].by for key in step.not_by if key in names} - {None}
    actors = resolve(sight, limit.to, names, {one for one in but if one}, each=bool(but))
    before = asked(session, task.id)
    new = [actor for actor in actors if actor not in before]
    if limit.do == "escalate":
        offer.offer_also(session, task.id, new, task.due_at)
        name = "task:escalated"
    elif actors:  # nobody there: better the wrong people than none
        offer.reassign(session, task.id, actors, task.due_at)
        name = "task:reassigned"
    else:
        return
    _told(session, standing, task, limit, name, {"to": told_actors(actors)})


def _told(
    session: Session,
    standing: Standing,
    task: Row[tuple[object, ...]],
    limit: Limit,
    name: str,
    more: dict[str, object],
) -> None:
    data = {"task": str(task.id), "step": task.step_key, "limit": limit.key, **more}
    _tell(session, standing, name, data)


def _tell(session: Session, standing: Standing, name: str, data: dict[str, object]) -> int:
    """What happened by itself follows from nothing a rule did: it begins a chain of its own."""
    return append(session, name, SYSTEM, ("instance", standing.id), standing.unit_id, data)


_PURPOSES = {
    "limit": _limit,
    "wait": _wait,
    "go_on": _go_on,
    "message": send,
    "move": move,
    "call": _call,
}
