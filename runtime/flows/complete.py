"""Complete a task: the person's record through the door, then what follows, in one transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.records.record import Record
from ...platform.records.submit import change, submit
from ...platform.store.errors import Conflict, Invalid, Problem
from ..actions.commands import Named
from ..actions.sight import Sight
from ..steps.graph import Graph, TaskStep
from ..tasks.hold import close, found, lost, need_asked
from ..tasks.model import TaskState, tasks
from ..timers.set import cancel_timers
from .instance import Standing, lock, sight_of
from .load import flow
from .model import InstanceState
from .prefill import merged
from .transit import go_on

SOURCE = "task"


def complete(
    session: Session,
    actor: Actor,
    task_id: int,
    values: Mapping[str, Any],
    outcome: str | None = None,
) -> int | None:
    """Complete a task with its form's values (JSON-shaped) and outcome; returns the record's id.

    The next steps are taken in the same transaction, each automatic one so that its failure opens
    an incident and leaves this standing. Raises NotFound when the actor is not asked, Conflict
    when another was faster, holds it, or the instance is suspended, Invalid with the problems of
    the values, NotAllowed by the form's own rules.
    """
    row = found(session, task_id)
    if row.state != TaskState.OPEN:
        raise lost(session, actor, task_id)
    need_asked(session, actor, task_id)
    standing = lock(session, row.instance_id)
    if standing is None:
        raise lost(session, actor, task_id)
    if standing.state == InstanceState.SUSPENDED:
        raise Conflict("E_FLOW_SUSPENDED")
    graph = flow(session, standing.flow_key, standing.flow_version)
    step = graph.task(row.step_key)
    _judge_outcome(step, outcome)
    close(session, actor, task_id, outcome)
    cancel_timers(session, task_id)
    sight = sight_of(session, standing)
    record = _write(sight, actor, graph, standing, row, values)
    _resume(sight, actor, graph, standing, row, record, outcome)
    return record.id if record is not None else None


def _judge_outcome(step: TaskStep, outcome: str | None) -> None:
    """One of the step's outcomes, where it has any."""
    allowed = [one.key for one in step.outcomes]
    if allowed and outcome is None:
        raise Invalid(problems=[Problem("/outcome", "E_REQUIRED")])
    if outcome is not None and outcome not in allowed:
        params = {"allowed": ", ".join(allowed)}
        raise Invalid(problems=[Problem("/outcome", "E_ONE_OF", params)])


def _write(
    sight: Sight,
    actor: Actor,
    graph: Graph,
    standing: Standing,
    row: Row[Any],
    values: Mapping[str, Any],
) -> Record | None:
    """What the person filled in, written as the person. A task on the subject's own form changes
    the subject; any other makes a new record."""
    step = graph.task(row.step_key)
    if step.form is None:
        if values:
            problems = [Problem(f"/{key}", "E_UNKNOWN_FIELD", {"name": key}) for key in values]
            raise Invalid(problems=problems)
        return None
    if step.form == standing.subject_form:
        record = change(sight.session, actor, step.form, standing.subject_id, values, source=SOURCE)
        sight.forget()  # the person's copy may lack what the person may not see
        return record
    given = merged(sight, step, standing.run.names, values)
    unit_id = sight.subject.unit_id
    return submit(sight.session, actor, step.form, given, unit_id=unit_id, source=SOURCE)


def _resume(
    sight: Sight,
    actor: Actor,
    graph: Graph,
    standing: Standing,
    row: Row[Any],
    record: Record | None,
    outcome: str | None,
) -> None:
    """Tell of it, and take the token on."""
    session = sight.session
    form = record.form.key if record is not None else None
    record_id = record.id if record is not None else None
    if record_id is not None:
        session.execute(update(tasks).where(tasks.c.id == row.id).values(record_id=record_id))
    standing.run.names[row.step_key] = Named(form, record_id, outcome)
    event_id = append(
        session,
        "task:completed",
        actor,
        ("instance", standing.id),
        row.unit_id,
        {
            "task": str(row.id),
            "step": row.step_key,
            "outcome": outcome,
            "form": form,
            "record": str(record_id) if record_id is not None else None,
        },
    )
    node = graph.nodes[row.step_key]
    go_on(sight, graph, standing, row.token_id, node.next, node.key, event_id)
