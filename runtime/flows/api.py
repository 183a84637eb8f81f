"""/api/tasks, /api/flows/…/instances, /api/instances, /api/incidents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from ...platform.store.errors import Malformed, NotFound
from ...platform.web.body import json_object, number
from ...platform.web.idempotency import Reply, reply
from ...platform.web.paging import CURSOR, LIMIT, cursor, limit, page, page_schema
from ...platform.web.request import reading, who
from ...platform.web.routes import SIGNED_IN, Spec, route
from ...platform.web.shapes import ID, KEY, thing
from ..tasks.hold import claim, unclaim
from ..tasks.messages import inbox, mark_read
from ..tasks.model import TaskState, tasks
from ..tasks.overview import overview
from ..tasks.worklist import worklist
from . import control
from .complete import complete
from .model import InstanceState
from .raised import raise_event
from .read import TaskView, list_instances, read_instance, read_task
from .seen import need_right
from .shown import (
    INSTANCE,
    INSTANCE_LINE,
    MESSAGE,
    TASK,
    TASK_LINE,
    instance,
    instance_line,
    kept_task,
    message,
    task,
    task_line,
)
from .start import start

area = Blueprint("flows_api", __name__)

Deed = Callable[[Session], Any]
_YES_NO = {"enum": ["true", "false"]}
_OUTCOME = {"type": ["string", "null"], "maxLength": 40}
_COMMENT = {"type": ["string", "null"], "maxLength": 2000}


@route(
    area,
    "/api/tasks",
    needs=SIGNED_IN,
    spec=Spec(
        "The asker's open tasks, soonest due first, `total` counting no more than 1,000; with "
        "`state` what became of them, with `mine=false` everybody's, both the newest first.",
        query={
            "state": {"enum": [state.value for state in TaskState]},
            "mine": _YES_NO,
            "flow": KEY,
            "step": {"type": "string", "maxLength": 80},
            "form": KEY,
            "subject": ID,
            "holder": ID,
            "due_before": {"type": "string", "format": "date-time"},
            "limit": LIMIT,
            "cursor": CURSOR,
        },
        answers={200: page_schema(TASK_LINE)},
        tag="tasks",
    ),
)
def list_tasks() -> ResponseReturnValue:
    """Without `state` the open ones. `mine=true`: what the asker is to do, has done, or had before
    it was dropped; `mine=false`: all whose record the asker may read, and needs `flows.read`.

    flow, step: of the definition. form, subject: the record it is about. holder: who has it.
    """
    state, mine = request.args.get("state", "open"), request.args.get("mine", "true") == "true"
    session, actor, only = reading(), who(), list(_asked_for())
    if mine and state == TaskState.OPEN:
        found = worklist(session, actor, limit(), cursor(), count=True, only=only)
    else:
        if not mine:
            need_right(session, actor)
        mark = cursor()
        before = number(mark) if mark is not None else None
        found = overview(session, actor, state, mine=mine, limit=limit(), before=before, only=only)
    return jsonify(page([task_line(row) for row in found.items], found.next, found.total))


def _asked_for() -> Iterator[ColumnElement[bool]]:
    """The conditions that stand in the address. Raises Malformed."""
    given = request.args
    for name, column in (("flow", "flow_key"), ("step", "step_key"), ("form", "subject_form")):
        if name in given:
            yield tasks.c[column] == given[name]
    for name, column in (("subject", "subject_id"), ("holder", "holder_id")):
        if name in given:
            yield tasks.c[column] == number(given[name])
    if "due_before" in given:
        try:
            before = datetime.fromisoformat(given["due_before"])
        except ValueError as error:
            raise Malformed("E_PARAMETER", name="due_before") from error
        if before.tzinfo is None:
            raise Malformed("E_PARAMETER", name="due_before")
        yield tasks.c.due_at < before


@route(
    area,
    "/api/tasks/<id:task_id>",
    needs=SIGNED_IN,
    spec=Spec("A task with its form, values and field rights.", answers={200: TASK}, tag="tasks"),
)
def show_task(task_id: int) -> ResponseReturnValue:
    """404 unless the asker is or was asked to do it."""
    return jsonify(task(read_task(reading(), who(), task_id)))


def _then_task(task_id: int, deed: Deed) -> ResponseReturnValue:
    """Do it, and answer with the task as it is afterwards."""
    actor = who()

    def act(session: Session) -> TaskView:
        deed(session)
        session.flush()
        return read_task(session, actor, task_id)

    return reply(act, lambda view: Reply(task(view)), keep=lambda view: Reply(kept_task(view)))


@route(
    area,
    "/api/tasks/<id:task_id>/claim",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec("Take a task for oneself.", body=thing({}), answers={200: TASK}, tag="tasks"),
)
def claim_task(task_id: int) -> ResponseReturnValue:
    """409 with who and when, if another has it."""
    actor = who()
    return _then_task(task_id, lambda session: claim(session, actor, task_id))


@route(
    area,
    "/api/tasks/<id:task_id>/unclaim",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec("Give a task back.", body=thing({}), answers={200: TASK}, tag="tasks"),
)
def unclaim_task(task_id: int) -> ResponseReturnValue:
    """The holder may, and those it was escalated to."""
    actor = who()
    return _then_task(task_id, lambda session: unclaim(session, actor, task_id))


@route(
    area,
    "/api/tasks/<id:task_id>/complete",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Complete a task: its form's values, and the outcome where there are any.",
        body=thing({}, values={"type": "object"}, outcome=_OUTCOME, comment=_COMMENT),
        answers={200: TASK},
        tag="tasks",
    ),
)
def complete_task(task_id: int) -> ResponseReturnValue:
    """409 when another was faster; 422 with the problems of the values."""
    sent, actor = json_object(), who()
    values, outcome, said = sent.get("values", {}), sent.get("outcome"), sent.get("comment")
    return _then_task(
        task_id, lambda session: complete(session, actor, task_id, values, outcome, said)
    )


@route(
    area,
    "/api/records/<form>/<id:record_id>/events",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Raise an event about a record: flows that wait for it go on.",
        body=thing({"event": {"type": "string", "maxLength": 41}}),
        answers={200: thing({"id": ID})},
        tag="flows",
    ),
)
def raise_about(form: str, record_id: int) -> ResponseReturnValue:
    """Whoever may change the record may raise one."""
    event, actor = json_object()["event"], who()
    return reply(
        lambda session: raise_event(session, actor, form, record_id, event),
        lambda made: Reply({"id": str(made)}),
    )


@route(
    area,
    "/api/messages",
    needs=SIGNED_IN,
    spec=Spec(
        "The asker's messages, the newest first.",
        query={"limit": LIMIT},
        answers={200: thing({"items": {"type": "array", "items": MESSAGE}})},
        tag="messages",
    ),
)
def list_messages() -> ResponseReturnValue:
    """What flows told the asker, with whether they have read it."""
    rows = inbox(reading(), who().person_id, limit())
    return jsonify({"items": [message(row) for row in rows]})


@route(
    area,
    "/api/messages/<id:message_id>/read",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Say that one has read a message.",
        body=thing({}),
        answers={200: thing({"read": {"const": True}})},
        tag="messages",
    ),
)
def read_message(message_id: int) -> ResponseReturnValue:
    """404 when it is not the asker's; reading it again changes nothing."""
    person = who().person_id

    def deed(session: Session) -> bool:
        if not mark_read(session, person, message_id):
            raise NotFound(message=str(message_id))
        return True

    return reply(deed, lambda read: Reply({"read": read}))


