"""Pages of a task in somebody's hands: give it on, have it looked at, hurry, comment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Row
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.identity.model import Person
from ...platform.records.lists import get
from ...platform.store.errors import Conflict, Invalid, NotFound, Refusal, TooMany
from ...platform.web.parts import Trouble
from ...platform.web.request import language, reading, who, write
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.told import said
from ...platform.web.words import say, text
from ..forms.pages import reader_of
from ..forms.show import Reader
from ..steps.graph import TaskStep
from ..tasks.hold import asked, found
from . import hand_over
from .cards import Subject, subject_of
from .desk import desk_of, judged_in
from .load import flow
from .run_story import instance_row
from .sign import BESIDE, WAYS, add_sign, may_add_sign
from .take_back import may_take_back, take_back
from .turn_back import turn_back

area = Blueprint("hands", __name__)

GIVE, ASK = "give", "ask"
SIGNS = {f"sign_{way}": way for way in WAYS}


@dataclass(frozen=True)
class Given:
    """What was chosen on the page so far."""

    to: str = ""
    way: str = GIVE
    record: bool = True
    comment: str = ""


@route(area, "/tasks/<id:task_id>/hand-over", needs=SIGNED_IN, endpoint="hand_over")
def show(task_id: int) -> ResponseReturnValue:
    """`pages/hand_over.html`: url, back, title, subject, judged (or None), people (id, name,
    chosen), given, may (give, ask, sign, record), problems."""
    return _draw(reader_of(reading(), who()), task_id, Given())


def _draw(reader: Reader, task_id: int, given: Given, refusal: Invalid | None = None) -> str:
    session, actor = reader.session, reader.actor
    task = found(session, task_id)
    step = flow(session, task.flow_key, task.flow_version).task(task.step_key)
    gives, signs = hand_over.may_hand_over(session, actor, task), may_add_sign(session, actor, task)
    if not gives and not signs:
        raise NotFound(task=str(task_id))
    if not gives and given.way == GIVE:
        given = replace(given, way=f"sign_{BESIDE}")
    people = hand_over.hands(session, actor, task, step)
    field = hand_over.record_field(session, step, task.subject_form)
    mine = _is_mine(session, actor, task)
    return render_template(
        "pages/hand_over.html",
        url=f"/tasks/{task_id}/hand-over",
        back=_back(session, actor, task),
        title=reader.text(task.title),
        subject=_subject(reader, task),
        judged=_judged(reader, task, step),
        people=[_option(one, given) for one in people],
        given=given,
        may={
            "give": gives,
            "ask": mine,
            "sign": signs,
            "record": hand_over.may_give_record(session, actor, task, field),
        },
        problems=_troubles(reader, refusal),
    )


def _option(person: Person, given: Given) -> dict[str, Any]:
    chosen = str(person.id) == given.to
    return {"id": str(person.id), "name": person.name, "chosen": chosen}


def _is_mine(session: Session, actor: Actor, task: Row[Any]) -> bool:
    named = any(one.person == actor.person_id for one in asked(session, task.id))
    return bool(named if task.holder_id is None else task.holder_id == actor.person_id)


def _back(session: Session, actor: Actor, task: Row[Any]) -> str:
    mine = _is_mine(session, actor, task) or may_add_sign(session, actor, task)
    return f"/tasks/{task.id}" if mine else f"/instances/{task.instance_id}"


def _subject(reader: Reader, task: Row[Any]) -> Subject:
    try:
        record = get(reader.session, reader.actor, task.subject_form, task.subject_id)
    except NotFound:
        return Subject(who=reader.say("page.task.nobody"))
    return subject_of(reader, record)


def _judged(reader: Reader, task: Row[Any], step: TaskStep) -> Subject | None:
    """What tells most about what an approval is about: as much as its list shows."""
    record = judged_in(reader, step, instance_row(reader, task.instance_id))
    if record is None:
        return None
    judged = subject_of(reader, record, first=record.form.listed)
    return replace(judged, facts=[fact for fact in judged.facts if not fact.wide])


def _troubles(
    reader: Reader, refusal: Invalid | None, page: str = "page.hand_over"
) -> list[Trouble]:
    return [
        Trouble(
            reader.say(f"problem.{one.code}", **one.params),
            one.path.strip("/"),
            reader.say(f"{page}.{one.path.strip('/')}"),
        )
        for one in (refusal.problems if refusal is not None else ())
    ]


@route(area, "/tasks/<id:task_id>/hand-over", methods=("POST",), needs=SIGNED_IN)
def give(task_id: int) -> ResponseReturnValue:
    """Give it to the chosen person, have them look at it or sign it too; then the work list."""
    actor = who()
    typed = request.form
    given = Given(
        typed.get("to", ""),
        way if (way := typed.get("way", "")) in (ASK, *SIGNS) else GIVE,
        typed.get("record") == "yes",
        typed.get("comment", ""),
    )
    to = int(given.to) if given.to.isascii() and given.to.isdigit() else 0

    def deed(session: Session) -> None:
        if given.way in SIGNS:
            add_sign(session, actor, task_id, to, SIGNS[given.way], given.comment)
        elif given.way == ASK:
            hand_over.delegate(session, actor, task_id, to, given.comment)
        else:
            hand_over.reassign(session, actor, task_id, to, given.comment, record=given.record)

    try:
        write(deed)
    except Invalid as refusal:
        return _draw(reader_of(reading(), actor), task_id, given, refusal), 422
    except Conflict as refusal:
        flash(_why(refusal), "soon")
    else:
        flash(say(language(), f"page.hand_over.did_{given.way}"), "ok")
    return redirect("/", 303)


@route(area, "/tasks/<id:task_id>/return", needs=SIGNED_IN, endpoint="return_page")
def show_return(task_id: int) -> ResponseReturnValue:
    """`pages/return.html`: url, back, title, subject, steps (key, title, chosen), comment,
    problems."""
    return _draw_return(reader_of(reading(), who()), task_id)


def _draw_return(
    reader: Reader, task_id: int, to: str = "", comment: str = "", refusal: Invalid | None = None
) -> str:
    desk = desk_of(reader.session, reader.actor, task_id)
    if not desk.mine or not desk.behind:
        raise NotFound(task=str(task_id))
    graph = flow(reader.session, desk.row.flow_key, desk.instance.flow_version)
    steps = [
        {"key": key, "title": reader.text(graph.nodes[key].title) or key, "chosen": key == to}
        for key in desk.behind
    ]
    return render_template(
        "pages/return.html",
        url=f"/tasks/{task_id}/return",
        back=f"/tasks/{task_id}",
        title=reader.text(desk.row.title),
        subject=_subject(reader, found(reader.session, task_id)),
        steps=steps,
        comment=comment,
        problems=_troubles(reader, refusal, "page.return"),
    )


@route(area, "/tasks/<id:task_id>/return", methods=("POST",), needs=SIGNED_IN)
def turn_it_back(task_id: int) -> ResponseReturnValue:
    """Return it, and say to which step."""
    actor, to, said = who(), request.form.get("to", ""), request.form.get("comment", "")
    try:
        write(lambda session: turn_back(session, actor, task_id, to, said))
    except Invalid as refusal:
        return _draw_return(reader_of(reading(), actor), task_id, to, said, refusal), 422
    except Conflict as refusal:
        flash(_why(refusal), "soon")
    else:
        row = found(reading(), task_id)
        node = flow(reading(), row.flow_key, row.flow_version).nodes[to]
        title = text(node.title, language()) or to
        flash(say(language(), "page.return.did", title=title), "ok")
    return redirect("/", 303)


@route(area, "/tasks/<id:task_id>/take-back", needs=SIGNED_IN, endpoint="take_back_page")
def show_take_back(task_id: int) -> ResponseReturnValue:
    """`pages/take_back.html`: url, title, subject."""
    session, actor = reading(), who()
    task = found(session, task_id)
    if not may_take_back(session, actor, task):
        raise NotFound(task=str(task_id))
    reader = reader_of(session, actor)
    return render_template(
        "pages/take_back.html",
        url=f"/tasks/{task_id}/take-back",
        title=reader.text(task.title),
        subject=_subject(reader, task),
    )


@route(area, "/tasks/<id:task_id>/take-back", methods=("POST",), needs=SIGNED_IN)
def take_it_back(task_id: int) -> ResponseReturnValue:
    """Take it back, and go on with it; when the flow has gone on, say so."""
    actor = who()
    try:
        made = write(lambda session: take_back(session, actor, task_id))
    except Conflict as refusal:
        flash(_why(refusal), "soon")
        return redirect("/", 303)
    flash(say(language(), "page.take_back.did"), "ok")
    return redirect(f"/tasks/{made}", 303)


@route(area, "/tasks/<id:task_id>/remind", methods=("POST",), needs=SIGNED_IN)
def remind(task_id: int) -> ResponseReturnValue:
    """Hurry those who have it, from the page of the run."""
    actor = who()
    return _said(
        task_id, lambda session: hand_over.remind(session, actor, task_id), "page.task.reminded"
    )


@route(area, "/tasks/<id:task_id>/comment", methods=("POST",), needs=SIGNED_IN)
def comment(task_id: int) -> ResponseReturnValue:
    """Say something to it."""
    actor, said = who(), request.form.get("comment", "")
    return _said(
        task_id,
        lambda session: hand_over.comment(session, actor, task_id, said),
        "page.task.commented",
    )


def _said(task_id: int, deed: Callable[[Session], Any], words: str) -> ResponseReturnValue:
    """Do it, say so, and show the page it was asked from."""
    try:
        write(deed)
    except TooMany as refusal:
        minutes = -(-refusal.seconds // 60)
        flash(say(language(), "page.task.reminded_before", minutes=minutes), "soon")
    except (Invalid, Conflict) as refusal:
        flash(_why(refusal), "soon")
    else:
        flash(say(language(), words), "ok")
    if request.form.get("next") == "instance":
        return redirect(f"/instances/{found(reading(), task_id).instance_id}", 303)
    return redirect(f"/tasks/{task_id}", 303)


def _why(refusal: Refusal) -> str:
    first = refusal.problems[0] if refusal.problems else None
    code, params = (first.code, first.params) if first else (refusal.code, refusal.params)
    return said(code, params)
