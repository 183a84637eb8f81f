"""An instance and a task as their readers see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ...platform.definitions.form import Form
from ...platform.events.model import Event
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access
from ...platform.records.lists import get
from ...platform.records.shape import shape_of
from ...platform.store.errors import Malformed, NotFound
from ..actions.commands import Named
from ..actions.sight import Sight
from ..steps.graph import Graph, Outcome
from ..tasks.hand_over import notes_of
from ..tasks.hold import found, need_known
from ..tasks.model import TaskState, tasks
from ..tasks.worklist import TaskRow, task_row
from .instance import run_of
from .load import flow
from .model import incidents, instances, steps_taken, tokens, waits
from .prefill import edited, prefilled
from .seen import need_right, need_seen

Rows = list[dict[str, Any]]
MOST = 200


@dataclass(frozen=True)
class InstanceView:
    """An instance: its row, and what belongs to it in order. graph: its version of the flow."""

    row: Row[Any]
    graph: Graph
    tokens: Rows
    waits: Rows
    tasks: Rows
    steps: Rows
    incidents: Rows
    events: list[Event]
    notes: Sequence[Row[Any]]


def read_instance(session: Session, actor: Actor, instance_id: int) -> InstanceView:
    """State, tokens, tasks, steps, events in order, incidents, notes. Raises NotFound."""
    row = need_seen(session, actor, instance_id)

    def of(table: Any) -> Rows:
        query = select(table).where(table.c.instance_id == instance_id).order_by(table.c.id)
        return [dict(one._mapping) for one in session.execute(query)]

    events = select(Event).where(Event.subject_kind == "instance", Event.subject_id == instance_id)
    return InstanceView(
        row=row,
        graph=flow(session, row.flow_key, row.flow_version),
        tokens=of(tokens),
        waits=of(waits),
        tasks=of(tasks),
        steps=of(steps_taken),
        incidents=of(incidents),
        events=list(session.scalars(events.order_by(Event.id))),
        notes=notes_of(session, instance_id),
    )


def list_instances(
    session: Session,
    actor: Actor,
    flow_key: str,
    *,
    state: str | None = None,
    record_id: int | None = None,
    limit: int = 20,
    before: int | None = None,
) -> list[Row[Any]]:
    """Instances of a flow whose records the actor may read, the newest first.

    before: only those with a smaller id. One more than `limit` is returned when there are more.
    Raises NotFound, NotAllowed.
    """
    need_right(session, actor)
    if not 1 <= limit <= MOST:
        raise Malformed("E_LIMIT", most=MOST)
    subject = flow(session, flow_key).subject
    table = shape_of(session, subject).table
    query = (
        select(instances)
        .join(table, table.c._id == instances.c.subject_id)
        .where(
            instances.c.flow_key == flow_key,
            instances.c.subject_form == subject,
            access(session, actor, subject).rows("read", table),
        )
        .order_by(instances.c.id.desc())
        .limit(limit + 1)
    )
    if state is not None:
        query = query.where(instances.c.state == state)
    if record_id is not None:
        query = query.where(instances.c.subject_id == record_id)
    if before is not None:
        query = query.where(instances.c.id < before)
    return list(session.execute(query))


@dataclass(frozen=True)
class TaskView:
    """A task with what its page needs.

    form: the form to fill in, None when only an outcome is asked for. values: JSON-shaped, what
    the form begins with (of a closed task: what was filled in). rights: hidden, masked, read or
    write for each field. about: the subject's values as the actor may see them, with their rights.
    """

    task: TaskRow
    form: Form | None
    values: dict[str, Any]
    rights: dict[str, str]
    outcomes: tuple[Outcome, ...]
    help: Any
    about_form: Form
    about: dict[str, Any] | None
    about_rights: dict[str, str]
    may_complete: bool
    approval: bool = False
    notes: Sequence[Row[Any]] = ()


def read_task(session: Session, actor: Actor, task_id: int) -> TaskView:
    """A task that the actor is or was asked to do. Raises NotFound."""
    row = found(session, task_id)
    how = need_known(session, actor, task_id)
    graph = flow(session, row.flow_key, row.flow_version)
    step = graph.task(row.step_key)
    subject = _subject(session, actor, row)
    form = shape_of(session, step.form).form if step.form else None
    values, rights = _filled(session, actor, row, graph, form)
    free = row.holder_id in (None, actor.person_id)
    return TaskView(
        task=task_row(session, actor, task_id, how),
        form=form,
        values=values,
        rights=rights,
        outcomes=step.outcomes,
        help=step.help,
        about_form=shape_of(session, row.subject_form).form,
        about=subject[0],
        about_rights=subject[1],
        may_complete=row.state == TaskState.OPEN and free,
        approval=step.approval is not None,
        notes=[one for one in notes_of(session, row.instance_id) if one.task_id == task_id],
    )


def _subject(
    session: Session, actor: Actor, row: Row[Any]
) -> tuple[dict[str, Any] | None, dict[str, str]]:
    try:
        record = get(session, actor, row.subject_form, row.subject_id)
    except NotFound:
        return None, {}
    return record.json(), dict(record.rights)


def _filled(
    session: Session, actor: Actor, row: Row[Any], graph: Graph, form: Form | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """What the task's form holds, and what the actor may do with each field."""
    if form is None:
        return {}, {}
    record_id = row.record_id if form.key != row.subject_form else row.subject_id
    names = _names(session, row.instance_id)
    if record_id is None:
        record_id = edited(graph.task(row.step_key), names)
    if record_id is not None:
        try:
            record = get(session, actor, form.key, record_id)
        except NotFound:
            return {}, dict.fromkeys(form.fields, "hidden")
        rights = dict(record.rights)
        if row.state != TaskState.OPEN:
            rights = {key: "read" if has == "write" else has for key, has in rights.items()}
        return record.json(), rights
    return _beginning(session, actor, row, graph, form, names)


def _names(session: Session, instance_id: int) -> dict[str, Named]:
    """What the steps of an instance have produced."""
    query = select(instances.c.names, instances.c.visits).where(instances.c.id == instance_id)
    row = session.execute(query).one()
    return run_of(row.names, row.visits).names


def _beginning(
    session: Session,
    actor: Actor,
    row: Row[Any],
    graph: Graph,
    form: Form,
    names: dict[str, Named],
) -> tuple[dict[str, Any], dict[str, str]]:
    """A new record's first values; links the flow filled in are read only."""
    sight = Sight(session, row.subject_form, row.subject_id)
    values = prefilled(sight, graph.task(row.step_key), names)
    asked = access(session, actor, form.key)
    rights = dict(asked.rights_to_begin(row.unit_id, form.fields, form.by_machine))
    for key in form.links:
        if rights[key] == "write" and key in values:
            rights[key] = "read"
    return {key: value for key, value in values.items() if rights[key] != "hidden"}, rights