@route(
    area,
    "/api/flows/<key>/instances",
    methods=("POST",),
    needs="flows.start",
    spec=Spec(
        "Start a flow, about a record there is or a new one.",
        body=thing({}, record=ID, values={"type": "object"}),
        answers={201: INSTANCE},
        tag="flows",
    ),
)
def start_instance(key: str) -> ResponseReturnValue:
    """Needs the right to read the record, or to submit it."""
    sent, actor = json_object(), who()
    record_id = number(sent["record"]) if "record" in sent else None

    def deed(session: Session) -> int:
        return start(session, actor, key, record_id=record_id, values=sent.get("values"))

    return reply(
        lambda session: _read_back(session, deed(session)),
        lambda made: Reply(made, 201, f"/api/instances/{made['id']}"),
    )


def _read_back(session: Session, instance_id: int) -> dict[str, Any]:
    session.flush()
    return instance(read_instance(session, who(), instance_id))


@route(
    area,
    "/api/flows/<key>/instances",
    needs="flows.read",
    spec=Spec(
        "The instances of a flow whose records the asker may read, newest first.",
        query={
            "state": {"enum": [state.value for state in InstanceState]},
            "record": ID,
            "limit": LIMIT,
            "cursor": CURSOR,
        },
        answers={200: page_schema(INSTANCE_LINE)},
        tag="flows",
    ),
)
def show_instances(key: str) -> ResponseReturnValue:
    """`record`: only those about one record."""
    most, mark = limit(), cursor()
    record = request.args.get("record")
    rows = list_instances(
        reading(),
        who(),
        key,
        state=request.args.get("state"),
        record_id=number(record) if record is not None else None,
        limit=most,
        before=number(mark) if mark is not None else None,
    )
    more = str(rows[most - 1].id) if len(rows) > most else None
    return jsonify(page([instance_line(row) for row in rows[:most]], more))


