"""/api/people: who works here and which roles they hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ..identity import grants, people, second_factor
from ..identity.model import Person
from ..identity.reach import in_reach, login_of
from ..store.errors import Malformed
from .accounts_api import sound_hash
from .body import json_object, number
from .idempotency import Reply, reply
from .paging import CURSOR, LIMIT, cursor, limit, page, page_schema
from .request import reading, who, write
from .routes import SIGNED_IN, Spec, route
from .shapes import ID, KEY, MAYBE_MOMENT, MOMENT, id_text, stamp, thing

area = Blueprint("people_api", __name__)

_LANGUAGE = {"enum": ["zh-CN", "en"]}
_NAME = {"type": "string", "minLength": 1, "maxLength": 100}
_GRANT = thing({"role": KEY, "unit": ID, "since": MOMENT, "until": MAYBE_MOMENT})
PERSON = thing(
    {
        "id": ID,
        "login": {"type": "string"},
        "name": {"type": "string"},
        "unit": ID,
        "language": _LANGUAGE,
        "disabled_at": MAYBE_MOMENT,
        "created_at": MOMENT,
    },
    roles={"type": "array", "items": _GRANT},
    second_factor={"type": "boolean"},
)


def shown(person: Person) -> dict[str, Any]:
    """A person as JSON; never the password's hash."""
    return {
        "id": str(person.id),
        "login": person.login,
        "name": person.name,
        "unit": id_text(person.unit_id),
        "language": person.language,
        "disabled_at": stamp(person.disabled_at),
        "created_at": stamp(person.created_at),
    }


@route(
    area,
    "/api/people",
    needs="people.read",
    spec=Spec(
        "People at the units where I may see them, by login.",
        query={"q": {"type": "string", "maxLength": 100}, "limit": LIMIT, "cursor": CURSOR},
        answers={200: page_schema(PERSON)},
        tag="people",
    ),
)
def list_people() -> ResponseReturnValue:
    """By login; `q` is part of a login or a name."""
    most = limit()
    found = people.list_people(
        reading(), who(), request.args.get("q", "")[:100], cursor() or "", most + 1
    )
    mark = found[most - 1].login if len(found) > most else None
    return jsonify(page([shown(person) for person in found[:most]], mark))


@route(
    area,
    "/api/people",
    methods=("POST",),
    needs="people.write",
    spec=Spec(
        "Add a person at a unit.",
        body=thing(
            {"login": {"type": "string", "maxLength": 100}, "name": _NAME, "unit": ID},
            password={"type": "string", "maxLength": 400},
            language=_LANGUAGE,
        ),
        answers={201: PERSON},
        tag="people",
    ),
)
def add_person() -> ResponseReturnValue:
    """Without a password they cannot sign in yet."""
    sent, actor = json_object(), who()
    hashed = _hashed(sent, login_of(sent["login"]), sent["name"])
    return reply(
        lambda session: people.add_person(
            session,
            actor,
            sent["login"],
            sent["name"],
            number(sent["unit"]),
            hashed,
            sent.get("language", "zh-CN"),
        ),
        lambda person: Reply(shown(person), 201, f"/api/people/{person.id}"),
    )


def _hashed(sent: Mapping[str, Any], login: str, name: str) -> str | None:
    password = sent.get("password")
    return None if password is None else sound_hash(password, login, name)


@route(
    area,
    "/api/people/<id:person_id>",
    needs="people.read",
    spec=Spec("One person with the roles they hold.", answers={200: PERSON}, tag="people"),
)
def read_person(person_id: int) -> ResponseReturnValue:
    """Only at the units where the asker may see people."""
    session = reading()
    person = in_reach(session, who(), person_id, "people.read")
    has = second_factor.standing(session, person_id) is not None
    return jsonify({**shown(person), "roles": _roles(session, person_id), "second_factor": has})


def _roles(session: Session, person_id: int) -> list[dict[str, Any]]:
    rows = grants.held_by(session, [person_id]).get(person_id, [])
    return [
        {
            "role": row.role_key,
            "unit": str(row.unit_id),
            "since": stamp(row.since),
            "until": stamp(row.until),
        }
        for row in rows
    ]


@route(
    area,
    "/api/people/<id:person_id>",
    methods=("PATCH",),
    needs=SIGNED_IN,
    spec=Spec(
        "Change a person's name, unit or language (one's own language without any right).",
        body=thing({}, name=_NAME, unit=ID, language=_LANGUAGE),
        answers={200: PERSON},
        tag="people",
    ),
)
def change_person(person_id: int) -> ResponseReturnValue:
    """What is not sent stays."""
    sent, actor = json_object(), who()
    unit_id = number(sent["unit"]) if "unit" in sent else None
    person = write(
        lambda session: people.change_person(
            session, actor, person_id, sent.get("name"), unit_id, sent.get("language")
        )
    )
    return jsonify(shown(person))


@route(
    area,
    "/api/people/<id:person_id>/roles",
    methods=("POST",),
    needs="people.write",
    spec=Spec(
        "Give a person a role at a unit, for a time or without end.",
        body=thing({"role": KEY, "unit": ID}, until=MAYBE_MOMENT),
        answers={201: _GRANT},
        tag="people",
    ),
)
def give_role(person_id: int) -> ResponseReturnValue:
    """Nobody gives themselves one, nor rights they do not hold."""
    sent, actor = json_object(), who()
    until = _moment(sent.get("until"))
    return reply(
        lambda session: grants.give(
            session, actor, person_id, sent["role"], number(sent["unit"]), until
        ),
        lambda row: Reply(
            {
                "role": row.role_key,
                "unit": str(row.unit_id),
                "since": stamp(row.since),
                "until": stamp(row.until),
            },
            201,
        ),
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("E_PARAMETER", name="until") from None
    if found.tzinfo is None:
        raise Malformed("E_PARAMETER", name="until")
    return found.astimezone(UTC)


@route(
    area,
    "/api/people/<id:person_id>/roles/<role>/<id:unit_id>",
    methods=("DELETE",),
    needs="people.write",
    spec=Spec("Take a role at a unit from a person.", answers={204: {}}, tag="people"),
)
def take_role(person_id: int, role: str, unit_id: int) -> ResponseReturnValue:
    """From their next request on."""
    actor = who()
    write(lambda session: grants.take(session, actor, person_id, role, unit_id))
    return "", 204
