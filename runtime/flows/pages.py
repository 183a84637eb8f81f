"""Pages of work: the work list (everybody's home), and a task with its form.

A task's page shows whom it is about first, then the form, then the one button that finishes it.
What a person may see of the customer, the record's own rights decide.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...platform.definitions.published import entries
from ...platform.exports.allow import RIGHT as EXPORTS
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access, allowed
from ...platform.store.errors import Conflict, Invalid, NotFound, NotUnderstood, Problem
from ...platform.store.session import moment
from ...platform.web.context import local
from ...platform.web.parts import Trouble
from ...platform.web.request import current_database, language, reading, who, write
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.told import said
from ...platform.web.words import say, text
from ..forms.attach import posted_files
from ..forms.export_pages import notices
from ..forms.pages import draft_key, lines, reader_of
from ..forms.row_fields import COUNT, arranged
from ..forms.show import Reader
from ..tasks.hold import claim, found, unclaim
from ..tasks.messages import unread
from ..tasks.model import How, TaskState
from ..tasks.worklist import MOST_COUNTED, TaskPage, task_row, worklist
from .cards import Subject, cards, due_of, subject_of
from .complete import complete
from .control import RIGHT as MEND
from .definition import Newer
from .desk import COMMENT, OUTCOME, Desk, desk_of, drawn_form, given_by, outcomes_of
from .mending import how_many
from .run_story import trail
from .seen import READ
from .take_back import may_take_back

area = Blueprint("work", __name__)

MOST_LISTED = 30


@route(area, "/", needs=SIGNED_IN, endpoint="home")
def home() -> ResponseReturnValue:
    """`pages/worklist.html`: next (a card or None), take (where its button claims it, empty when it
    is the reader's), mine, pool (cards), summary, more, clock, may_records, unread, mending (how
    much waits for the reader to mend), notices, answers_exports."""
    session, actor = reading(), who()
    reader = reader_of(session, actor)
    now = moment(session)
    page = worklist(session, actor, MOST_LISTED, count=True)
    drawn = cards(reader, page.items, now)
    mine = [card for card in drawn if not card.pool]
    pool = [card for card in drawn if card.pool]
    following = next(iter(mine or pool), None)
    may_read = any(access(session, actor, e.key).may("read") for e in entries(session, "form"))
    return render_template(
        "pages/worklist.html",
        next=following,
        take=_claim_url(session, actor, page.items[0].id) if pool and not mine else "",
        mine=mine[1:],
        pool=pool if mine else pool[1:],
        summary=_summary(reader, page),
        more=_figure(page, len(page.items)),
        clock=_milliseconds(now),
        may_records=may_read,
        unread=unread(session, actor.person_id),
        mending=how_many(session, actor) if allowed(session, actor, MEND) else 0,
        notices=notices(reader),
        answers_exports=allowed(session, actor, EXPORTS),
    )


def _claim_url(session: Session, actor: Actor, task_id: int) -> str:
    """Where a task that several are asked to do is claimed; one that only asks for this is done.
    Empty for one that is not claimed first: an approval, or whose flow is not understood."""
    try:
        desk = desk_of(session, actor, task_id)
    except (NotUnderstood, Newer):
        return ""
    return "" if desk.mine else f"/tasks/{desk.row.id}/{'complete' if desk.step.take else 'claim'}"


def _summary(reader: Reader, page: TaskPage) -> str:
    late = sum(row.overdue for row in page.items)
    if not page.total:
        return reader.say("page.worklist.summary_none")
    key = "page.worklist.summary" if late else "page.worklist.summary_calm"
    return reader.say(key, open=_figure(page), late=late)


def _figure(page: TaskPage, shown: int = 0) -> str:
    """How many there are beside those shown, `+` where more are not counted; empty for none."""
    beside, more = (page.total or 0) - shown, "+" if page.total == MOST_COUNTED else ""
    return f"{beside}{more}" if beside > 0 else ""


def _milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)


@route(area, "/tasks/<id:task_id>", needs=SIGNED_IN, endpoint="task")
def task(task_id: int) -> ResponseReturnValue:
    """`pages/task.html`: task (title, help, url, due, escalated, take, approval), subject, judged
    (or None), mine, asked_by, claimable, held_by_other, may_unclaim, may_hand_over,
    may_return, drawn (or None), outcomes, outcome_problem, comment, problems, trail,
    instance_url, draft_key, clock."""
    session, actor = reading(), who()
    try:
        desk = desk_of(session, actor, task_id)
    except NotFound:
        if _was_mine(session, actor, task_id):
            if may_take_back(session, actor, found(session, task_id)):
                return redirect(f"/tasks/{task_id}/take-back", 303)
            flash(say(language(), "page.task.closed"), "info")
            return redirect("/", 303)
        raise
    return _draw(desk)


def _was_mine(session: Session, actor: Actor, task_id: int) -> bool:
    """Whether it is over, and the actor was the one who finished it or holds a link to it."""
    try:
        row = task_row(session, actor, task_id)
    except NoResultFound:
        return False
    return row.state != TaskState.OPEN and row.label is not None


def _draw(
    desk: Desk, typed: MultiDict[str, str] | None = None, refusal: Invalid | None = None
) -> str:
    reader, row = desk.reader, desk.row
    now = moment(reader.session)
    problems = lines(reader, desk.form, refusal) if refusal else []
    outcome_problem = _problem(reader, refusal, "/outcome", "page.task.pick_outcome")
    comment_problem = _problem(reader, refusal, "/comment", "page.task.say_why")
    form = desk.form if desk.mine else None
    held_by = row.holder if row.holder_id not in (None, reader.actor.person_id) else ""
    return render_template(
        "pages/task.html",
        task={
            "title": reader.text(row.title),
            "help": reader.text(desk.step.help),
            "url": f"/tasks/{row.id}",
            "due": due_of(reader, row.due_at, now),
            "escalated": row.how == How.ESCALATED,
            "take": desk.step.take,
            "approval": desk.step.approval is not None,
        },
        subject=_subject(desk),
        judged=_judged(desk),
        mine=desk.mine,
        claimable=row.holder_id is None and not desk.mine,
        held_by_other=held_by or "",
        may_take_back=bool(held_by)
        and (row.how == How.ESCALATED or row.principal_id == reader.actor.person_id),
        may_unclaim=desk.by_role and desk.mine and row.holder_id is not None,
        asked_by=desk.asked_by,
        may_hand_over=desk.mine,
        may_return=desk.mine and bool(desk.behind),
        drawn=drawn_form(desk, form, typed, problems) if form is not None else None,
        outcomes=outcomes_of(desk, typed),
        outcome_problem=outcome_problem,
        comment={
            "asked": any(one.comment for one in desk.step.outcomes),
            "text": typed.get(COMMENT, "") if typed is not None else "",
            "problem": comment_problem,
        },
        problems=_pointed(
            problems,
            [
                Trouble(outcome_problem, OUTCOME, reader.say("page.task.outcome")),
                Trouble(comment_problem, COMMENT, reader.say("page.task.comment")),
            ],
        ),
        trail=trail(reader, desk.instance),
        instance_url=_instance_url(desk),
        draft_key=draft_key(reader.actor, form, f"task-{row.id}") if form is not None else "",
        clock=_milliseconds(now),
    )


def _problem(reader: Reader, refusal: Invalid | None, path: str, words: str) -> str:
    """What is wrong with a part of the page that is no field of the form."""
    found = [one for one in refusal.problems if one.path == path] if refusal is not None else []
    if found and found[0].code != "E_REQUIRED":
        return reader.say(f"problem.{found[0].code}", **found[0].params)
    return reader.say(words) if found else ""


def _pointed(problems: list[Trouble], own: list[Trouble]) -> list[Trouble]:
    """The summary, its lines about outcome and comment leading there."""
    told = [one for one in own if one.words]
    return [*(one for one in problems if one.key), *told] if told else problems


def _judged(desk: Desk) -> Subject | None:
    """What an approval is about, with everything its reader may see of it; what its list shows
    comes first."""
    record = desk.judged
    if record is None:
        return None
    return subject_of(desk.reader, record, most=None, first=record.form.listed)


def _instance_url(desk: Desk) -> str:
    reader = desk.reader
    seen = desk.record is not None and allowed(reader.session, reader.actor, READ)
    return f"/instances/{desk.row.instance_id}" if seen else ""


def _subject(desk: Desk) -> Subject:
    if desk.record is None:
        return Subject(who=desk.row.label or desk.reader.say("page.task.nobody"))
    return subject_of(desk.reader, desk.record)


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
        desk = desk_of(session, actor, task_id)
        outcome, comment = typed.get(OUTCOME) or None, typed.get(COMMENT)
        given = {} if desk.asked_by else given_by(desk, typed)
        complete(session, actor, task_id, given, outcome, comment)
        return desk.row.title, may_take_back(session, actor, found(session, task_id))

    try:
        typed, only_rows = _arranged(actor, task_id, typed)
        if only_rows:
            return _draw(desk_of(reading(), actor, task_id), typed)
        title, back = write(deed)
    except Invalid as refusal:
        return _draw(desk_of(reading(), actor, task_id), typed, refusal), 422
    except Conflict as refusal:
        flash(_conflict(refusal), "soon")
        return redirect("/", 303)
    except NotFound:
        flash(say(language(), "page.task.closed"), "soon")
        return redirect("/", 303)
    done = say(language(), "page.task.completed", title=text(title, language()))
    link = {"url": f"/tasks/{task_id}/take-back", "link": say(language(), "page.take_back.do")}
    flash({"words": done, **link} if back else done, "ok")  # type: ignore[arg-type]
    return redirect("/", 303)


def _posted(actor: Actor, task_id: int) -> tuple[MultiDict[str, str], list[Problem]]:
    """What the page sent, with the files it sent taken in."""
    if not request.files:
        return request.form, []
    with current_database().read() as session:
        form = desk_of(session, actor, task_id).form
    return posted_files(actor, form.key) if form is not None else (request.form, [])


def _arranged(
    actor: Actor, task_id: int, typed: MultiDict[str, str]
) -> tuple[MultiDict[str, str], bool]:
    """What was sent with a sub-form's rows in order, and whether only a row more or less was asked
    for. Raises NotFound."""
    if not any(name.endswith(f".{COUNT}") for name in typed):
        return typed, False
    form = desk_of(reading(), actor, task_id).form
    return arranged(form, typed) if form is not None else (typed, False)


def _conflict(refusal: Conflict) -> str:
    """Who was faster, and when, on the reader's clock."""
    params = dict(refusal.params)
    if params.get("at"):
        params["at"] = local(datetime.fromisoformat(str(params["at"])))
    return said(refusal.code, params)
