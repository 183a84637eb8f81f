"""What a rehearsal is asked with, and what of this house it needs, read before it begins."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...platform.definitions.drafts import read_draft
from ...platform.definitions.kinds import Document
from ...platform.definitions.published import published
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import need
from ...platform.identity.tree import Place, unit
from ...platform.outbound.client import Answer
from ...platform.records.hollow import Hollow, hollow
from ...platform.store.errors import Invalid, Problem
from ...platform.store.session import moment
from ...platform.web.body import number
from ...platform.web.shapes import ID, KEY, thing
from ...runtime.channels.model import connections

SUBJECT = "subject"
"""The walk's name of the record that the flow is about; others have that of their step or form."""
MOST_DEEDS = 100
VERBS = ("complete", "claim", "submit", "change", "retire", "raise", "turn", "turn_to")
"""The deeds of stories that a walk may be made of."""
FINE = Answer(200, b"{}", False, "")
"""What another system says while a rehearsal says nothing else of it."""

_LOGIN = {"type": "string", "minLength": 1, "maxLength": 64}
_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,79}$"}
_STEP = {"type": "string", "minLength": 1, "maxLength": 80}
_VALUES = {"type": "object"}
_LOCAL = {
    "type": "string",
    "pattern": "^20(2[6-9]|[3-8][0-9])-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$",
}
_LASTING = {"type": "string", "pattern": "^[0-9]{1,4}[mhd]( [0-9]{1,4}[mhd]){0,2}$"}

DEED = thing(
    {},
    complete=_STEP,
    claim=_STEP,
    submit=KEY,
    change=_NAME,
    retire=_NAME,
    **{"raise": {"type": "string", "maxLength": 41}, "as": _LOGIN},
    turn=_LASTING,
    turn_to=_LOCAL,
    key=_NAME,
    of=_NAME,
    values=_VALUES,
    outcome={"type": "string", "maxLength": 40},
    comment={"type": "string", "maxLength": 2000},
)
ASKED = thing(
    {"flow": KEY, "values": _VALUES},
    draft={"type": "boolean"},
    drafts={"type": "array", "maxItems": 50, "items": thing({"kind": KEY, "key": KEY})},
    at=_LOCAL,
    unit=ID,
    **{"as": _LOGIN},
    answers={
        "type": "object",
        "propertyNames": KEY,
        "maxProperties": 50,
        "additionalProperties": thing(
            {}, status={"type": "integer", "minimum": 100, "maximum": 599}, body={"type": "object"}
        ),
    },
    walk={"type": "array", "maxItems": MOST_DEEDS, "items": DEED},
)
"""What a rehearsal is asked with."""


@dataclass(frozen=True)
class Plan:
    """A rehearsal that is to be: all of this house that it needs has been read.

    flow: the document that is walked. begin: where the clock begins, aware UTC. deeds: as stories
    have them.
    """

    house: Hollow
    flow: Mapping[str, Any]
    drafts: Sequence[tuple[str, Document]]
    place: Place
    zone: ZoneInfo
    begin: datetime
    answers: Mapping[str, Answer]
    actor: str | None
    values: Mapping[str, Any]
    deeds: Sequence[Mapping[str, Any]]


def planned(session: Session, actor: Actor, sent: Mapping[str, Any]) -> Plan:
    """Read what a rehearsal needs. sent: as `ASKED` says.

    Raises NotAllowed, NotFound for a flow, draft or unit that is not there, and Invalid for a
    moment or a deed that is none.
    """
    need(session, actor, "definitions.write")
    drafts = list(_drafts(session, actor, sent))
    place = unit(session, number(sent["unit"]) if "unit" in sent else actor.unit_id or 0)
    known = dict.fromkeys(session.scalars(select(connections.c.key)), FINE)
    said = {
        key: Answer(its.get("status", 200), json.dumps(its.get("body", {})).encode(), False, "")
        for key, its in sent.get("answers", {}).items()
    }
    at = _moment("/at", sent.get("at"))
    zone = ZoneInfo(place.time_zone)
    return Plan(
        house=hollow(session),
        flow=_flow(session, sent["flow"], drafts),
        drafts=drafts,
        place=place,
        zone=zone,
        begin=moment(session) if at is None else at.replace(tzinfo=zone).astimezone(UTC),
        answers={**known, **said},
        actor=sent.get("as"),
        values=sent["values"],
        deeds=[deed_of(at, item, place.code) for at, item in enumerate(sent.get("walk", ()))],
    )


def flow_asked(session: Session, actor: Actor, sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """The flow that is to be rehearsed, as its draft or as it is in force. Raises NotAllowed,
    NotFound."""
    return _flow(session, sent["flow"], list(_drafts(session, actor, sent)))


def _drafts(
    session: Session, actor: Actor, sent: Mapping[str, Any]
) -> Iterator[tuple[str, Document]]:
    """The drafts that are put in force for it, the flow's own last."""
    named = [(one["kind"], one["key"]) for one in sent.get("drafts", ())]
    if sent.get("draft"):
        named.append(("flow", sent["flow"]))
    for kind, key in named:
        yield kind, read_draft(session, actor, kind, key).document


def _flow(session: Session, key: str, drafts: Sequence[tuple[str, Document]]) -> Mapping[str, Any]:
    """The flow as it is rehearsed. Raises NotFound."""
    own = [document for kind, document in drafts if kind == "flow" and document["key"] == key]
    return own[-1] if own else published(session, "flow", key).document


def _moment(path: str, written: str | None) -> datetime | None:
    """Raises Invalid for one that no calendar has."""
    try:
        return None if written is None else datetime.fromisoformat(written)
    except ValueError:
        raise Invalid(problems=[Problem(path, "E_STORY_MOMENT", {"moment": written})]) from None


def deed_of(at: int, item: Mapping[str, Any], unit_code: str) -> dict[str, Any]:
    """A deed of the walk as stories have it. Raises Invalid."""
    said = [verb for verb in VERBS if verb in item]
    if len(said) != 1:
        params = {"allowed": ", ".join(VERBS), "nearest": ""}
        raise Invalid(problems=[Problem(f"/walk/{at}", "E_STORY_VERB", params)])
    _moment(f"/walk/{at}/turn_to", item.get("turn_to"))
    usual = {"key": item[said[0]], "of": SUBJECT, "values": {}, "unit": unit_code}
    return {**usual, **item}
