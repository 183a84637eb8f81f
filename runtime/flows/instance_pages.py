"""The page of a run: about whom, where it is on its map, what happened, and what may be done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.identity.permissions import allowed
from ...platform.records.lists import get, may_do
from ...platform.store.errors import Conflict
from ...platform.store.session import moment
from ...platform.web.context import local
from ...platform.web.request import language, reading, who, write
from ...platform.web.role_words import role_title
from ...platform.web.routes import route
from ...platform.web.titles import title_of
from ...platform.web.told import said
from ...platform.web.words import say
from ..channels.model import CallState
from ..forms.pages import reader_of
from ..forms.show import Reader
from ..steps.graph import Graph
from ..tasks.hold import asked, name_of
from ..tasks.model import TaskState, tasks
from . import control
from .called import calls_seen
from .cards import Due, due_of, subject_of
from .hand_over import may_hand_over
from .load import flow
from .map import drawn_map
from .model import InstanceState, waits
from .raised import raise_event
from .run_story import instance_row, open_incidents, result_words, standing_waits, trail
from .seen import READ, need_seen
from .take_back import own_to_take_back
from .told_messages import told_by_run

area = Blueprint("instances", __name__)


@route(area, "/instances/<id:instance_id>", needs=READ, endpoint="instance")
def instance(instance_id: int) -> ResponseReturnValue:
    """`pages/instance.html`: url, title, version, started, state, result, subject, incidents,
    waits, tasks, own (what the reader may take back: words, url), events, messages, calls, map,
    trail, may (cancel, suspend, resume, retry), clock."""
    session, actor = reading(), who()
    need_seen(session, actor, instance_id)
    reader = reader_of(session, actor)
    row = instance_row(reader, instance_id)
    graph = flow(session, row.flow_key, row.flow_version)
    return render_template(
        "pages/instance.html",
        url=f"/instances/{instance_id}",
        title=title_of(session, "flow", row.flow_key, reader.language),
        version=row.flow_version,
        started=local(row.started_at),
        state=row.state,
        result=result_words(reader, graph, row.result),
        subject=subject_of(reader, get(session, actor, row.subject_form, row.subject_id)),
        incidents=open_incidents(reader, row),
        waits=standing_waits(reader, row),
        tasks=open_tasks(reader, instance_id),
        own=[
            {
                "words": reader.say("page.take_back.own", title=reader.text(task.title)),
                "url": f"/tasks/{task.id}/take-back",
            }
            for task in own_to_take_back(session, actor, tasks.c.instance_id == instance_id)
        ],
        events=awaited_events(reader, instance_id),
        messages=told_by_run(reader, instance_id, graph),
        calls=_calls(reader, instance_id, graph),
        map=drawn_map(reader, row, graph),
        trail=trail(reader, row),
        may=_may(session, actor, row.state),
        clock=int(moment(session).timestamp() * 1000),
    )


def _may(session: Session, actor: Actor, state: str) -> dict[str, bool]:
    """What the reader may do with it as it stands."""
    right = allowed(session, actor, control.RIGHT)
    return {
        "cancel": right and state in (InstanceState.RUNNING, InstanceState.SUSPENDED),
        "suspend": right and state == InstanceState.RUNNING,
        "resume": right and state == InstanceState.SUSPENDED,
        "retry": right and state == InstanceState.RUNNING,
    }


def open_tasks(reader: Reader, instance_id: int) -> list[OpenTask]:
    """What people have still to do: with whom it is, and what the reader may do about it."""
    session, now = reader.session, moment(reader.session)
    query = select(tasks).where(tasks.c.instance_id == instance_id, tasks.c.state == TaskState.OPEN)
    found = []
    for row in session.execute(query.order_by(tasks.c.id)):
        url = f"/tasks/{row.id}"
        found.append(
            OpenTask(
                reader.text(row.title),
                _with_whom(reader, row),
                due_of(reader, row.due_at, now),
                url,
                f"{url}/hand-over" if may_hand_over(session, reader.actor, row) else "",
            )
        )
    return found


def _with_whom(reader: Reader, task: Row[Any]) -> str:
    """Who has it; else all who are asked for it."""
    if task.holder_id is not None:
        return reader.say("page.task.with", name=name_of(reader.session, task.holder_id))
    named, roles = [], []
    for one in asked(reader.session, task.id):
        if one.person is not None:
            named.append(name_of(reader.session, one.person))
        else:
            roles.append(role_title(reader.session, one.role or "", reader.language))
    comma = reader.say("page.comma")
    told = {"page.task.with": comma.join(named), "page.task.with_role": comma.join(roles)}
    return " · ".join(reader.say(words, name=name) for words, name in told.items() if name)


def awaited_events(reader: Reader, instance_id: int) -> list[str]:
    """The events it waits for that the reader may raise."""
    query = select(waits).where(waits.c.instance_id == instance_id, waits.c.kind == "event")
    return [
        str(row.what)
        for row in reader.session.execute(query)
        if may_do(reader.session, reader.actor, row.form_key, row.record_id, "change")
    ]


@dataclass(frozen=True)
class OpenTask:
    """A task that is to be done. hand_over: where it is given to somebody else, or empty."""

    title: str
    words: str
    due: Due
    url: str
    hand_over: str


def _calls(reader: Reader, instance_id: int, graph: Graph) -> list[dict[str, Any]]:
    """What other systems were told: step, to, host, state, lines, sent (path, value, seen)."""
    say = reader.say
    found = []
    for call in calls_seen(reader.session, reader.actor, instance_id):
        node = graph.nodes.get(call.step)
        lines = [local(call.over_at or call.made_at)]
        if call.status is not None:
            lines.append(say("page.calls.status", status=call.status))
        if call.tries > 1 or call.state == CallState.WAITING:
            lines.append(say("page.calls.tries", count=call.tries))
        if call.state == CallState.WAITING and call.tries:
            lines.append(say("page.calls.next", at=local(call.due_at)))
        found.append(
            {
                "step": reader.text(node.title) if node is not None else call.step,
                "to": reader.text(call.title),
                "host": call.host or "",
                "state": call.state,
                "trouble": say(
                    f"problem.{call.trouble}", status=call.status or "", name=call.connection
                )
                if call.trouble
                else "",
                "lines": lines,
                "sent": [
                    {"path": one.path, "value": _as_text(one.value), "seen": one.seen}
                    for one in call.sent
                ],
            }
        )
    return found


def _as_text(value: Any) -> str:
    """A value of JSON as people read it."""
    if value is None:
        return "—"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _do(instance_id: int, deed: Callable[[Session, Actor], Any], words: str) -> ResponseReturnValue:
    """Carry it out, say so, and show the run again."""
    actor = who()
    try:
        write(lambda session: deed(session, actor))
    except Conflict as refusal:
        flash(said(refusal.code, refusal.params), "soon")
    else:
        flash(say(language(), words), "ok")
    return redirect(f"/instances/{instance_id}", 303)


@route(
    area,
    "/instances/<id:instance_id>/<any(cancel, suspend, resume):act>",
    methods=("POST",),
    needs=control.RIGHT,
)
def act_on(instance_id: int, act: str) -> ResponseReturnValue:
    """Stop it for good, halt it, or let it run on."""
    deed = {"cancel": control.cancel, "suspend": control.suspend, "resume": control.resume}[act]
    return _do(
        instance_id, lambda s, actor: deed(s, actor, instance_id), f"page.instance.did_{act}"
    )


@route(
    area,
    "/instances/<id:instance_id>/incidents/<id:incident_id>/retry",
    methods=("POST",),
    needs=control.RIGHT,
)
def retry(instance_id: int, incident_id: int) -> ResponseReturnValue:
    """Try a failed step again; when it fails once more, that is said."""
    solved: list[bool] = []

    def deed(session: Session, actor: Actor) -> None:
        solved[:] = [control.retry(session, actor, incident_id)]

    answer = _do(instance_id, deed, "page.instance.did_retry")
    if solved == [False]:
        flash(say(language(), "page.instance.failed_again"), "late")
    return answer


@route(
    area,
    "/instances/<id:instance_id>/incidents/<id:incident_id>/skip",
    methods=("POST",),
    needs=control.RIGHT,
)
def skip(instance_id: int, incident_id: int) -> ResponseReturnValue:
    """Go on without a call that was given up."""
    return _do(
        instance_id,
        lambda session, actor: control.skip(session, actor, incident_id),
        "page.instance.did_skip",
    )


@route(area, "/instances/<id:instance_id>/raise", methods=("POST",), needs=READ)
def raise_for(instance_id: int) -> ResponseReturnValue:
    """Raise an event that the run waits for, about the record it waits about."""
    event = request.form.get("event", "")

    def deed(session: Session, actor: Actor) -> None:
        need_seen(session, actor, instance_id)
        query = select(waits).where(
            waits.c.instance_id == instance_id, waits.c.kind == "event", waits.c.what == event
        )
        row = session.execute(query).first()
        if row is None:
            raise Conflict("E_NOT_AWAITED")
        raise_event(session, actor, row.form_key, row.record_id, event)

    return _do(instance_id, deed, "page.instance.did_raise")
