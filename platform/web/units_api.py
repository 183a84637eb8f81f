"""/api/units: the organisation."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ..identity import units
from ..identity.tree import Place, tree, unit
from .body import json_object, number
from .idempotency import Reply, reply
from .paging import page, page_schema
from .request import reading, who, write
from .routes import SIGNED_IN, Spec, route
from .shapes import ID, LABEL, MAYBE_ID, id_text, thing

area = Blueprint("units_api", __name__)

_CODE = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"}
_TYPE = {"type": "string", "pattern": "^[a-z][a-z_]{0,39}$"}
_ZONE = {"type": "string", "maxLength": 60}
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
            time_zone=_ZONE,
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
        "Change a unit, move it under another, or say who takes what arrives there.",
        body=thing({}, title=LABEL, type=_TYPE, time_zone=_ZONE, parent=ID, intake=MAYBE_ID),
        answers={200: _UNIT},
        tag="units",
    ),
)
def change_unit(unit_id: int) -> ResponseReturnValue:
    """Records follow their unit to its new place; what is not sent stays."""
    sent, actor = json_object(), who()

    def deed(session: Session) -> Place:
        units.change_unit(
            session, actor, unit_id, sent.get("title"), sent.get("type"), sent.get("time_zone")
        )
        if "parent" in sent:
            units.move_unit(session, actor, unit_id, number(sent["parent"]))
        if "intake" in sent:
            intake = number(sent["intake"]) if sent["intake"] is not None else None
            units.set_intake(session, actor, unit_id, intake)
        return unit(session, unit_id)

    return jsonify(shown(write(deed)))
