"""Trying a flow out on a page: a sample record, then step by step as people would, and the clock.

The page keeps nothing: what was done so far travels with its form and is walked again each time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...platform.definitions.faults import Fault
from ...platform.definitions.form import Form
from ...platform.definitions.model import DraftRow
from ...platform.identity.actor import SYSTEM, Actor
from ...platform.identity.tree import unit
from ...platform.records.choices import choices_of
from ...platform.records.compute import settle
from ...platform.records.shape import shape_of
from ...platform.store.errors import Invalid, Malformed, Problem, TooMany
from ...platform.store.session import moment
from ...platform.web.body import number, require_shape, strict_json
from ...platform.web.context import on_the_clock_of
from ...platform.web.parts import Trouble
from ...platform.web.request import close_reading, language, reading, who
from ...platform.web.routes import route
from ...platform.web.titles import title_of, titles_of
from ...platform.web.told import said, unit_choices
from ...runtime.flows.desk import COMMENT, OUTCOME, desk_of, given_by
from ...runtime.forms.behaviour import to_fill_in
from ...runtime.forms.row_fields import arranged
from ...runtime.forms.show import INPUT_TIME, Filling, Reader, by_field, posted, troubles
from ...runtime.stories.deeds import next_due
from .drawn import chosen, clock, drawn_task, open_tasks, reader_on, scene_shown
from .plan import ASKED, deed_of, flow_asked, planned
from .sample import rights_of, sample_of
from .walk import Walk, walked

area = Blueprint("rehearsals", __name__)

NEEDS = "definitions.write"
TURNS = ("15m", "1h", "1d", "7d")
NEXT = "next"


@route(area, "/rehearse", needs=NEEDS, endpoint="flows")
def flows() -> ResponseReturnValue:
    """`pages/rehearse.html`: flows (title, key, url, draft_url; either url may be empty)."""
    session = reading()
    drafts = set(session.scalars(select(DraftRow.key).where(DraftRow.kind == "flow")))
    titles = titles_of(session, "flow", language())
    return render_template(
        "pages/rehearse.html",
        flows=[
            {
                "title": titles.get(key, key),
                "key": key,
                "url": f"/rehearse/{key}" if key in titles else "",
                "draft_url": f"/rehearse/{key}?draft=1" if key in drafts else "",
            }
            for key in sorted({*titles, *drafts})
        ],
    )


@route(area, "/rehearse/<key>", needs=NEEDS, endpoint="flow")
def sample(key: str) -> ResponseReturnValue:
    """The sample record to begin with, filled in as far as it must be."""
    return _draw_sample(reading(), who(), _fresh(key, request.args.get("draft")))


@route(area, "/rehearse/<key>", methods=("POST",), needs=NEEDS)
def go_on(key: str) -> ResponseReturnValue:
    """Begin with the sample, or do one deed more, and show the scene as it is then."""
    session, actor, act = reading(), who(), request.form.get("act", "")
    if act == "begin":
        return _begin(session, actor, _fresh(key, request.form.get("draft")))
    asked = _asked(key)
    if act == "anew":
        return _draw_sample(session, actor, asked)
    if act == "back":
        asked["walk"] = asked.get("walk", [])[:-1]
    return _show(session, actor, asked, request.form)


def _fresh(key: str, draft: str | None) -> dict[str, Any]:
    return {"flow": key, "values": {}, **({"draft": True} if draft == "1" else {})}


def _asked(key: str) -> dict[str, Any]:
    """What was done so far. Raises Malformed."""
    asked = strict_json(request.form.get("asked", "").encode())
    require_shape(ASKED, asked)
    if asked["flow"] != key:
        raise Malformed("E_MALFORMED")
    return dict(asked)


def _begin(session: Session, actor: Actor, asked: dict[str, Any]) -> ResponseReturnValue:
    asked["unit"] = str(number(request.form.get("unit")))
    asked["at"] = request.form.get("at", "")[:16]
    form = _subject(session, actor, asked)
    typed, only_rows = arranged(form, request.form)
    zone = ZoneInfo(unit(session, int(asked["unit"])).time_zone)
    given = posted(form, typed, rights_of(form), zone)
    asked["values"] = {key: value for key, value in given.items() if value is not None}
    if only_rows:
        return _draw_sample(session, actor, asked, typed)
    try:
        require_shape(ASKED, asked)
    except Malformed:
        return _draw_sample(session, actor, asked, typed, [Problem("/at", "E_REHEARSAL_AT")]), 422
    return _show(session, actor, asked, MultiDict(), typed)


def _subject(session: Session, actor: Actor, asked: Mapping[str, Any]) -> Form:
    """The form of the record that the flow is about. Raises NotFound."""
    subject = flow_asked(session, actor, asked).get("subject", "")
    return shape_of(session, str(subject)).form


def _show(
    session: Session,
    actor: Actor,
    asked: dict[str, Any],
    sent: MultiDict[str, str],
    begun: MultiDict[str, str] | None = None,
) -> ResponseReturnValue:
    """Walk, do what was sent, and draw what is there then."""
    try:
        plan = planned(session, actor, asked)
        close_reading()
        with walked(plan) as walk, on_the_clock_of(plan.zone):
            refused, typed = _do(walk, asked, plan.place.code, sent)
            return _draw(walk, asked, sent, refused, typed), 422 if refused else 200
    except Invalid as refusal:
        return _draw_sample(reading(), actor, asked, begun, refusal.problems), 422
    except TooMany as refusal:
        why = [Problem("", refusal.code, refusal.params)]
        return _draw_sample(reading(), actor, asked, begun, why), 429


def _do(
    walk: Walk, asked: dict[str, Any], unit_code: str, sent: MultiDict[str, str]
) -> tuple[list[Problem], MultiDict[str, str] | None]:
    """One deed more, if one was sent; it is kept in `asked` where it could be done. What was wrong
    with it, and what is shown again of a task's form."""
    act, typed = sent.get("act", ""), None
    if walk.problems or act not in ("turn", "complete"):
        return [], None
    if act == "turn":
        deed = _turned(walk, sent.get("by", ""))
    else:
        with walk.cast.database.read() as session:
            deed, typed, only_rows = _completed(session, walk, sent)
        if only_rows:
            return [], typed
    walk.go(deed_of(walk.done, deed, unit_code))
    refused, walk.problems = walk.problems, []
    if not refused:
        asked["walk"] = [*asked.get("walk", []), deed]
        return [], None
    at = f"/walk/{walk.done}"
    return [Problem(one.path.removeprefix(at), one.code, one.params) for one in refused], typed


