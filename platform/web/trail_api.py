"""/api/trail: what happened, and who looked at which records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from ..events import view_log as views
from ..events.model import Event, View
from ..events.trail import Wanted, trail
from ..identity.actor import Actor
from ..identity.people import names_of
from ..records.trail import FORM, RIGHT, cut, events_seen, readable_ids, records_seen
from ..store.errors import Malformed, NotFound, Phrase
from .body import moment_of
from .paging import CURSOR, LIMIT, cursor, limit, page, page_schema
from .request import close_reading, language, reading, who
from .routes import Spec, route
from .shapes import ID, KEY, MAYBE_ID, MOMENT, id_text, somebody, stamp, thing
from .view_log import view_log
from .words import say

area = Blueprint("trail_api", __name__)

KINDS = ("events", "views")
_SUBJECT = re.compile(r"([a-z][a-z0-9_]*(?::[a-z][a-z0-9_]*){0,2})(?:/([0-9]{1,19}))?", re.ASCII)
_SAFE = 2**53  # JavaScript's numbers end here

_PERSON = {"anyOf": [thing({"id": ID, "name": {"type": "string"}}), {"type": "null"}]}
_EVENT = thing(
    {
        "id": ID,
        "seq": {"type": ["integer", "null"]},
        "at": MOMENT,
        "name": {"type": "string"},
        "words": {"type": "string"},
        "subject": thing({"kind": {"type": "string"}, "id": ID}),
        "unit": MAYBE_ID,
        "actor": _PERSON,
        "on_behalf": _PERSON,
        "cause": MAYBE_ID,
        "data": {"type": "object"},
    }
)
_VIEW = thing(
    {
        "id": ID,
        "at": MOMENT,
        "form": KEY,
        "purpose": {"enum": list(views.PURPOSES)},
        "count": {"type": "integer", "minimum": 1},
        "records": {"type": "array", "items": ID},
        "actor": _PERSON,
        "address": {"type": "string"},
    }
)


@route(
    area,
    "/api/trail",
    needs=RIGHT,
    spec=Spec(
        "What happened, newest first; or, as `kind=views`, who saw or exported records.",
        query={
            "subject": {
                "type": "string",
                "pattern": f"^{_SUBJECT.pattern}$",
                "description": "A kind, or one of it: `form:lead`, `form:lead/7`, `person/3`.",
            },
            "actor": {**ID, "description": "By this person."},
            "since": {
                "type": "string",
                "description": "A moment with its zone, or a day where the asker is.",
            },
            "kind": {"enum": list(KINDS), "default": "events"},
            "limit": LIMIT,
            "cursor": CURSOR,
        },
        answers={200: page_schema({"anyOf": [_EVENT, _VIEW]})},
        tag="trail",
    ),
)
def read_trail() -> ResponseReturnValue:
    """Of records only those the asker may read. `kind=views` needs a form as its subject."""
    kind = request.args.get("kind", KINDS[0])
    if kind not in KINDS:
        raise Malformed("E_PARAMETER", name="kind")
    asked = wanted(request.args, who())
    if kind == "views":
        seen, mark = views_of(who(), asked, cursor(), limit())
        names = names_of(reading(), (view.person_id for view in seen))
        return jsonify(page(list(_views(reading(), who(), seen, names)), mark))
    found, told, mark = events_of(reading(), who(), asked, cursor(), limit())
    people = names_of(
        reading(), (by for each in found for by in (each.actor_id, each.on_behalf_id))
    )
    return jsonify(page([_event(each, told[each.id], people) for each in found], mark))


def wanted(args: Mapping[str, str], actor: Actor) -> Wanted:
    """What the address asks for. Raises Malformed, naming the parameter."""
    subject = None
    if text := args.get("subject"):
        parts = _SUBJECT.fullmatch(text)
        if parts is None or int(parts[2] or 0) >= 2**63:
            raise Malformed("E_PARAMETER", name="subject")
        subject = (parts[1], int(parts[2]) if parts[2] else None)
    by = args.get("actor")
    if by and not (by.isascii() and by.isdigit() and len(by) < 20 and int(by) < 2**63):
        raise Malformed("E_PARAMETER", name="actor")
    return Wanted(
        subject, int(by) if by else None, moment_of(args.get("since"), "since", actor.time_zone)
    )


def events_of(
    session: Session, actor: Actor, asked: Wanted, mark: str | None, most: int
) -> tuple[list[Event], Mapping[int, Mapping[str, Any]], str | None]:
    """Events, the data of each as far as the asker may know it, and the next page's mark."""
    found, after = trail(session, asked, events_seen(session, actor), mark=mark, limit=most)
    return found, cut(session, actor, found), after


def views_of(
    actor: Actor, asked: Wanted, mark: str | None, most: int
) -> tuple[list[View], str | None]:
    """Who saw a record, or a form's records. Raises NotFound where the asker may not read it.

    What this process has not written down yet is written first, so that nothing is missing.
    """
    kind, number = asked.subject or ("", None)
    if not kind.startswith(FORM):
        raise Malformed("E_PARAMETER", name="subject")
    form = kind.removeprefix(FORM)
    close_reading()
    view_log().flush()
    session = reading()
    readable = records_seen(session, actor, literal(number or 0)).get(form)
    if readable is None or (number is not None and not session.scalar(select(readable))):
        raise NotFound(form=form)
    return views.views(
        session,
        form,
        number,
        person_id=asked.actor_id,
        since=asked.since,
        mark=mark,
        limit=most,
    )


def words_of(event: Event, data: Mapping[str, Any]) -> str:
    """What happened, as a sentence; the kind of a definition in the reader's language."""
    if event.name.startswith("definition:") and "kind" in data:
        data = {**data, "kind": Phrase(f"kind.{data['kind']}")}
    return say(language(), f"event.{event.name}", **data)


def _event(event: Event, data: Mapping[str, Any], people: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "seq": event.seq,
        "at": stamp(event.at),
        "name": event.name,
        "words": words_of(event, data),
        "subject": {"kind": event.subject_kind, "id": str(event.subject_id)},
        "unit": id_text(event.unit_id),
        "actor": somebody(event.actor_id, people),
        "on_behalf": somebody(event.on_behalf_id, people),
        "cause": id_text(event.cause_id),
        "data": {key: _plain(value) for key, value in data.items()},
    }


def _plain(value: Any) -> Any:
    """An id in the data is a text, as everywhere."""
    return str(value) if isinstance(value, int) and abs(value) >= _SAFE else value


def _views(
    session: Session, actor: Actor, seen: Sequence[View], people: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    """Each without the records that the asker may not read themselves."""
    if not seen:
        return
    known = readable_ids(session, actor, seen[0].form, {int(n) for view in seen for n in view.ids})
    for view in seen:
        yield {
            "id": str(view.id),
            "at": stamp(view.at),
            "form": view.form,
            "purpose": view.purpose,
            "count": view.count,
            "records": [number for number in view.ids if int(number) in known],
            "actor": somebody(view.person_id, people),
            "address": view.address,
        }
