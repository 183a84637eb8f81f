"""Invariants of flows in a live database: each check says every place where one fails.

Every instance waits on something live, has ended, or has an incident; no step is half done; each
task is completed at most once; what an instance did is a path of the version it began with.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from ...platform.events.model import Event
from ...platform.store.errors import NotFound, NotUnderstood
from ..channels.model import CallState, calls
from ..steps.graph import RETURNED, TAKEN_BACK, Graph, TaskStep
from ..tasks.model import MessageState, TaskState, messages, task_actors, tasks
from ..timers.model import timers, watches
from .definition import Newer
from .load import flow
from .model import (
    InstanceState,
    TokenState,
    incidents,
    instances,
    steps_taken,
    tokens,
    waits,
)

LIVE = (TokenState.WAITING, TokenState.PAUSED, TokenState.STUCK)
ALIVE = (InstanceState.RUNNING, InstanceState.SUSPENDED)


def flows_are_sound(session: Session) -> Iterator[str]:
    """All of them; nothing when every instance is as it should be."""
    for sentence, query in QUERIES.items():
        for row in session.execute(query):
            yield sentence.format(*row)
    yield from tasks_have_their_records(session)
    yield from tasks_are_completed_once(session)
    yield from histories_are_paths(session)


def _live_tokens() -> Any:
    return exists().where(tokens.c.instance_id == instances.c.id, tokens.c.state.in_(LIVE))


def _tokens_without(state: TokenState, *things: Any) -> Select[Any]:
    """Live tokens in a state that have none of the things they should wait on."""
    return select(tokens.c.id, tokens.c.instance_id).where(
        tokens.c.state == state, *(~thing for thing in things)
    )


def _timer_of(owner: Any, purpose: str) -> Any:
    return exists().where(timers.c.owner_id == owner, timers.c.purpose == purpose)


_open_task = exists().where(
    tasks.c.token_id == tokens.c.id,
    tasks.c.step_key == tokens.c.step_key,
    tasks.c.state == TaskState.OPEN,
)
_timed_wait = exists().where(
    waits.c.token_id == tokens.c.id,
    waits.c.kind == "moment",
    timers.c.owner_id == waits.c.id,
    timers.c.purpose == "wait",
)
_listening = exists().where(
    waits.c.token_id == tokens.c.id,
    waits.c.step_key == tokens.c.step_key,
    waits.c.kind.in_(["record", "event"]),
    waits.c.record_id.is_not(None),
)
_racing_task = exists().where(
    waits.c.token_id == tokens.c.id,
    waits.c.kind == "task",
    tasks.c.id == waits.c.record_id,
    tasks.c.state == TaskState.OPEN,
)
_calling = exists().where(
    calls.c.token_id == tokens.c.id,
    calls.c.step_key == tokens.c.step_key,
    or_(calls.c.state == CallState.WAITING, _timer_of(calls.c.id, "call")),
)
_open_incident = exists().where(
    incidents.c.token_id == tokens.c.id, incidents.c.closed_at.is_(None)
)
_open_actor = exists().where(task_actors.c.task_id == tasks.c.id, task_actors.c.open)
_alive_instance = exists().where(
    instances.c.id == tasks.c.instance_id, instances.c.state.in_(ALIVE)
)
_races = exists().where(waits.c.record_id == tasks.c.id, waits.c.kind == "task")
_waiting_token = exists().where(
    tokens.c.id == tasks.c.token_id,
    or_(tokens.c.step_key == tasks.c.step_key, _races),
    tokens.c.state == TokenState.WAITING,
)
_its_token = exists().where(
    tokens.c.id == waits.c.token_id,
    tokens.c.step_key == waits.c.step_key,
    tokens.c.state == TokenState.WAITING,
)
_calls_from = exists().where(
    tokens.c.id == calls.c.token_id,
    tokens.c.step_key == calls.c.step_key,
    tokens.c.state == TokenState.WAITING,
)
_later_calls = calls.alias("later")
_newest_call = (
    select(func.max(_later_calls.c.id))
    .where(_later_calls.c.token_id == calls.c.token_id, _later_calls.c.step_key == calls.c.step_key)
    .scalar_subquery()
)
_its_timer = exists().where(timers.c.owner_id == waits.c.id, timers.c.purpose == "wait")


def _owned(owner: Any) -> Any:
    """Whether a wait, a task or a message of this id is there."""
    return or_(*(exists().where(table.c.id == owner) for table in (waits, tasks, messages)))


QUERIES: dict[str, Select[Any]] = {
    "instance {0}: {1}, and no token of it is live": select(
        instances.c.id, instances.c.state
    ).where(instances.c.state.in_(ALIVE), ~_live_tokens()),
    "instance {0}: {1}, and a token of it is live": select(instances.c.id, instances.c.state).where(
        instances.c.state.not_in(ALIVE), _live_tokens()
    ),
    "token {0} of instance {1}: waits for nothing live": _tokens_without(
        TokenState.WAITING, _open_task, _timed_wait, _listening, _racing_task, _calling
    ),
    "wait {0} of instance {1}: its token is elsewhere": select(
        waits.c.id, waits.c.instance_id
    ).where(~_its_token),
    "wait {0} of instance {1}: for a moment, and no timer of it runs": select(
        waits.c.id, waits.c.instance_id
    ).where(waits.c.kind == "moment", ~_its_timer),
    "call {0} of instance {1}: waits, and its token is elsewhere": select(
        calls.c.id, calls.c.instance_id
    ).where(calls.c.state == CallState.WAITING, ~_calls_from),
    "call {0}: over, and nobody went on from it": select(calls.c.id).where(
        calls.c.state.in_([CallState.ANSWERED, CallState.FAILED]),
        _calls_from,
        ~_timer_of(calls.c.id, "call"),
        calls.c.id == _newest_call,
    ),
    "message {0}: scheduled, and no timer of it runs": select(messages.c.id).where(
        messages.c.state == MessageState.SCHEDULED,
        messages.c.due_at.is_not(None),
        ~_timer_of(messages.c.id, "message"),
    ),
    "watch {0}: of nothing that is there": select(watches.c.id).where(~_owned(watches.c.owner_id)),
    "token {0} of instance {1}: stuck without an incident": _tokens_without(
        TokenState.STUCK, _open_incident
    ),
    "token {0} of instance {1}: paused without a timer": _tokens_without(
        TokenState.PAUSED, _timer_of(tokens.c.id, "go_on")
    ),
    "token {0}: of no instance": select(tokens.c.id).where(
        ~exists().where(instances.c.id == tokens.c.instance_id)
    ),
    "incident {0}: open, and its token is elsewhere": select(incidents.c.id).where(
        incidents.c.closed_at.is_(None),
        ~exists().where(
            tokens.c.id == incidents.c.token_id,
            tokens.c.step_key == incidents.c.step_key,
            tokens.c.state == TokenState.STUCK,
        ),
        ~exists().where(timers.c.incident_id == incidents.c.id),
    ),
    "task {0}: open, and its instance is not": select(tasks.c.id).where(
        tasks.c.state == TaskState.OPEN, ~_alive_instance
    ),
    "task {0}: open, and its token is elsewhere": select(tasks.c.id).where(
        tasks.c.state == TaskState.OPEN, ~_waiting_token
    ),
    "task {0}: open, and nobody is asked": select(tasks.c.id).where(
        tasks.c.state == TaskState.OPEN, ~_open_actor
    ),
    "task {0}: closed, and somebody is still asked": select(tasks.c.id).where(
        tasks.c.state != TaskState.OPEN, _open_actor
    ),
    "task {0}: closed, and a timer of it runs": select(tasks.c.id).where(
        tasks.c.state != TaskState.OPEN, exists().where(timers.c.owner_id == tasks.c.id)
    ),
    "timer {0}: of nothing that is there": select(timers.c.id).where(
        ~or_(
            and_(
                timers.c.purpose == "limit",
                exists().where(tasks.c.id == timers.c.owner_id),
            ),
            and_(timers.c.purpose == "wait", exists().where(waits.c.id == timers.c.owner_id)),
            and_(
                timers.c.purpose == "message",
                exists().where(messages.c.id == timers.c.owner_id),
            ),
            and_(timers.c.purpose == "call", exists().where(calls.c.id == timers.c.owner_id)),
            timers.c.purpose == "move",
            and_(
                timers.c.purpose == "go_on",
                exists().where(tokens.c.id == timers.c.owner_id),
            ),
        )
    ),
}


def tasks_have_their_records(session: Session) -> Iterator[str]:
    """Whoever did a task with a form has left a record, but for outcomes that need none."""
    query = select(tasks).where(
        tasks.c.state == TaskState.DONE,
        tasks.c.form_key.is_not(None),
        tasks.c.record_id.is_(None),
    )
    for task in session.execute(query):
        try:
            step = flow(session, task.flow_key, task.flow_version).task(task.step_key)
        except (NotFound, NotUnderstood, Newer, KeyError):
            continue  # `histories_are_paths` tells of it
        outcome = step.outcome(task.outcome)
        if task.outcome != RETURNED and (outcome is None or outcome.form):
            yield f"task {task.id}: done without its record"


def tasks_are_completed_once(session: Session) -> Iterator[str]:
    """As many completions were told of each instance as it has completed tasks."""
    told = (
        select(Event.subject_id, func.count().label("count"))
        .where(Event.subject_kind == "instance", Event.name == "task:completed")
        .group_by(Event.subject_id)
        .subquery()
    )
    finished = (
        select(tasks.c.instance_id, func.count().label("count"))
        .where(tasks.c.state == TaskState.DONE)
        .group_by(tasks.c.instance_id)
        .subquery()
    )
    query = (
        select(instances.c.id, finished.c.count, told.c.count)
        .outerjoin(finished, finished.c.instance_id == instances.c.id)
        .outerjoin(told, told.c.subject_id == instances.c.id)
        .where(func.coalesce(finished.c.count, 0) != func.coalesce(told.c.count, 0))
    )
    for instance_id, tasks_done, times in session.execute(query):
        yield f"instance {instance_id}: {tasks_done or 0} tasks done, completed {times or 0} times"


def histories_are_paths(session: Session) -> Iterator[str]:
    """What each token did is a path of the graph its instance began with, to where it stands."""
    query = (
        select(
            steps_taken.c.token_id,
            steps_taken.c.step_key,
            steps_taken.c.case_key,
            instances.c.id.label("instance_id"),
            instances.c.flow_key,
            instances.c.flow_version,
            tokens.c.step_key.label("stands_at"),
        )
        .join(instances, instances.c.id == steps_taken.c.instance_id)
        .join(tokens, tokens.c.id == steps_taken.c.token_id)
        .order_by(steps_taken.c.token_id, steps_taken.c.id)
        .execution_options(yield_per=1000)
    )
    for _, taken in groupby(session.execute(query), key=lambda row: row.token_id):
        rows = list(taken)
        yield from _strays(session, rows)


def _strays(session: Session, rows: list[Any]) -> Iterator[str]:
    """Where a token's steps leave its graph."""
    name = f"instance {rows[0].instance_id}"
    try:
        graph = flow(session, rows[0].flow_key, rows[0].flow_version)
    except NotFound:
        yield f"{name}: version {rows[0].flow_version} of {rows[0].flow_key} is missing"
        return
    except (NotUnderstood, Newer):
        yield f"{name}: version {rows[0].flow_version} of {rows[0].flow_key} cannot be read"
        return
    if rows[0].step_key != graph.first:
        yield f"{name}: began at {rows[0].step_key}, not at {graph.first}"
    for before, after in pairwise(rows):
        if not _follows(graph, before, after.step_key):
            yield f"{name}: no way leads from {before.step_key} to {after.step_key}"
    last = rows[-1]
    if last.stands_at != last.step_key and not _follows(graph, last, last.stands_at):
        yield f"{name}: stands at {last.stands_at} after {last.step_key}"


def _follows(graph: Graph, before: Row[Any], after: str) -> bool:
    """A failed step is tried again, a returned one leads back, one that was taken from leads to
    the task that was taken back; any other where its graph says."""
    if before.case_key == "failed":
        return bool(after == before.step_key)
    if before.case_key == TAKEN_BACK:
        return after in graph.nodes and isinstance(graph.nodes[after].step, TaskStep)
    node = graph.nodes.get(before.step_key)
    if before.case_key == RETURNED and node is not None and isinstance(node.step, TaskStep):
        return after in node.step.returns
    return node is not None and after in node.ways()


CHECKS = (flows_are_sound,)
"""For `careloom check`."""
