"""/api/sign-ins: the browsers that somebody is signed in at."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from ..identity import browsers
from ..identity.model import SignIn
from ..store.errors import NotAllowed
from .body import number
from .idempotency import DONE, reply
from .paging import page, page_schema
from .request import asker, reading, who, write
from .routes import SIGNED_IN, Spec, route
from .shapes import ID, MOMENT, stamp, thing

area = Blueprint("sign_ins_api", __name__)

_KIND = {"type": "string", "description": "As far as it is one that Careloom knows; or empty."}
_SIGN_IN = thing(
    {
        "id": ID,
        "person": ID,
        "browser": _KIND,
        "system": _KIND,
        "created_at": MOMENT,
        "seen_at": {**MOMENT, "description": "Known to some minutes."},
        "expires_at": MOMENT,
        "current": {"type": "boolean", "description": "It is the one that asks."},
    }
)


def _sign_in(row: SignIn) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "person": str(row.person_id),
        "browser": row.browser or "",
        "system": row.system or "",
        "created_at": stamp(row.created_at),
        "seen_at": stamp(row.seen_at),
        "expires_at": stamp(row.expires_at),
        "current": row.id == asker().sign_in_id,
    }


@route(
    area,
    "/api/sign-ins",
    needs=SIGNED_IN,
    spec=Spec(
        "The browsers I am signed in at, or a person whom I may administer.",
        query={"person": ID},
        answers={200: page_schema(_SIGN_IN)},
        tag="people",
    ),
)
def list_sign_ins() -> ResponseReturnValue:
    """The last used first."""
    actor, asked = who(), request.args.get("person")
    person_id = actor.person_id if asked is None else number(asked)
    if person_id is None:
        raise NotAllowed()
    rows = browsers.browsers_of(reading(), actor, person_id)
    return jsonify(page([_sign_in(row) for row in rows], None, len(rows)))


@route(
    area,
    "/api/sign-ins/<id:sign_in_id>",
    methods=("DELETE",),
    needs=SIGNED_IN,
    spec=Spec("Sign out one browser.", answers={204: {}}, tag="people"),
)
def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
    """With its next request."""
    actor = who()
    write(lambda session: browsers.end_one(session, actor, sign_in_id))
    return "", 204


@route(
    area,
    "/api/me/sign-out-others",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Sign out every browser of mine but the one that asks (a token is none).",
        answers={204: {}},
        tag="people",
    ),
)
def end_others() -> ResponseReturnValue:
    """Access tokens stay."""
    actor, kept = who(), asker().sign_in_id
    return reply(lambda session: browsers.end_others(session, actor, kept), lambda _: DONE)