def _turned(walk: Walk, by: str) -> dict[str, Any]:
    """The clock goes on by what was chosen, or to when something falls due next."""
    due = next_due(walk.cast) if by == NEXT else None
    if due is None:
        return {"turn": by if by in TURNS else TURNS[0]}
    at = due.astimezone(walk.cast.zone)
    minute = at.replace(second=0, microsecond=0)  # the clock of a walk knows minutes
    if minute < at:
        minute += timedelta(minutes=1)
    return {"turn_to": minute.strftime(INPUT_TIME)}


def _completed(
    session: Session, walk: Walk, sent: MultiDict[str, str]
) -> tuple[dict[str, Any], MultiDict[str, str] | None, bool]:
    """A task as its form was sent, by whoever does it; what was typed, and whether only a row of a
    sub-form more or less was asked for."""
    tasks, mark = open_tasks(reader_on(session, walk.cast), walk.cast), sent.get("task", "")
    one = next((each for each in tasks if each.of and each.mark == mark), None)
    if one is None or one.by is None:
        return {"complete": "-"}, None, False  # there is no such task, and so it is told
    desk = desk_of(session, one.by, one.id)
    typed, only_rows = arranged(desk.form, sent) if desk.form is not None else (sent, False)
    deed: dict[str, Any] = {"complete": one.step, "of": one.of, "as": one.by.login}
    deed["values"] = given_by(desk, typed)
    for word, name in (("outcome", OUTCOME), ("comment", COMMENT)):
        if said := sent.get(name, "").strip():
            deed[word] = said
    return deed, typed, only_rows


def _draw(
    walk: Walk,
    asked: dict[str, Any],
    sent: MultiDict[str, str],
    refused: list[Problem],
    typed: MultiDict[str, str] | None,
) -> str:
    """`pages/rehearsal.html`: title, url, asked, draft, clock, tasks, task (or None), stopped,
    done, turns, and what `drawn.scene_shown` has."""
    with walk.cast.database.read() as session:
        reader = reader_on(session, walk.cast)
        tasks = open_tasks(reader, walk.cast)
        one = chosen(tasks, sent.get("task", ""))
        return render_template(
            "pages/rehearsal.html",
            title=title_of(session, "flow", asked["flow"], language()),
            url=f"/rehearse/{asked['flow']}",
            asked=json.dumps(asked, ensure_ascii=False),
            draft=bool(asked.get("draft")),
            clock=clock(walk.cast),
            turns=TURNS,
            tasks=tasks,
            task=drawn_task(reader, one, typed, refused) if one is not None else None,
            problems=troubles(reader, None, refused) if typed is None else [],
            stopped=troubles(reader, None, walk.problems),
            done=walk.done,
            **scene_shown(reader, walk.cast, asked["flow"]),
        )


def _draw_sample(
    session: Session,
    actor: Actor,
    asked: dict[str, Any],
    typed: MultiDict[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> str:
    """`pages/rehearsal_sample.html`: title, url, draft, units, at, drawn, problems."""
    form = _subject(session, actor, asked)
    place = unit(session, int(asked["unit"]) if "unit" in asked else actor.unit_id or 0)
    reader = Reader(session, actor, language(), ZoneInfo(place.time_zone))
    now = moment(session)
    rights = rights_of(form)
    inside = [
        Problem(one.path.removeprefix("/values"), one.code, one.params)
        for one in problems
        if one.path.startswith("/values")
    ]
    told = troubles(reader, form, inside)
    values = _read(asked["values"], form, reader) or sample_of(reader, form, now)
    values = dict(settle(session, SYSTEM, form, values, None, reader.zone).values)
    filling = Filling(rights, values, typed, problems=by_field(told))
    others = [one for one in problems if not one.path.startswith("/values")]
    return render_template(
        "pages/rehearsal_sample.html",
        title=title_of(session, "flow", asked["flow"], language()),
        url=f"/rehearse/{asked['flow']}",
        draft=bool(asked.get("draft")),
        units=unit_choices(session, place.id),
        at=asked.get("at") or now.astimezone(reader.zone).strftime(INPUT_TIME),
        drawn=to_fill_in(reader, form, filling),
        problems=[*_at_places(others), *told],
    )


def _at_places(problems: Sequence[Problem]) -> list[Trouble]:
    """Problems that are of no field: those of a draft say where in it."""
    found = []
    for one in problems:
        words = said(one.code, one.params)
        found.append(Trouble(f"{one.path} {words}" if one.path else words))
    return found


def _read(values: Mapping[str, Any], form: Form, reader: Reader) -> dict[str, Any]:
    """JSON values as Python's; what cannot be read is left out."""
    found = {}
    for key, value in values.items():
        its = form.fields.get(key)
        if its is None or its.rows is not None:
            continue
        try:
            found[key] = its.take(value, choices_of(reader.session, its), reader.zone)
        except Fault:
            continue
    return found
