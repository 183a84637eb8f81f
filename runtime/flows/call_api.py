"""/api/instances/…/calls and /api/incidents/…/skip: a run's calls to other systems."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from ...platform.web.idempotency import DONE, reply
from ...platform.web.request import reading, who
from ...platform.web.routes import Spec, route
from ...platform.web.shapes import ID, KEY, MAYBE_MOMENT, MOMENT, stamp, thing
from . import control
from .called import Called, calls_seen

area = Blueprint("calls_api", __name__)

_CALL = thing(
    {
        "id": ID,
        "step": {"type": "string"},
        "connection": KEY,
        "state": {"enum": ["waiting", "answered", "failed", "dropped"]},
        "status": {"type": ["integer", "null"]},
        "trouble": {"type": ["string", "null"]},
        "tries": {"type": "integer"},
        "made_at": MOMENT,
        "due_at": MAYBE_MOMENT,
        "over_at": MAYBE_MOMENT,
        "sent": {
            "type": "array",
            "items": thing({"path": {"type": "string"}, "seen": {"type": "boolean"}, "value": {}}),
        },
    }
)


def _told(call: Called) -> dict[str, Any]:
    return {
        "id": str(call.id),
        "step": call.step,
        "connection": call.connection,
        "state": call.state,
        "status": call.status,
        "trouble": call.trouble,
        "tries": call.tries,
        "made_at": stamp(call.made_at),
        "due_at": stamp(call.due_at) if call.state == "waiting" else None,
        "over_at": stamp(call.over_at),
        "sent": [{"path": one.path, "seen": one.seen, "value": one.value} for one in call.sent],
    }


@route(
    area,
    "/api/instances/<id:instance_id>/calls",
    needs="flows.read",
    spec=Spec(
        "What a run has told other systems, and what came of it. A value is `seen` by who may read "
        "the fields it was worked out from.",
        answers={200: thing({"items": {"type": "array", "items": _CALL}})},
        tag="flows",
    ),
)
def list_calls(instance_id: int) -> ResponseReturnValue:
    """404 unless the asker may read its record."""
    return jsonify({"items": [_told(one) for one in calls_seen(reading(), who(), instance_id)]})


@route(
    area,
    "/api/incidents/<id:incident_id>/skip",
    methods=("POST",),
    needs="flows.write",
    spec=Spec(
        "Go on without a call that was given up.", body=thing({}), answers={204: {}}, tag="flows"
    ),
)
def skip_incident(incident_id: int) -> ResponseReturnValue:
    """409 for an incident of anything else."""
    actor = who()
    return reply(lambda session: control.skip(session, actor, incident_id), lambda _: DONE)
