"""/api/me: who am I, my password, signing out everywhere."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ..identity import people
from ..identity.actor import Actor
from ..identity.roles import role_document
from ..identity.tree import tree
from ..store.errors import NotAllowed
from .body import json_object
from .idempotency import DONE, reply
from .own_password import change_own
from .request import reading, who
from .routes import SIGNED_IN, Spec, route
from .shapes import ID, KEY, LABEL, id_text, thing

area = Blueprint("me_api", __name__)

_UNIT = {
    **thing({"id": ID, "code": {"type": "string"}, "title": LABEL}),
    "type": ["object", "null"],
}
_ME = thing(
    {
        "id": ID,
        "login": {"type": "string"},
        "name": {"type": "string"},
        "language": {"enum": ["zh-CN", "en"]},
        "unit": _UNIT,
        "roles": {"type": "array", "items": thing({"role": KEY, "title": LABEL, "unit": _UNIT})},
        "rights": {"type": "array", "items": {"type": "string"}},
    }
)


@route(
    area,
    "/api/me",
    needs=SIGNED_IN,
    spec=Spec("Who am I: login, name, unit, roles, rights.", answers={200: _ME}, tag="people"),
)
def me() -> ResponseReturnValue:
    """The asker, with the roles that hold now."""
    return jsonify(described(reading(), who()))


def described(session: Session, actor: Actor) -> dict[str, Any]:
    """An actor as JSON."""
    documents = {grant.role: role_document(session, grant.role) or {} for grant in actor.grants}
    rights = {right for document in documents.values() for right in document.get("rights", ())}
    return {
        "id": id_text(actor.person_id),
        "login": actor.login,
        "name": actor.name,
        "language": actor.language,
        "unit": _unit(session, actor.unit_id),
        "roles": [
            {
                "role": grant.role,
                "title": documents[grant.role].get("title", grant.role),
                "unit": _unit(session, grant.unit_id),
            }
            for grant in actor.grants
        ],
        "rights": sorted(rights),
    }


def _unit(session: Session, unit_id: int | None) -> dict[str, Any] | None:
    place = tree(session).places.get(unit_id) if unit_id is not None else None
    return {"id": str(place.id), "code": place.code, "title": place.title} if place else None


_TEXT = {"type": "string", "maxLength": 400}


@route(
    area,
    "/api/me/password",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Change my password; other sign-ins and all my access tokens end.",
        body=thing({"current": _TEXT, "password": _TEXT}, code=_TEXT),
        answers={204: {}},
        tag="people",
    ),
)
def change_password() -> ResponseReturnValue:
    """The current one must be given, and a code by who has a second factor; an access token alone
    does not do."""
    sent = json_object()
    change_own(sent["current"], sent["password"], sent.get("code", ""))
    return "", 204


@route(
    area,
    "/api/me/sign-out-everywhere",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec("End every sign-in of mine.", answers={204: {}}, tag="people"),
)
def sign_out_everywhere() -> ResponseReturnValue:
    """This one too."""
    actor = who()
    if actor.person_id is None:
        raise NotAllowed()
    person_id = actor.person_id
    return reply(
        lambda session: people.sign_out_everywhere(session, actor, person_id), lambda _: DONE
    )
