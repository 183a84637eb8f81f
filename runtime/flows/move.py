"""A record has changed: the moments that were worked out from it are worked out again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ...platform.store.session import moment
from ..actions.commands import Reckoned, When
from ..actions.moments import reckon
from ..steps.graph import (
    AgainStep,
    Graph,
    NotifyStep,
    RaceStep,
    RepeatStep,
    WaitStep,
)
from ..tasks.hold import found
from ..tasks.model import MessageState, TaskState, messages
from ..tasks.offer import redue
from ..timers.due import Due
from ..timers.set import NewTimer, NewWatch, retime, set_watches, unwatch
from .instance import Standing, sight_of
from .load import flow
from .model import waits


def move(session: Session, standing: Standing, timer: Due) -> None:
    """The owner's moment, if it still has one to come."""
    purpose, key = timer.data["of"], timer.data["key"]
    graph = flow(session, standing.flow_key, standing.flow_version)
    _MOVES[purpose](session, standing, graph, timer.owner_id, key)


def _wait(session: Session, standing: Standing, graph: Graph, owner: int, key: str) -> None:
    """A moment that is over or blank now ends the wait at once."""
    row = session.execute(select(waits).where(waits.c.id == owner)).one_or_none()
    if row is None:
        return
    when = _when_of_wait(graph, standing, row.step_key, row.arm)
    at = _again(session, standing, when, owner, "wait", key, since=row.since)
    until = at.at or moment(session)
    session.execute(update(waits).where(waits.c.id == owner).values(until=until))
    retime(session, NewTimer(until, "wait", standing.id, owner), owner, "wait")


def _when_of_wait(graph: Graph, standing: Standing, step_key: str, arm: str | None) -> When:
    """What the wait of a step, or of a race's arm, is counted by."""
    match graph.nodes[step_key].step:
        case WaitStep(when):
            found = when
        case RaceStep() as race:
            racing = race.arm(arm)
            found = racing.when if racing is not None else None
        case RepeatStep() as rounds:
            found = rounds.wait(1)
        case AgainStep(of=of, waits=rounds):
            named = standing.run.names.get(of)
            found = rounds.wait((named.round if named is not None else None) or 1)
        case _:
            found = None
    assert found is not None
    return found


def _due(session: Session, standing: Standing, graph: Graph, owner: int, key: str) -> None:
    task = found(session, owner)
    when = graph.task(task.step_key).due
    if task.state == TaskState.OPEN and when is not None:
        at = _again(session, standing, when, owner, "due", key, since=task.offered_at)
        redue(session, owner, at.at)


def _limit(session: Session, standing: Standing, graph: Graph, owner: int, key: str) -> None:
    """One that has run out moves no more: its watch went with it."""
    task = found(session, owner)
    limit = graph.task(task.step_key).limit(key)
    if task.state != TaskState.OPEN or limit is None:
        return
    if not unwatch(session, owner, "limit", key):
        return
    at = _again(session, standing, limit.when, owner, "limit", key, since=task.offered_at)
    new = None
    if at.at is not None:
        new = NewTimer(at.at, "limit", standing.id, owner, {"limit": key})
    retime(session, new, owner, "limit", key)


def _message(session: Session, standing: Standing, graph: Graph, owner: int, key: str) -> None:
    """A message whose moment was over may come to be due after all."""
    row = session.execute(select(messages).where(messages.c.id == owner)).one()
    step = graph.nodes[row.step_key].step
    assert isinstance(step, NotifyStep)
    if row.state not in (MessageState.SCHEDULED, MessageState.PASSED):
        return
    at = _again(session, standing, step.at[row.number], owner, "message", key, since=row.since)
    over = at.at is not None and at.at <= moment(session)
    state = MessageState.PASSED if over else MessageState.SCHEDULED
    session.execute(
        update(messages).where(messages.c.id == owner).values(due_at=at.at, state=state)
    )
    new = NewTimer(at.at, "message", standing.id, owner) if at.at and not over else None
    retime(session, new, owner, "message")


def _again(
    session: Session,
    standing: Standing,
    when: When,
    owner: int,
    purpose: str,
    key: str,
    since: datetime,
) -> Reckoned:
    """The moment as it is now, and the records it is worked out from now."""
    at = reckon(sight_of(session, standing), when, standing.run.names, since)
    unwatch(session, owner, purpose, key)
    set_watches(session, _watches(standing, at, owner, purpose, key))
    return at


def _watches(
    standing: Standing, at: Reckoned, owner: int, purpose: str, key: str
) -> Sequence[NewWatch]:
    return [NewWatch(form, record, standing.id, owner, purpose, key) for form, record in at.reads]


_MOVES = {"wait": _wait, "due": _due, "limit": _limit, "message": _message}
