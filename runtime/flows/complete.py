"""Complete a task: the person's record through the door, then what follows, in one transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.records.record import Record
from ...platform.records.submit import change, submit
from ...platform.store.errors import Conflict, Invalid, NotFound, Problem
from ...platform.store.session import moment
from ..actions.commands import Named
from ..actions.sight import Sight
from ..steps.graph import Graph, TaskStep
from ..tasks.hold import close, found_for, lost, name_of, still_open
from ..tasks.model import TaskState, tasks
from . import writing
from .definition import NO
from .hand_over import answer
from .instance import Standing, lock_by_task, need_running, sight_of
from .leave import drop_rest, drop_timers
from .load import flow
from .prefill import edited, merged
from .transit import go_on

SOURCE = "task"
MOST_COMMENT = 2000


def complete(
    session: Session,
    actor: Actor,
    task_id: int,
    values: Mapping[str, Any],
    outcome: str | None = None,
    comment: str | None = None,
) -> int | None:
    """Complete a task with its form's values (JSON-shaped) and outcome; returns the record's id.

    comment: what the person says to it; some outcomes want it. Who had it delegated to them only
    says something, and it goes back to whoever delegated it.

    The next steps are taken in the same transaction, each automatic one so that its failure opens
    an incident and leaves this standing. Raises NotFound when the actor is not asked, Conflict
    when another was faster, holds it, or the instance is suspended, Invalid with the problems of
    the values, NotAllowed by the form's own rules.
    """
    standing = lock_by_task(session, task_id)
    if standing is None:
        raise NotFound(task=str(task_id))
    row = found_for(session, actor, task_id)  # as it stands now that nobody else moves it
    if row.state != TaskState.OPEN:
        raise lost(session, actor, task_id)
    need_running(standing)
    if row.principal_id is not None and row.holder_id == actor.person_id:
        if values or outcome is not None:
            raise Conflict("E_TASK_DELEGATED", by=name_of(session, row.principal_id))
        answer(session, actor, row, comment)
        return None
    graph = flow(session, standing.flow_key, standing.flow_version)
    step = graph.task(row.step_key)
    comment = (comment or "").strip() or None
    _judge_outcome(step, outcome, comment)
    close(session, actor, task_id, outcome, comment)
    if step.limits or step.moves:
        drop_timers(session, task_id, watched=step.moves)
    sight = sight_of(session, standing)
    chosen = step.outcome(outcome)
    record = None
    if chosen is None or chosen.form:
        record = _write(sight, actor, graph, standing, row, values)
    event = _tell(sight, actor, standing, row, record, outcome)
    _resume(sight, actor, graph, standing, row, event)
    return record.id if record is not None else None


def _judge_outcome(step: TaskStep, outcome: str | None, comment: str | None) -> None:
    """One of the step's outcomes, where it has any; with a comment, where that one wants it."""
    allowed = [one.key for one in step.outcomes]
    if allowed and outcome is None:
        raise Invalid(problems=[Problem("/outcome", "E_REQUIRED")])
    if outcome is not None and outcome not in allowed:
        params = {"allowed": ", ".join(allowed)}
        raise Invalid(problems=[Problem("/outcome", "E_ONE_OF", params)])
    chosen = step.outcome(outcome)
    if chosen is not None and chosen.comment and comment is None:
        raise Invalid(problems=[Problem("/comment", "E_REQUIRED")])
    if comment is not None and len(comment) > MOST_COMMENT:
        raise Invalid(problems=[Problem("/comment", "E_LONG", {"most": MOST_COMMENT})])


def _write(
    sight: Sight,
    actor: Actor,
    graph: Graph,
    standing: Standing,
    row: Any,
    values: Mapping[str, Any],
) -> Record | None:
    """What the person filled in, written as the person. A task on the subject's own form changes
    the subject, one that edits an earlier record that one; any other makes a new record."""
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
    earlier = edited(step, standing.run.names, row.record_id)
    if earlier is not None:
        record = change(sight.session, actor, step.form, earlier, values, source=SOURCE)
        sight.forget()
        return record
    given = merged(sight, step, standing.run.names, values)
    unit_id = sight.subject.unit_id
    return submit(sight.session, actor, step.form, given, unit_id=unit_id, source=SOURCE)


def _tell(
    sight: Sight,
    actor: Actor,
    standing: Standing,
    row: Any,
    record: Record | None,
    outcome: str | None,
) -> int:
    """Write down what came of the task; returns the event's id."""
    session = sight.session
    form = record.form.key if record is not None else None
    record_id = record.id if record is not None else None
    if record_id is not None:
        session.execute(update(tasks).where(tasks.c.id == row.id).values(record_id=record_id))
    at = moment(session).isoformat()
    named = Named(form, record_id, outcome, at=at, by=actor.person_id)
    standing.run.names[row.step_key] = named
    data = {
        "task": str(row.id),
        "step": row.step_key,
        "outcome": outcome,
        "form": form,
        "record": str(record_id) if record_id is not None else None,
    }
    subject = ("instance", standing.id)
    return append(session, "task:completed", actor, subject, row.unit_id, data)


def _resume(
    sight: Sight, actor: Actor, graph: Graph, standing: Standing, row: Any, event: int
) -> None:
    """Take the token on, unless others have still to say yes."""
    session, node = sight.session, graph.nodes[row.step_key]
    approval = graph.task(row.step_key).approval
    following = node.next
    if approval is not None:
        if standing.run.names[row.step_key].outcome == NO:
            following = approval.rejected
            drop_rest(session, row.token_id)
        elif still_open(session, row.token_id, row.step_key):
            writing.write_back(session, standing)
            return
    race = graph.races.get(row.step_key)
    entered = _won(session, standing, row, race) if race is not None else None
    go_on(sight, graph, standing, row.token_id, following, node.key, event, entered=entered)


def _won(session: Session, standing: Standing, row: Any, race: str) -> str | None:
    """Of a race the task came first: the others are dropped, and the token is at the task. None
    when the token had come to the task by another way than the race."""
    if not writing.races_with(session, row.id):
        return None
    drop_rest(session, row.token_id)
    writing.note_case(session, row.token_id, race, row.step_key)
    standing.run.names[race] = Named(outcome=row.step_key)
    return str(row.step_key)
