"""Hand a task to somebody else, ask them to look at it, hurry those who have it, say something.

A person whose task it is may hand it on, and so may whoever holds the right `tasks.assign` and
sees its instance; only to somebody who may do it: who reads its record and writes its form.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor, actor_of
from ...platform.identity.model import GrantRow, Person
from ...platform.identity.permissions import access, allowed
from ...platform.identity.tree import tree
from ...platform.records.lists import may_do
from ...platform.records.shape import Shape, shape_of
from ...platform.records.submit import change
from ...platform.store.errors import (
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Problem,
    TooMany,
)
from ...platform.store.session import moment
from ..actions.commands import Who
from ..steps.graph import TaskStep
from ..tasks import hand_over
from ..tasks.hold import asked, found, lost, name_of, need_known, need_undelegated
from ..tasks.model import NoteKind, TaskState
from ..tasks.offer import remind as note_reminded
from .instance import Standing, need_running, take_open
from .load import flow
from .seen import need_seen

ASSIGN = "tasks.assign"
MOST_SAID = 2000
MOST_OFFERED = 100
BETWEEN = timedelta(minutes=30)
"""A task is hurried no more often than that."""


@dataclass(frozen=True)
class Handing:
    """An open task in somebody's hands. step: its step; holder: whether it is the actor's own."""

    task: Row[Any]
    step: TaskStep
    holder: bool


def reassign(
    session: Session,
    actor: Actor,
    task_id: int,
    to: int,
    said: str | None = None,
    *,
    record: bool = False,
) -> None:
    """The task is `to`'s from now on. record: so is its record, by the field that the task's step
    asks for (an owner's), written as the actor.

    Raises NotFound, NotAllowed, Conflict (closed, suspended), Invalid at /to when that person may
    not do it.
    """
    handing = _taken(session, actor, task_id)
    said = worded(said, required=False)
    if record:
        _give_record(session, actor, handing, to)
    need_fit(session, handing, to)
    hand_over.move(session, actor, handing.task, to, said)


def delegate(session: Session, actor: Actor, task_id: int, to: int, said: str | None) -> None:
    """Have `to` look at a task of one's own; it comes back when they have answered.

    Raises what `reassign` does; Conflict when it is delegated already.
    """
    handing = _taken(session, actor, task_id)
    said = worded(said, required=False)
    if not handing.holder:
        raise NotAllowed("E_TASK_HELD", by=name_of(session, handing.task.holder_id))
    need_undelegated(session, handing.task)
    need_fit(session, handing, to)
    hand_over.delegate(session, actor, handing.task, to, said)


def answer(session: Session, actor: Actor, task: Row[Any], said: str | None) -> None:
    """What a delegate says; the task goes back. For `complete`, which has the instance locked."""
    hand_over.bring_back(session, actor, task, worded(said))


def remind(session: Session, actor: Actor, task_id: int) -> None:
    """Ask those who have the task to hurry. Raises NotFound, Conflict, TooMany."""
    task = _known(session, actor, task_id)
    if task.state != TaskState.OPEN:
        raise lost(session, actor, task_id)
    now = moment(session)
    if task.reminded_at is not None and now < task.reminded_at + BETWEEN:
        raise TooMany(int((task.reminded_at + BETWEEN - now).total_seconds()) + 1)
    note_reminded(session, task_id)
    hand_over.write_note(session, actor, task, NoteKind.REMINDED)
    _tell(session, "task:reminded", actor, task)


def comment(session: Session, actor: Actor, task_id: int, said: str) -> int:
    """Say something to a task, for all who see it; returns the note's id.

    Whoever is or was asked may, and whoever sees its instance. Raises NotFound, Invalid.
    """
    task = _known(session, actor, task_id)
    note = hand_over.write_note(session, actor, task, NoteKind.COMMENT, worded(said))
    _tell(session, "task:commented", actor, task)
    return note


def may_hand_over(session: Session, actor: Actor, task: Row[Any]) -> bool:
    """Whether the actor may give an open task to somebody else."""
    return task.state == TaskState.OPEN and (
        _is_theirs(session, actor, task) or _assigns(session, actor, task)
    )


def record_field(session: Session, step: TaskStep, subject_form: str) -> str | None:
    """The field of the record that says whose such a task is; None when a role does."""
    form = shape_of(session, subject_form).form
    for who in step.approval.who if step.approval is not None else (step.who,):
        each: Who | None = who
        while each is not None:
            its = form.fields.get(each.field or "")
            if its is not None and its.type.name == "person":
                return its.key
            each = each.otherwise
    return None


def may_give_record(session: Session, actor: Actor, task: Row[Any], field: str | None) -> bool:
    """Whether the actor may write that field of the task's record."""
    if field is None or not may_do(session, actor, task.subject_form, task.subject_id, "change"):
        return False
    shape, row = _subject(session, task)
    rights = access(session, actor, task.subject_form).rights_with(
        row["_owner"], row["_unit"], [field], look=partial(shape.look, row)
    )
    return rights[field] == "write"


def hands(session: Session, actor: Actor, task: Row[Any], step: TaskStep) -> list[Person]:
    """Whom the task may be given to: people at its unit or above it who may do it, by name.

    Those who may do it only when its record becomes theirs are among them, where the actor may
    give it.
    """
    field = record_field(session, step, task.subject_form)
    with_record = may_give_record(session, actor, task, field)
    chain = tree(session).above(task.unit_id) if task.unit_id is not None else []
    query = (
        select(Person)
        .join(GrantRow, GrantRow.person_id == Person.id)
        .where(GrantRow.unit_id.in_(chain), Person.disabled_at.is_(None))
        .where(Person.id.not_in([actor.person_id or 0, task.holder_id or 0]))
        .distinct()
        .order_by(Person.name, Person.id)
        .limit(MOST_OFFERED)
    )
    return [
        person
        for person in session.scalars(query)
        if _fits(session, task, step, person.id)
        or (with_record and _fits(session, task, step, person.id, owns=True))
    ]


def _taken(session: Session, actor: Actor, task_id: int) -> Handing:
    """The open task, its instance locked, for somebody who may hand it on."""
    task, standing = take_open(session, actor, task_id)
    theirs = _is_theirs(session, actor, task)
    if not theirs and not _assigns(session, actor, task):
        _known(session, actor, task_id)
        raise NotAllowed("E_TASK_HELD", by=name_of(session, task.holder_id))
    need_running(standing)
    return Handing(task, _step(session, standing, task), theirs)


def _step(session: Session, standing: Standing, task: Row[Any]) -> TaskStep:
    return flow(session, standing.flow_key, standing.flow_version).task(task.step_key)


def _is_theirs(session: Session, actor: Actor, task: Row[Any]) -> bool:
    """Whether it is in the actor's hands: held, or offered to them by name and held by nobody."""
    if actor.person_id is None:
        return False
    if task.holder_id is not None:
        return bool(task.holder_id == actor.person_id)
    return any(one.person == actor.person_id for one in asked(session, task.id))


def _assigns(session: Session, actor: Actor, task: Row[Any]) -> bool:
    """Whether handing tasks on is the actor's to do, at the task's unit and for its record."""
    if actor.is_system:
        return True
    if not allowed(session, actor, ASSIGN, task.unit_id):
        return False
    return may_do(session, actor, task.subject_form, task.subject_id, "read")


def _known(session: Session, actor: Actor, task_id: int) -> Row[Any]:
    """The task, for who is or was asked, and for who sees its instance. Raises NotFound."""
    task: Row[Any] = found(session, task_id)
    try:
        need_known(session, actor, task_id)
    except NotFound:
        try:
            need_seen(session, actor, task.instance_id)
        except NotFound as error:
            raise NotFound(task=str(task_id)) from error
    return task


def _subject(session: Session, task: Row[Any]) -> tuple[Shape, Any]:
    shape = shape_of(session, task.subject_form)
    row = shape.read(session, task.subject_id)
    if row is None:
        raise NotFound(form=task.subject_form)
    return shape, row


def need_fit(session: Session, handing: Handing, to: int) -> None:
    """The person may do the task, and does not have it yet. Raises Invalid at /to."""
    if to == handing.task.holder_id:
        raise Invalid(problems=[Problem("/to", "E_TASK_THEIRS")])
    if not _fits(session, handing.task, handing.step, to):
        raise Invalid(problems=[Problem("/to", "E_TASK_NOT_FOR", {"name": name_of(session, to)})])


def _fits(
    session: Session, task: Row[Any], step: TaskStep, person_id: int, *, owns: bool = False
) -> bool:
    """Whether the person may read the task's record and write what it asks for.

    owns: supposing that the record is theirs.
    """
    try:
        person = actor_of(session, person_id)
    except NotSignedIn:
        return False
    shape, row = _subject(session, task)
    about = (person_id if owns else row["_owner"], row["_unit"])
    look = partial(shape.look, row)
    asks = access(session, person, task.subject_form)
    if not asks.may_with("read", *about, look):
        return False
    if step.form is None or (step.outcomes and not any(one.form for one in step.outcomes)):
        return True
    if step.form == task.subject_form:
        return asks.may_with("change", *about, look)
    form = access(session, person, step.form)
    return form.may("change") if step.edits else form.may_begin("create", task.unit_id)


def _give_record(session: Session, actor: Actor, handing: Handing, to: int) -> None:
    field = record_field(session, handing.step, handing.task.subject_form)
    if field is None:
        raise Invalid(problems=[Problem("/record", "E_TASK_NO_OWNER")])
    form, record = handing.task.subject_form, handing.task.subject_id
    change(session, actor, form, record, {field: str(to)}, source="task")


def worded(text: str | None, *, required: bool = True) -> str | None:
    """What a person said, trimmed; blank is None. Raises Invalid at /comment."""
    text = (text or "").strip() or None
    if text is None and required:
        raise Invalid(problems=[Problem("/comment", "E_REQUIRED")])
    if text is not None and len(text) > MOST_SAID:
        raise Invalid(problems=[Problem("/comment", "E_LONG", {"most": MOST_SAID})])
    return text


def _tell(session: Session, name: str, actor: Actor, task: Row[Any]) -> None:
    data = {"task": str(task.id), "step": task.step_key}
    append(session, name, actor, ("instance", task.instance_id), task.unit_id, data)
