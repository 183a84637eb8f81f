"""/api/exports: files that need a second person's yes, asked for, answered and taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ..exports import ask as deeds
from ..exports.make import take_allowed
from ..exports.model import Export, State
from ..exports.question import Question
from ..identity.actor import Actor
from ..identity.people import names_of
from ..store.errors import Malformed
from ..store.session import moment
from .body import json_object
from .export_api import BYTES, EXPRESSION, KINDS, keys_of, sent_away
from .idempotency import Reply, reply
from .paging import CURSOR, LIMIT, cursor, limit, page, page_schema
from .request import current_database, looking, reading, settings, who
from .routes import SIGNED_IN, Spec, route
from .shapes import ID, KEY, MAYBE_MOMENT, MOMENT, id_text, somebody, stamp, thing

area = Blueprint("exports_api", __name__)

_PERSON = thing({"id": ID, "name": {"type": "string"}})
_WORDS = {"type": "string", "maxLength": deeds.LONGEST}
_COUNT = {"type": ["integer", "null"]}
_EXPORT = thing(
    {
        "id": ID,
        "form": KEY,
        "format": {"enum": list(KINDS)},
        "state": {"enum": [state.value for state in State]},
        "asked_by": _PERSON,
        "asked_at": MOMENT,
        "until": MAYBE_MOMENT,
        "reason": {"type": "string"},
        "filter": {"type": "string"},
        "q": {"type": "string"},
        "sort": {"type": "array", "items": {"type": "string"}},
        "conditions": {
            "type": "array",
            "items": thing(
                {
                    "field": KEY,
                    "operator": {"type": "string"},
                    "values": {"type": "array", "items": {"type": "string"}},
                }
            ),
        },
        "of": {"type": "object", "additionalProperties": {"type": "string"}},
        "columns": {"type": "object", "additionalProperties": {"enum": ["read", "masked"]}},
        "rows": _COUNT,
        "most": _COUNT,
        "answered_by": {"anyOf": [_PERSON, {"type": "null"}]},
        "answered_at": MAYBE_MOMENT,
        "words": {"type": "string"},
        "done_at": MAYBE_MOMENT,
        "taken": _COUNT,
        "may": {"type": "array", "items": {"enum": ["answer", "take"]}},
    }
)


def shown(session: Session, actor: Actor, row: Export, names: dict[int, str]) -> dict[str, Any]:
    """One of them as JSON."""
    asked: dict[str, Any] = row.question
    return {
        "id": id_text(row.id),
        "form": row.form,
        "format": row.kind,
        "state": deeds.state_of(row, moment(session)).value,
        "asked_by": somebody(row.person_id, names),
        "asked_at": stamp(row.asked_at),
        "until": stamp(row.until),
        "reason": row.reason,
        "filter": asked["where"],
        "q": asked["search"],
        "sort": asked["sort"],
        "conditions": [
            {"field": key, "operator": operator, "values": values}
            for key, operator, values in asked["conditions"]
        ],
        "of": asked["behind"],
        "columns": row.columns,
        "rows": row.counted,
        "most": row.most,
        "answered_by": somebody(row.answered_by, names),
        "answered_at": stamp(row.answered_at),
        "words": row.words,
        "done_at": stamp(row.done_at),
        "taken": row.taken,
        "may": sorted(deeds.may(session, actor, row)),
    }


def names_in(session: Session, rows: Iterable[Export]) -> dict[int, str]:
    """The names of who asked and answered."""
    return names_of(session, (one for row in rows for one in (row.person_id, row.answered_by)))


def _one(session: Session, actor: Actor, row: Export) -> dict[str, Any]:
    return shown(session, actor, row, names_in(session, [row]))


@route(
    area,
    "/api/exports",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Ask to take out more records than leave without a second person's yes.",
        body=thing(
            {"form": KEY, "reason": {**_WORDS, "minLength": deeds.SHORTEST}},
            format={"enum": list(KINDS)},
            filter=EXPRESSION,
            sort=EXPRESSION,
            q=EXPRESSION,
        ),
        answers={202: _EXPORT},
        tag="exports",
    ),
)
def ask_for() -> ResponseReturnValue:
    """409 where it needs no yes, or nobody could say it."""
    sent, actor, free = json_object(), who(), settings().export_free
    question = Question(
        sent["form"],
        sent.get("format", KINDS[0]),
        where=sent.get("filter", ""),
        sort=keys_of(sent.get("sort", "")),
        search=sent.get("q", ""),
    )

    def deed(session: Session) -> dict[str, Any]:
        row = deeds.ask(session, actor, question, sent["reason"], free=free)
        return _one(session, actor, row)

    return reply(deed, lambda made: Reply(made, 202, f"/api/exports/{made['id']}"))


@route(
    area,
    "/api/exports",
    needs=SIGNED_IN,
    spec=Spec(
        "What I asked to take out, and what others ask me, the newest first.",
        query={"limit": LIMIT, "cursor": CURSOR},
        answers={200: page_schema(_EXPORT)},
        tag="exports",
    ),
)
def list_exports() -> ResponseReturnValue:
    """What was taken out without asking stands in the trail only."""
    session, actor, mark = reading(), who(), cursor()
    if mark is not None and not mark.isdigit():
        raise Malformed("E_CURSOR")
    rows, after = deeds.mine(session, actor, int(mark) if mark else None, limit())
    names = names_in(session, rows)
    following = str(after) if after is not None else None
    return jsonify(page([shown(session, actor, row, names) for row in rows], following))


@route(
    area,
    "/api/exports/<id:export_id>",
    needs=SIGNED_IN,
    spec=Spec("One of them.", answers={200: _EXPORT}, tag="exports"),
)
def show_export(export_id: int) -> ResponseReturnValue:
    """Also for who reads the trail of its unit."""
    session, actor = reading(), who()
    return jsonify(_one(session, actor, deeds.find(session, actor, export_id)))


def _answer(export_id: int, yes: bool) -> ResponseReturnValue:
    sent, actor = json_object(), who()

    def deed(session: Session) -> dict[str, Any]:
        row = deeds.answer(session, actor, export_id, yes, sent.get("words", ""))
        return _one(session, actor, row)

    return reply(deed, Reply)


@route(
    area,
    "/api/exports/<id:export_id>/allow",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Say yes to what somebody else asks; it holds for 24 hours and for one file.",
        body=thing({}, words=_WORDS),
        answers={200: _EXPORT},
        tag="exports",
    ),
)
def allow_export(export_id: int) -> ResponseReturnValue:
    """409 where somebody was faster."""
    return _answer(export_id, True)


@route(
    area,
    "/api/exports/<id:export_id>/refuse",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Say no to what somebody else asks.",
        body=thing({}, words=_WORDS),
        answers={200: _EXPORT},
        tag="exports",
    ),
)
def refuse_export(export_id: int) -> ResponseReturnValue:
    """409 where somebody was faster."""
    return _answer(export_id, False)


@route(
    area,
    "/api/exports/<id:export_id>/file",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "The file that was allowed, once: with it the yes is used up.",
        body=thing({}),
        answers={200: BYTES},
        answer_type="*/*",
        tag="exports",
    ),
)
def take_export(export_id: int) -> ResponseReturnValue:
    """A file that could not be made uses up nothing. An Idempotency-Key changes nothing here."""
    json_object()
    return file_allowed(export_id)


def file_allowed(export_id: int) -> ResponseReturnValue:
    """The file of an export that was allowed."""
    actor, database = who(), current_database()
    row = deeds.find(looking(), actor, export_id)
    address = request.remote_addr or ""
    return sent_away(
        row.form,
        row.kind,
        lambda path: take_allowed(database, actor, export_id, path, address=address),
    )
