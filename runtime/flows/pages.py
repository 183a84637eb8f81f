"""Pages of work: the work list (everybody's home), a task with its form, an instance.

A task's page shows whom it is about first, then the form, then the one button that finishes it.
What a person may see of the customer, the record's own rights decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...platform.definitions.form import Form
from ...platform.definitions.published import entries
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access, allowed
from ...platform.records.compute import settle
from ...platform.records.lists import get
from ...platform.records.record import Record
from ...platform.records.shape import shape_of
from ...platform.store.errors import Conflict, Invalid, NotFound, Problem
from ...platform.store.session import moment
from ...platform.web.context import local
from ...platform.web.request import current_database, language, reading, who, write
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.words import say, text
from ..actions.sight import Sight
from ..forms.attach import posted_files
from ..forms.behaviour import behaviour, rights_to_create
from ..forms.drawn import Choice, Drawn, Trouble
from ..forms.pages import draft_key, lines, reader_of
from ..forms.show import Filling, Reader, by_field, draw_fill, posted
from ..steps.graph import TaskStep
from ..tasks.actors import is_among
from ..tasks.hold import asked, claim, need_asked, unclaim
from ..tasks.model import How, TaskState
from ..tasks.worklist import TaskPage, TaskRow, task_row, worklist
from .cards import Subject, cards, due_of, subject_of
from .complete import complete
from .instance import run_of
from .load import flow
from .prefill import prefilled
from .run_story import instance_row, open_incidents, standing_waits, trail
from .seen import READ, need_seen

area = Blueprint("work", __name__)

MOST_LISTED = 30
OUTCOME = "_outcome"


@route(area, "/", needs=SIGNED_IN, endpoint="home")
def home() -> ResponseReturnValue:
    """`pages/worklist.html`: next (a card or None), mine, pool (cards), summary, more, clock,
    may_records."""
    session, actor = reading(), who()
    reader = reader_of(session, actor)
    now = moment(session)
    page = worklist(session, actor, MOST_LISTED, count=True)
    drawn = cards(reader, page.items, now)
    mine = [card for card in drawn if not card.pool]
    may_read = any(access(session, actor, e.key).may("read") for e in entries(session, "form"))
    return render_template(
        "pages/worklist.html",
        next=mine[0] if mine else None,
        mine=mine[1:],
        pool=[card for card in drawn if card.pool],
        summary=_summary(reader, page),
        more=max((page.total or 0) - len(page.items), 0),
        clock=_milliseconds(now),
        may_records=may_read,
    )


def _summary(reader: Reader, page: TaskPage) -> str:
    late = sum(row.overdue for row in page.items)
    if not page.total:
        return reader.say("page.worklist.summary_none")
    key = "page.worklist.summary" if late else "page.worklist.summary_calm"
    return reader.say(key, open=page.total, late=late)


def _milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)


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
    def mine(self) -> bool:
        """Whether the reader may fill it in now."""
        if self.row.holder_id is not None:
            return self.row.holder_id == self.reader.actor.person_id
        return not self.by_role or self.row.how == How.ESCALATED

    @property
    def form(self) -> Form | None:
        step = self.step
        return shape_of(self.reader.session, step.form).form if step.form else None


def _desk(session: Session, actor: Actor, task_id: int) -> Desk:
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


@route(area, "/tasks/<id:task_id>", needs=SIGNED_IN, endpoint="task")
def task(task_id: int) -> ResponseReturnValue:
    """`pages/task.html`: task (title, help, url, due, escalated), subject, mine, claimable,
    held_by_other, may_unclaim, drawn (or None), outcomes, outcome_problem, problems, trail,
    instance_url, draft_key, clock."""
    session, actor = reading(), who()
    try:
        desk = _desk(session, actor, task_id)
    except NotFound:
        if _was_mine(session, actor, task_id):
            flash(say(language(), "page.task.closed"), "info")
            return redirect("/", 303)
        raise
    return _draw(desk)


def _was_mine(session: Session, actor: Actor, task_id: int) -> bool:
    """Whether it is over, and the actor was the one who finished it or holds a link to it."""
    try:
        row = task_row(session, actor, task_id)
    except Exception:
        return False
    return row.state != TaskState.OPEN and row.label is not None


def _draw(
    desk: Desk, typed: MultiDict[str, str] | None = None, refusal: Invalid | None = None
) -> str:
    reader, row = desk.reader, desk.row
    now = moment(reader.session)
    problems = lines(reader, desk.form, refusal) if refusal else []
    outcome_problem = _outcome_problem(reader, refusal)
    drawn, draft = _form(desk, typed, problems) if desk.mine and desk.form else (None, "")
    held_by = row.holder if row.holder_id not in (None, reader.actor.person_id) else ""
    return render_template(
        "pages/task.html",
        task={
            "title": reader.text(row.title),
            "help": reader.text(desk.step.help),
            "url": f"/tasks/{row.id}",
            "due": due_of(reader, row.due_at, now),
            "escalated": row.how == How.ESCALATED,
        },
        subject=_subject(desk),
        mine=desk.mine,
        claimable=row.holder_id is None and not desk.mine,
        held_by_other=held_by or "",
        may_take_back=bool(held_by) and row.how == How.ESCALATED,
        may_unclaim=desk.by_role and row.holder_id == reader.actor.person_id,
        drawn=drawn,
        outcomes=_outcomes(desk, typed),
        outcome_problem=outcome_problem,
        problems=_pointed(problems, outcome_problem, reader),
        trail=trail(reader, desk.instance),
        instance_url=_instance_url(desk),
        draft_key=draft,
        clock=_milliseconds(now),
    )


def _outcome_problem(reader: Reader, refusal: Invalid | None) -> str:
    wrong = refusal is not None and any(p.path == "/outcome" for p in refusal.problems)
    return reader.say("page.task.pick_outcome") if wrong else ""


def _pointed(problems: list[Trouble], outcome: str, reader: Reader) -> list[Trouble]:
    """The summary, its line about the outcome leading there."""
    if not outcome:
        return problems
    named = [one for one in problems if one.key]
    return [*named, Trouble(OUTCOME, reader.say("page.task.outcome"), outcome)]


def _instance_url(desk: Desk) -> str:
    reader = desk.reader
    seen = desk.record is not None and allowed(reader.session, reader.actor, READ)
    return f"/instances/{desk.row.instance_id}" if seen else ""


def _subject(desk: Desk) -> Subject:
    if desk.record is None:
        return Subject(who=desk.row.label or desk.reader.say("page.task.nobody"))
    return subject_of(desk.reader, desk.record)


def _outcomes(desk: Desk, typed: MultiDict[str, str] | None) -> list[Choice]:
    chosen = typed.get(OUTCOME, "") if typed is not None else ""
    return [
        Choice(one.key, desk.reader.text(one.title), one.key == chosen)
        for one in desk.step.outcomes
    ]


def _filling(desk: Desk) -> Filling:
    """What the form begins with: the record itself, or a new one with what the flow knows."""
    reader, form = desk.reader, desk.form
    assert form is not None
    if form.key == desk.row.subject_form and desk.record is not None:
        return Filling(desk.record.rights, desk.record.values)
    unit_id = desk.record.unit_id if desk.record is not None else desk.row.unit_id
    rights = rights_to_create(reader, form, unit_id)
    names = run_of(desk.instance.names, desk.instance.visits).names
    sight = Sight(reader.session, desk.row.subject_form, desk.row.subject_id)
    given = prefilled(sight, desk.step, names)
    values = {key: form.fields[key].take(value, None, reader.zone) for key, value in given.items()}
    values = settle(reader.session, reader.actor, form, values, None, reader.zone).values
    fixed = {key for key in given if form.fields[key].link_form is not None}
    return Filling(rights, values, fixed=fixed)


def _form(
    desk: Desk, typed: MultiDict[str, str] | None, problems: list[Trouble]
) -> tuple[Drawn, str]:
    reader, form = desk.reader, desk.form
    assert form is not None
    filling = replace(_filling(desk), typed=typed, problems=by_field(problems))
    drawn = Drawn(draw_fill(reader, form, filling), behaviour(reader, form, filling))
    return drawn, draft_key(reader.actor, form, f"task-{desk.row.id}")


@route(area, "/tasks/<id:task_id>/claim", methods=("POST",), needs=SIGNED_IN)
def take(task_id: int) -> ResponseReturnValue:
    """Take a task for oneself; whoever was slower is told who has it."""
    actor = who()
    try:
        write(lambda session: claim(session, actor, task_id))
    except Conflict as refusal:
        flash(_conflict(refusal), "soon")
        return redirect("/", 303)
    return redirect(f"/tasks/{task_id}", 303)


@route(area, "/tasks/<id:task_id>/unclaim", methods=("POST",), needs=SIGNED_IN)
def give_back(task_id: int) -> ResponseReturnValue:
    """Give a task back to all who are asked."""
    actor = who()
    try:
        write(lambda session: unclaim(session, actor, task_id))
    except Conflict as refusal:
        flash(_conflict(refusal), "soon")
        return redirect("/", 303)
    flash(say(language(), "page.task.unclaimed"), "ok")
    stays = request.form.get("next") == "task"
    return redirect(f"/tasks/{task_id}" if stays else "/", 303)


@route(area, "/tasks/<id:task_id>/complete", methods=("POST",), needs=SIGNED_IN)
def finish(task_id: int) -> ResponseReturnValue:
    """Complete a task; then the work list, where the next one stands on top."""
    actor = who()
    typed, refused = _posted(actor, task_id)

    def deed(session: Session) -> Any:
        if refused:
            raise Invalid(problems=refused)
        desk = _desk(session, actor, task_id)
        complete(session, actor, task_id, _given(desk, typed), typed.get(OUTCOME) or None)
        return desk.row.title

    try:
        title = write(deed)
    except Invalid as refusal:
        return _draw(_desk(reading(), actor, task_id), typed, refusal), 422
    except Conflict as refusal:
        flash(_conflict(refusal), "soon")
        return redirect("/", 303)
    except NotFound:
        flash(say(language(), "page.task.closed"), "soon")
        return redirect("/", 303)
    flash(say(language(), "page.task.completed", title=text(title, language())), "ok")
    return redirect("/", 303)


def _posted(actor: Actor, task_id: int) -> tuple[MultiDict[str, str], list[Problem]]:
    """What the page sent, with the files it sent taken in."""
    if not request.files:
        return request.form, []
    with current_database().read() as session:
        form = _desk(session, actor, task_id).form
    return posted_files(actor, form.key) if form is not None else (request.form, [])


def _conflict(refusal: Conflict) -> str:
    """Who was faster, and when, on the reader's clock."""
    params = dict(refusal.params)
    if params.get("at"):
        params["at"] = local(datetime.fromisoformat(str(params["at"])))
    return say(language(), f"problem.{refusal.code}", **params)


