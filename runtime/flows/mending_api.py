"""What waits to be mended. /api/handoffs: events that could not be followed up and were set aside;
/api/incidents: steps that failed (what is done about those stands with the instances)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import Row

from ...platform.web.body import json_object
from ...platform.web.idempotency import DONE, reply
from ...platform.web.paging import page, page_schema
from ...platform.web.request import reading, who
from ...platform.web.routes import Spec, route
from ...platform.web.shapes import ID, KEY, MOMENT, stamp, thing
from . import mending
from .control import RIGHT

area = Blueprint("mending_api", __name__)

_PARKED = thing(
    {
        "event": ID,
        "name": {"type": "string"},
        "form": KEY,
        "record": ID,
        "at": MOMENT,
        "parked_at": MOMENT,
        "tries": {"type": "integer"},
        "error": {"type": "string"},
    }
)
_FAILED = thing(
    {
        "id": ID,
        "instance": ID,
        "flow": KEY,
        "step": {"type": "string"},
        "form": KEY,
        "record": ID,
        "code": {"type": "string"},
        "params": {"type": "object"},
        "opened_at": MOMENT,
    }
)


def _told(one: mending.Parked) -> dict[str, Any]:
    return {
        "event": str(one.event_id),
        "name": one.name,
        "form": one.form,
        "record": str(one.record_id),
        "at": stamp(one.at),
        "parked_at": stamp(one.parked_at),
        "tries": one.tries,
        "error": one.error,
    }


def _failed(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "instance": str(row.instance_id),
        "flow": row.flow_key,
        "step": row.step_key,
        "form": row.subject_form,
        "record": str(row.subject_id),
        "code": row.code,
        "params": row.params,
        "opened_at": stamp(row.opened_at),
    }


@route(
    area,
    "/api/incidents",
    needs=RIGHT,
    spec=Spec(
        "Steps that failed and wait for somebody, the oldest first; no more than"
        f" {mending.MOST}, of records I may read.",
        answers={200: page_schema(_FAILED)},
        tag="flows",
    ),
)
def list_incidents() -> ResponseReturnValue:
    """Each is tried again by `POST /api/incidents/ID/retry`."""
    found = mending.open_incidents(reading(), who())
    return jsonify(page([_failed(row) for row in found], None, len(found)))


@route(
    area,
    "/api/handoffs",
    needs=RIGHT,
    spec=Spec(
        "Events that could not be followed up and were set aside, the oldest first; no more than"
        f" {mending.MOST}, of records I may read.",
        answers={200: page_schema(_PARKED)},
        tag="flows",
    ),
)
def list_parked() -> ResponseReturnValue:
    """What happened later to the same record waits behind each."""
    found = mending.parked(reading(), who())
    return jsonify(page([_told(one) for one in found], None, len(found)))


@route(
    area,
    "/api/handoffs/<id:event_id>/retry",
    methods=("POST",),
    needs=RIGHT,
    spec=Spec("Try to follow it up again.", body=thing({}), answers={204: {}}, tag="flows"),
)
def retry_handoff(event_id: int) -> ResponseReturnValue:
    """By a worker, at once; when it fails again and again, it is set aside again."""
    actor = who()
    return reply(lambda session: mending.retry(session, actor, event_id), lambda _: DONE)


@route(
    area,
    "/api/handoffs/<id:event_id>/leave-out",
    methods=("POST",),
    needs=RIGHT,
    spec=Spec(
        "Leave it out for good, with a reason: nothing follows from it.",
        body=thing({"reason": {"type": "string", "minLength": 1, "maxLength": mending.LONGEST}}),
        answers={204: {}},
        tag="flows",
    ),
)
def leave_out_handoff(event_id: int) -> ResponseReturnValue:
    """What happened later to the same record is next."""
    sent, actor = json_object(), who()
    return reply(
        lambda session: mending.leave_out(session, actor, event_id, sent["reason"]), lambda _: DONE
    )
