"""/api/tokens: what programs hold to act for a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ..identity import access_tokens
from ..identity.model import AccessToken
from ..store.errors import NotAllowed
from ..store.session import moment
from .body import json_object, number
from .codes import asked_for
from .idempotency import Reply, reply
from .paging import page, page_schema
from .request import reading, who, write
from .routes import SIGNED_IN, Spec, route
from .shapes import ID, MAYBE_MOMENT, MOMENT, stamp, thing

area = Blueprint("tokens_api", __name__)

_TOKEN = thing(
    {
        "id": ID,
        "prefix": {"type": "string"},
        "title": {"type": "string"},
        "person": ID,
        "created_at": MOMENT,
        "expires_at": MAYBE_MOMENT,
        "revoked_at": MAYBE_MOMENT,
    },
    token={"type": "string", "description": "Shown this once."},
)


def _token(row: AccessToken) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "prefix": f"clm_{row.prefix}",
        "title": row.title,
        "person": str(row.person_id),
        "created_at": stamp(row.created_at),
        "expires_at": stamp(row.expires_at),
        "revoked_at": stamp(row.revoked_at),
    }


@route(
    area,
    "/api/tokens",
    needs=SIGNED_IN,
    spec=Spec(
        "My access tokens, or those of a person whom I may administer.",
        query={"person": ID},
        answers={200: page_schema(_TOKEN)},
        tag="people",
    ),
)
def list_tokens() -> ResponseReturnValue:
    """Newest first; the secrets are not among what is known."""
    actor = who()
    asked = request.args.get("person")
    person_id = actor.person_id if asked is None else number(asked)
    if person_id is None:
        raise NotAllowed()
    rows = access_tokens.tokens_of(reading(), actor, person_id)
    return jsonify(page([_token(row) for row in rows], None, len(rows)))


@route(
    area,
    "/api/tokens",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Issue an access token for myself, or for a person whom I may administer.",
        body=thing(
            {"title": {"type": "string", "minLength": 1, "maxLength": 100}},
            person=ID,
            days={"type": "integer", "minimum": 1, "maximum": 3650},
            code={"type": "string", "maxLength": 100},
        ),
        answers={201: _TOKEN},
        tag="people",
    ),
)
def issue_token() -> ResponseReturnValue:
    """The token is in this answer and never again, under an Idempotency-Key neither. From a browser
    `code` is asked of who has a second factor."""
    sent, actor = json_object(), who()
    person_id = number(sent["person"]) if "person" in sent else actor.person_id
    if person_id is None:
        raise NotAllowed()

    use = asked_for(actor, sent.get("code", ""))

    def deed(session: Session) -> tuple[AccessToken, str]:
        use(session)
        days = sent.get("days")
        until = moment(session) + timedelta(days=days) if days else None
        return access_tokens.issue(session, actor, person_id, sent["title"], until)

    return reply(
        deed,
        lambda issued: Reply({**_token(issued[0]), "token": issued[1]}, 201),
        keep=lambda issued: Reply(_token(issued[0]), 201),
    )


@route(
    area,
    "/api/tokens/<id:token_id>",
    methods=("DELETE",),
    needs=SIGNED_IN,
    spec=Spec("Revoke an access token.", answers={204: {}}, tag="people"),
)
def revoke_token(token_id: int) -> ResponseReturnValue:
    """From its next use on."""
    actor = who()
    write(lambda session: access_tokens.revoke(session, actor, token_id))
    return "", 204