def _given(desk: Desk, typed: MultiDict[str, str]) -> dict[str, Any]:
    """The values the page sent, as the door takes them."""
    form = desk.form
    if form is None:
        return {}
    filling = _filling(desk)
    zone = ZoneInfo(desk.reader.actor.time_zone)
    given = posted(form, typed, filling.rights, zone)
    if form.key == desk.row.subject_form:
        return given
    return {
        key: value for key, value in given.items() if value is not None and key not in filling.fixed
    }


@route(area, "/instances/<id:instance_id>", needs=SIGNED_IN, endpoint="instance")
def instance(instance_id: int) -> ResponseReturnValue:
    """`pages/instance.html`: title, version, started, state, subject, incidents, tasks, waits,
    trail, clock."""
    session, actor = reading(), who()
    need_seen(session, actor, instance_id)
    reader = reader_of(session, actor)
    row = instance_row(reader, instance_id)
    title = next((e.title for e in entries(session, "flow") if e.key == row.flow_key), row.flow_key)
    now = moment(session)
    return render_template(
        "pages/instance.html",
        title=reader.text(title),
        version=row.flow_version,
        started=local(row.started_at),
        state=row.state,
        subject=subject_of(reader, get(session, actor, row.subject_form, row.subject_id)),
        incidents=open_incidents(reader, row),
        waits=standing_waits(reader, row),
        trail=trail(reader, row),
        clock=_milliseconds(now),
    )
