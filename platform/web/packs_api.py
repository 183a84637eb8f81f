"""/api/packs: what is installed, a zip's plan with its stories, apply, export, roll back."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from typing import Any

from flask import Blueprint, jsonify, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..packs.apply import apply_pack
from ..packs.bring_in import judge, look
from ..packs.installed import export
from ..packs.model import InstalledPack
from ..packs.plan import Name, Plan
from ..packs.rollback import Taken, roll_back
from ..packs.signers import STATES
from ..packs.story import Told
from ..packs.uploads import drop_upload, keep_upload, uploaded
from ..store.errors import Malformed
from .body import json_object, number
from .differences import told as change_told
from .errors import sentence
from .files_api import CAUTION, MULTIPART, PART, one_file
from .idempotency import Reply, reply
from .paging import page, page_schema
from .request import current_database, language, reading, who
from .routes import Spec, route
from .shapes import ID, KEY, LABEL, MOMENT, stamp, thing
from .story_words import story_json
from .words import phrase

area = Blueprint("packs_api", __name__)

_TEXT = {"type": "string"}
_BYTES = {"type": "string", "contentMediaType": "application/zip"}
_VERSION = {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"}
_OBJECTS = {"type": "array", "items": {"type": "object"}}
_PACK = thing({"key": KEY, "version": _VERSION, "title": LABEL, "applied_at": MOMENT})
_NAME = {"type": "string", "pattern": "^[a-z]+/[a-z][a-z0-9_]{0,39}$"}
_PLAN = thing(
    {
        "pack": KEY,
        "version": _VERSION,
        "before": {"type": ["string", "null"]},
        "signed": thing({"state": {"enum": [*STATES]}, "by": {"type": ["string", "null"]}}),
        "steps": _OBJECTS,
        "problems": _OBJECTS,
        "stories": _OBJECTS,
    },
    id=ID,
)
_TAKEN = thing(
    {
        "version": _VERSION,
        **{name: {"type": "array", "items": _NAME} for name in ("back", "kept", "stay")},
    }
)


def plan_json(plan: Plan, stories: Sequence[Told]) -> dict[str, Any]:
    """A plan as a program or a page reads it, changes and stories in the asker's words."""
    tongue = language()
    return {
        "pack": plan.pack.key,
        "version": plan.pack.version,
        "before": plan.before,
        "signed": {"state": plan.signed.state, "by": plan.signed.by or None},
        "steps": [
            {
                "action": step.action,
                "kind": step.kind,
                "key": step.key,
                "changes": [change_told(tongue, change) for change in step.changes],
                "powers": [phrase(tongue, power) for power in step.powers],
                "warnings": [sentence(tongue, warning) for warning in step.warnings],
            }
            for step in plan.steps
        ],
        "problems": [sentence(tongue, problem) for problem in plan.problems],
        "stories": [story_json(tongue, each) for each in stories],
    }


def names(given: Collection[str]) -> list[Name]:
    """`form/lead_intake` as a kind and a key. Raises Malformed."""
    pairs = [each.partition("/") for each in given]
    if not all(kind and key for kind, _, key in pairs):
        raise Malformed("E_PARAMETER", name="take")
    return [(kind, key) for kind, _, key in pairs]


@route(
    area,
    "/api/packs",
    needs="packs.read",
    spec=Spec("The packs installed here.", answers={200: page_schema(_PACK)}, tag="packs"),
)
def list_packs() -> ResponseReturnValue:
    """By key."""
    rows = reading().scalars(select(InstalledPack).order_by(InstalledPack.key)).all()
    items = [
        {
            "key": row.key,
            "version": row.version,
            "title": row.manifest.get("title", row.key),
            "applied_at": stamp(row.applied_at),
        }
        for row in rows
    ]
    return jsonify(page(items, None, len(items)))


@route(
    area,
    "/api/packs/plan",
    methods=("POST",),
    needs="packs.apply",
    spec=Spec(
        "What applying a pack's zip would do, and whether its stories are true. Nothing is done.",
        body=thing({PART: _BYTES}),
        body_type=MULTIPART,
        answers={200: _PLAN},
        tag="packs",
    ),
)
def plan_pack() -> ResponseReturnValue:
    """The id is what `apply` takes, for a day."""
    actor, database = who(), current_database()
    upload, pack = keep_upload(database, actor, one_file().stream)
    plan, stories = look(database, pack)
    return jsonify({"id": str(upload), **plan_json(plan, stories)})


@route(
    area,
    "/api/packs/apply",
    methods=("POST",),
    needs="packs.apply",
    spec=Spec(
        "Apply a plan: all of it or nothing. `take` names definitions, KIND/KEY, of which the "
        "pack's is wanted although they were changed here; others changed here are kept. A pack "
        "that nobody signed who is trusted here comes in with `despite_signature` only.",
        body=thing(
            {"plan": ID},
            take={"type": "array", "items": _NAME},
            despite_stories={"type": "boolean"},
            despite_signature={"type": "boolean"},
        ),
        answers={200: _PLAN},
        tag="packs",
    ),
)
def apply_plan() -> ResponseReturnValue:
    """409 when stories fail and nobody says `despite_stories`, or its signature is not one that
    counts here and nobody says `despite_signature`; 422 with the plan's problems."""
    sent, actor = json_object(), who()
    database = current_database()
    upload = number(sent["plan"])
    pack = uploaded(database, actor, upload)
    take = names(sent.get("take", ()))
    despite, unsigned = sent.get("despite_stories", False), sent.get("despite_signature", False)
    told, numbers = judge(database, actor, pack, take, despite, unsigned)

    def deed(session: Session) -> Plan:
        drop_upload(session, upload)
        return apply_pack(session, actor, pack, take, numbers)

    return reply(deed, lambda plan: Reply(plan_json(plan, told)))


@route(
    area,
    "/api/packs/<key>/export",
    needs="packs.read",
    spec=Spec(
        "An installed pack as a zip, with what was changed here.",
        answers={200: _BYTES},
        answer_type="application/zip",
        tag="packs",
    ),
)
def export_pack(key: str) -> ResponseReturnValue:
    """The same state gives the same bytes."""
    content = export(reading(), who(), key)
    response = send_file(
        io.BytesIO(content),
        mimetype="application/zip",
        as_attachment=True,
        download_name=f"{key}.zip",
    )
    response.headers.update(CAUTION)
    return response


@route(
    area,
    "/api/packs/<key>/rollback",
    methods=("POST",),
    needs="packs.apply",
    spec=Spec(
        "The state before the last apply, as new versions; nothing is deleted.",
        answers={200: _TAKEN},
        tag="packs",
    ),
)
def rollback_pack(key: str) -> ResponseReturnValue:
    """409 when there was nothing before."""
    actor = who()
    return reply(lambda session: roll_back(session, actor, key), _taken)


def _taken(taken: Taken) -> Reply:
    named = {
        word: [f"{kind}/{name}" for kind, name in getattr(taken, word)]
        for word in ("back", "kept", "stay")
    }
    return Reply({"version": taken.version, **named})
