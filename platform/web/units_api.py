"""/api/units, /api/tokens: the organisation, and what programs hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ..identity import access_tokens, units
from ..identity.model import AccessToken
from ..identity.tree import Place, tree, unit
from ..store.errors import NotAllowed
from ..store.session import moment
from .body import json_object, number
from .idempotency import Reply, reply
from .paging import page, page_schema
from .request import reading, who, write
from .routes import SIGNED_IN, Spec, route
from .shapes import ID, LABEL, MAYBE_ID, MAYBE_MOMENT, MOMENT, id_text, stamp, thing

area = Blueprint("units_api", __name__)

_CODE = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"}
_TYPE = {"type": "string", "pattern": "^[a-z][a-z_]{0,39}$"}
_UNIT = thing(
    {
        "id": ID,
        "code": _CODE,
        "title": LABEL,
        "type": _TYPE,
        "parent": MAYBE_ID,
        "time_zone": {"type": "string"},
        "intake": MAYBE_ID,
    }
)


def shown(place: Place) -> dict[str, Any]:
    """A unit as JSON."""
    return {
        "id": str(place.id),
        "code": place.code,
        "title": place.title,
        "type": place.type,
        "parent": id_text(place.parent_id),
        "time_zone": place.time_zone,
        "intake": id_text(place.intake_id),
    }


@route(
    area,
    "/api/units",
    needs=SIGNED_IN,
    spec=Spec("The organisation, parents first.", answers={200: page_schema(_UNIT)}, tag="units"),
)
def list_units() -> ResponseReturnValue:
    """Everybody who works here may know how it is built."""
    places = tree(reading()).places.values()
    return jsonify(page([shown(place) for place in places], None, len(places)))


@route(
    area,
    "/api/units",
    methods=("POST",),
    needs="units.write",
    spec=Spec(
        "Add a unit under another.",
        body=thing(
            {"code": _CODE, "title": LABEL, "type": _TYPE, "parent": ID},
            time_zone={"type": "string", "maxLength": 60},
        ),
        answers={201: _UNIT},
        tag="units",
    ),
)
def add_unit() -> ResponseReturnValue:
    """Without a time zone it has its parent's."""
    sent, actor = json_object(), who()
    return reply(
        lambda session: units.add_unit(
            session,
            actor,
            sent["code"],
            sent["title"],
            sent["type"],
            number(sent["parent"]),
            sent.get("time_zone"),
        ),
        lambda place: Reply(shown(place), 201),
    )


@route(
    area,
    "/api/units/<id:unit_id>",
    methods=("PATCH",),
    needs="units.write",
    spec=Spec(
        "Move a unit under another, or say who takes what arrives there.",
        body=thing({}, parent=ID, intake=MAYBE_ID),
        answers={200: _UNIT},
        tag="units",
    ),
)
def change_unit(unit_id: int) -> ResponseReturnValue:
    """Records follow their unit to its new place."""
    sent, actor = json_object(), who()

    def deed(session: Session) -> Place:
        if "parent" in sent:
            units.move_unit(session, actor, unit_id, number(sent["parent"]))
        if "intake" in sent:
            intake = number(sent["intake"]) if sent["intake"] is not None else None
            units.set_intake(session, actor, unit_id, intake)
        return unit(session, unit_id)

    return jsonify(shown(write(deed)))


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
    spec=Spec("My access tokens.", answers={200: page_schema(_TOKEN)}, tag="people"),
)
def list_tokens() -> ResponseReturnValue:
    """Newest first; the secrets are not among what is known."""
    actor = who()
    if actor.person_id is None:
        raise NotAllowed()
    rows = access_tokens.tokens_of(reading(), actor, actor.person_id)
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
        ),
        answers={201: _TOKEN},
        tag="people",
    ),
)
def issue_token() -> ResponseReturnValue:
    """The token is in this answer and never again, under an Idempotency-Key neither."""
    sent, actor = json_object(), who()
    person_id = number(sent["person"]) if "person" in sent else actor.person_id
    if person_id is None:
        raise NotAllowed()

    def deed(session: Session) -> tuple[AccessToken, str]:
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
