"""What is due, carried out: a task's limit, the end of a wait, a walk that paused."""

from sqlalchemy import Row
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import SYSTEM
from ..steps.graph import Limit
from ..tasks import offer
from ..tasks.hold import asked, found
from ..tasks.model import TaskState
from ..timers.due import Due, take
from ..timers.set import hold_timers
from .instance import Standing, lock, sight_of
from .load import flow
from .model import InstanceState
from .transit import go_on
from .who import resolve
from .writing import end_wait, token_at, told_actors


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
    if standing.state != InstanceState.RUNNING:
        return True  # nothing is left to be done; a row that stayed would hold up those behind it
    {"limit": _limit, "wait": _wait, "go_on": _go_on}[timer.purpose](session, standing, timer)
    return True


def _wait(session: Session, standing: Standing, timer: Due) -> None:
    """The wait is over: the token goes on."""
    wait = end_wait(session, timer.owner_id)
    if wait is None:
        return
    graph = flow(session, standing.flow_key, standing.flow_version)
    event = _tell(session, standing, "flow:woken", {"step": wait.step_key})
    following = graph.nodes[wait.step_key].next
    go_on(
        sight_of(session, standing), graph, standing, wait.token_id, following, wait.step_key, event
    )


def _go_on(session: Session, standing: Standing, timer: Due) -> None:
    """The budget was spent: the next one begins where it ended."""
    step = token_at(session, timer.owner_id)
    graph = flow(session, standing.flow_key, standing.flow_version)
    event = _tell(session, standing, "flow:woken", {"step": step})
    go_on(sight_of(session, standing), graph, standing, timer.owner_id, step, step, event)


def _limit(session: Session, standing: Standing, timer: Due) -> None:
    """A task is still open so long after it was offered."""
    task = found(session, timer.owner_id)
    if task.state != TaskState.OPEN:
        return
    graph = flow(session, standing.flow_key, standing.flow_version)
    limit = graph.task(task.step_key).limit(timer.data["limit"])
    if limit is None:
        return
    if limit.do == "remind":
        offer.remind(session, task.id)
        _told(session, standing, task, limit, "task:reminded", {})
    else:
        _ask_others(session, standing, task, limit)


def _ask_others(
    session: Session, standing: Standing, task: Row[tuple[object, ...]], limit: Limit
) -> None:
    """Escalate (they are asked as well) or reassign (they are asked instead)."""
    sight = sight_of(session, standing)
    actors = resolve(sight, limit.to, standing.run.names)
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