@route(
    area,
    "/api/instances/<id:instance_id>",
    needs="flows.read",
    spec=Spec(
        "State, tokens, tasks, steps, events in order, incidents.",
        answers={200: INSTANCE},
        tag="flows",
    ),
)
def show_instance(instance_id: int) -> ResponseReturnValue:
    """404 unless the asker may read its record."""
    return jsonify(instance(read_instance(reading(), who(), instance_id)))


def _then_instance(instance_id: int, deed: Deed) -> ResponseReturnValue:
    def act(session: Session) -> dict[str, Any]:
        deed(session)
        return _read_back(session, instance_id)

    return reply(act, Reply)


@route(
    area,
    "/api/instances/<id:instance_id>/cancel",
    methods=("POST",),
    needs="flows.write",
    spec=Spec("Stop it for good.", body=thing({}), answers={200: INSTANCE}, tag="flows"),
)
def cancel_instance(instance_id: int) -> ResponseReturnValue:
    """409 when it is over."""
    actor = who()
    return _then_instance(instance_id, lambda session: control.cancel(session, actor, instance_id))


@route(
    area,
    "/api/instances/<id:instance_id>/suspend",
    methods=("POST",),
    needs="flows.write",
    spec=Spec("Halt it.", body=thing({}), answers={200: INSTANCE}, tag="flows"),
)
def suspend_instance(instance_id: int) -> ResponseReturnValue:
    """Its tasks cannot be completed and its timers do not fire until it is resumed."""
    actor = who()
    return _then_instance(instance_id, lambda session: control.suspend(session, actor, instance_id))


@route(
    area,
    "/api/instances/<id:instance_id>/resume",
    methods=("POST",),
    needs="flows.write",
    spec=Spec("Let it run on.", body=thing({}), answers={200: INSTANCE}, tag="flows"),
)
def resume_instance(instance_id: int) -> ResponseReturnValue:
    """Timers that passed meanwhile fire at once."""
    actor = who()
    return _then_instance(instance_id, lambda session: control.resume(session, actor, instance_id))


@route(
    area,
    "/api/incidents/<id:incident_id>/retry",
    methods=("POST",),
    needs="flows.write",
    spec=Spec(
        "Try a failed step again.",
        body=thing({}),
        answers={200: thing({"solved": {"type": "boolean"}})},
        tag="flows",
    ),
)
def retry_incident(incident_id: int) -> ResponseReturnValue:
    """`solved` is false when it failed again; then a new incident is open."""
    actor = who()
    return reply(
        lambda session: control.retry(session, actor, incident_id),
        lambda solved: Reply({"solved": solved}),
    )
