"""A task as its page needs it: a person's part in it, what its form begins with, what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...platform.definitions.form import Form
from ...platform.identity.actor import Actor
from ...platform.records.compute import settle
from ...platform.records.lists import get
from ...platform.records.record import Record
from ...platform.records.shape import shape_of
from ...platform.store.errors import NotFound
from ...platform.web.parts import Trouble
from ..actions.commands import Named
from ..actions.sight import Sight
from ..forms.behaviour import rights_to_create, to_fill_in
from ..forms.drawn import Drawn
from ..forms.pages import reader_of
from ..forms.show import Filling, Reader, by_field, posted
from ..steps.graph import TaskStep
from ..tasks.actors import is_among
from ..tasks.hold import asked, found, name_of, need_asked
from ..tasks.model import How
from ..tasks.worklist import TaskRow, task_row
from .instance import run_of
from .load import flow
from .prefill import edited, prefilled
from .run_story import instance_row
from .turn_back import done_before

OUTCOME, COMMENT = "_outcome", "_comment"
"""What a task's page sends beside its form's fields."""


@dataclass(frozen=True)
class Desk:
    """A task as its page needs it. record: None when the reader may not see it."""

    reader: Reader
    row: TaskRow
    step: TaskStep
    record: Record | None
    instance: Any
    by_role: bool

    @property
    def asked_by(self) -> str:
        """Who asks the reader to look at it; empty when nobody does."""
        if self.row.principal_id is None or self.row.holder_id != self.reader.actor.person_id:
            return ""
        return name_of(self.reader.session, self.row.principal_id)

    @property
    def behind(self) -> list[str]:
        """The steps it may be returned to, the last one first."""
        if not self.step.returns:
            return []
        task = found(self.reader.session, self.row.id)
        return done_before(self.reader.session, self.step, task.token_id)

    @property
    def mine(self) -> bool:
        """Whether the reader may fill it in now."""
        if self.row.holder_id is not None:
            return self.row.holder_id == self.reader.actor.person_id and not self.asked_by
        if self.step.approval is not None:
            return True  # whoever is asked may decide without taking it first
        return not self.by_role or self.row.how == How.ESCALATED

    @property
    def form(self) -> Form | None:
        step = self.step
        return shape_of(self.reader.session, step.form).form if step.form else None

    @property
    def names(self) -> dict[str, Named]:
        """What the steps before have produced."""
        return run_of(self.instance.names, self.instance.visits).names

    @property
    def changed(self) -> Record | None:
        """The record the task changes, as far as the reader may see it; None when it makes one."""
        if self.form is not None and self.form.key == self.row.subject_form:
            return self.record
        own = found(self.reader.session, self.row.id).record_id
        earlier = edited(self.step, self.names, own)
        return self._seen(self.step.form, earlier) if earlier is not None else None

    @property
    def judged(self) -> Record | None:
        """The record an approval is about, if it is another than the subject and may be seen."""
        return judged_in(self.reader, self.step, self.instance)

    def _seen(self, form: str | None, record_id: int | None) -> Record | None:
        return _seen(self.reader, form, record_id)


def judged_in(reader: Reader, step: TaskStep, instance: Any) -> Record | None:
    """What an approval of an instance is about, if it is another than the subject and the reader
    may see it."""
    about = step.approval.about if step.approval is not None else None
    named = run_of(instance.names, instance.visits).names.get(about or "")
    return _seen(reader, named.form, named.id) if named is not None else None


def _seen(reader: Reader, form: str | None, record_id: int | None) -> Record | None:
    if form is None or record_id is None:
        return None
    try:
        return get(reader.session, reader.actor, form, record_id)
    except NotFound:
        return None


def desk_of(session: Session, actor: Actor, task_id: int) -> Desk:
    """Everything about a task for somebody who is asked. Raises NotFound for others."""
    need_asked(session, actor, task_id)
    escalated = is_among(actor, asked(session, task_id, how=How.ESCALATED))
    row = task_row(session, actor, task_id, How.ESCALATED if escalated else How.OFFERED)
    reader = reader_of(session, actor)
    instance = instance_row(reader, row.instance_id)
    step = flow(session, instance.flow_key, instance.flow_version).task(row.step_key)
    try:
        record: Record | None = get(session, actor, row.subject_form, row.subject_id)
    except NotFound:
        record = None
    named = any(one.person == actor.person_id for one in asked(session, task_id))
    return Desk(reader, row, step, record, instance, by_role=not named)


def filling_of(desk: Desk) -> Filling:
    """What the form begins with: the record itself, or a new one with what the flow knows."""
    reader, form = desk.reader, desk.form
    assert form is not None
    changed = desk.changed
    if changed is not None:
        return Filling(changed.rights, changed.values)
    unit_id = desk.record.unit_id if desk.record is not None else desk.row.unit_id
    rights = rights_to_create(reader, form, unit_id)
    sight = Sight(reader.session, desk.row.subject_form, desk.row.subject_id)
    given = prefilled(sight, desk.step, desk.names)
    values = {key: form.fields[key].take(value, None, reader.zone) for key, value in given.items()}
    values = settle(reader.session, reader.actor, form, values, None, reader.zone).values
    fixed = {key for key in given if form.fields[key].link_form is not None}
    return Filling(rights, values, fixed=fixed)


def drawn_form(
    desk: Desk, form: Form, typed: MultiDict[str, str] | None, problems: Sequence[Trouble]
) -> Drawn:
    """Its form to be filled in; typed and problems: what was sent and what is wrong with it."""
    filling = replace(filling_of(desk), typed=typed, problems=by_field(problems))
    return to_fill_in(desk.reader, form, filling)


def outcomes_of(desk: Desk, typed: MultiDict[str, str] | None) -> list[dict[str, Any]]:
    """What may come of it: key, title, chosen, form (whether its form is filled in for it)."""
    chosen = typed.get(OUTCOME, "") if typed is not None else ""
    return [
        {
            "key": one.key,
            "title": desk.reader.text(one.title),
            "chosen": one.key == chosen,
            "form": one.form,
        }
        for one in desk.step.outcomes
    ]


def given_by(desk: Desk, typed: MultiDict[str, str]) -> dict[str, Any]:
    """The values the page sent, as the door takes them."""
    form = desk.form
    if form is None:
        return {}
    filling = filling_of(desk)
    zone = ZoneInfo(desk.reader.actor.time_zone)
    given = posted(form, typed, filling.rights, zone)
    if desk.changed is not None:
        return given
    return {
        key: value for key, value in given.items() if value is not None and key not in filling.fixed
    }
