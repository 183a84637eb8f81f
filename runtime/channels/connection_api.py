"""/api/connections: where flows may call, for who administers it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...platform.outbound.client import Client
from ...platform.web.body import json_object
from ...platform.web.idempotency import DONE, Reply, reply
from ...platform.web.request import current_database, reading, settings, who, write
from ...platform.web.routes import Spec, route
from ...platform.web.shapes import KEY, LABEL, MAYBE_MOMENT, MOMENT, stamp, thing
from . import connections as deeds
from .calls import give_up_waiting
from .connections import RIGHT, Wanted
from .model import Connection
from .trial import carried_out, ready

area = Blueprint("connections_api", __name__)
CLIENT = "careloom.client"

_SHOWN = {
    "key": KEY,
    "title": LABEL,
    "host": {"type": "string"},
    "header": {"type": ["string", "null"]},
    "changed_at": MOMENT,
    "failures": {"type": "integer"},
    "shut_until": MAYBE_MOMENT,
    "waiting": {"type": "integer"},
}
_SECRET = thing({"secret": {"type": "string"}})
_TRIAL = thing(
    {
        "ok": {"type": "boolean"},
        "status": {"type": ["integer", "null"]},
        "code": {"type": ["string", "null"]},
        "said": {"type": "string"},
    }
)


def client() -> Client:
    """This process's, made when first asked for: it reads the machine's certificates."""
    found: Client | None = current_app.extensions.get(CLIENT)
    if found is None:
        found = current_app.extensions[CLIENT] = Client(settings().outbound)
    return found


def shown(row: Connection, waiting: int) -> dict[str, Any]:
    """A connection as JSON: neither its whole address nor any secret is among it."""
    return {
        "key": row.key,
        "title": row.title,
        "host": row.host,
        "header": row.header,
        "changed_at": stamp(row.changed_at),
        "failures": row.failures,
        "shut_until": stamp(row.shut_until),
        "waiting": waiting,
    }


@route(
    area,
    "/api/connections",
    needs=RIGHT,
    spec=Spec(
        "The connections, by key.",
        answers={200: thing({"items": {"type": "array", "items": thing(_SHOWN)}})},
        tag="connections",
    ),
)
def list_connections() -> ResponseReturnValue:
    """With how many calls wait to be sent over each."""
    session = reading()
    waiting = deeds.waiting_by_connection(session)
    rows = deeds.list_connections(session, who())
    return jsonify({"items": [shown(row, waiting.get(row.key, 0)) for row in rows]})


@route(
    area,
    "/api/connections/<key>",
    methods=("PUT",),
    needs=RIGHT,
    spec=Spec(
        "Set a connection up, or change it; without `header_value` the one there is stays. The "
        "secret that calls are signed with is in the answer that made it, and never again.",
        body=thing(
            {"title": LABEL, "address": {"type": "string", "maxLength": 1000}},
            header={"type": "string", "maxLength": 60},
            header_value={"type": "string", "maxLength": 1000},
        ),
        answers={200: thing(_SHOWN, secret={"type": "string"})},
        tag="connections",
    ),
)
def put_connection(key: str) -> ResponseReturnValue:
    """422 for an address that may not be called."""
    sent, actor = json_object(), who()
    wanted = Wanted(
        sent["title"], sent["address"], sent.get("header") or None, sent.get("header_value") or None
    )
    allowed = settings().outbound

    def deed(session: Session) -> dict[str, Any]:
        made = deeds.set_connection(session, actor, allowed, key, wanted)
        waiting = deeds.waiting_by_connection(session).get(key, 0)
        secret = {"secret": made} if made else {}
        return {**shown(deeds.find_connection(session, actor, key), waiting), **secret}

    return jsonify(write(deed))


@route(
    area,
    "/api/connections/<key>",
    methods=("DELETE",),
    needs=RIGHT,
    spec=Spec("Remove a connection.", answers={204: {}}, tag="connections"),
)
def delete_connection(key: str) -> ResponseReturnValue:
    """409 while calls wait to be sent over it."""
    actor = who()
    write(lambda session: deeds.remove_connection(session, actor, key))
    return "", 204


@route(
    area,
    "/api/connections/<key>/secret",
    methods=("POST",),
    needs=RIGHT,
    spec=Spec(
        "Sign with another secret from now on; it is in this answer and never again.",
        body=thing({}),
        answers={200: _SECRET},
        tag="connections",
    ),
)
def renew(key: str) -> ResponseReturnValue:
    """The other side has to know it before the next call."""
    actor = who()
    return reply(
        lambda session: deeds.renew_secret(session, actor, key),
        lambda made: Reply({"secret": made}),
        keep=lambda _: Reply({"secret": ""}),  # nosec B105 # none is kept
    )


@route(
    area,
    "/api/connections/<key>/try",
    methods=("POST",),
    needs=RIGHT,
    spec=Spec(
        "Send a trial call now, and tell what came back.",
        body=thing({}),
        answers={200: _TRIAL},
        tag="connections",
    ),
)
def try_connection(key: str) -> ResponseReturnValue:
    """Signed like any other, with the body `{"careloom": "trial", "at": …}`."""
    actor = who()
    parcel, host = write(lambda session: ready(session, actor, key))
    trial = carried_out(current_database(), client(), actor, parcel, host)
    return jsonify({"ok": trial.ok, "status": trial.status, "code": trial.code, "said": trial.said})


@route(
    area,
    "/api/connections/<key>/give-up",
    methods=("POST",),
    needs=RIGHT,
    spec=Spec(
        "Give up whatever waits to be sent over it; each becomes an incident of its run, or goes "
        "the way its flow has for that.",
        body=thing({}),
        answers={204: {}},
        tag="connections",
    ),
)
def give_up(key: str) -> ResponseReturnValue:
    """What is being sent just now may still arrive."""
    actor = who()

    def deed(session: Session) -> None:
        deeds.find_connection(session, actor, key)
        give_up_waiting(session, key)

    return reply(deed, lambda _: DONE)
