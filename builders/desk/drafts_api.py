"""/api/definitions/…/draft, check, publish: the way of every kind of definition into force."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from ...platform.definitions.drafts import Draft, discard_draft, read_draft, save_draft
from ...platform.definitions.kinds import kind_of
from ...platform.definitions.publish import Version, judge_draft, publish
from ...platform.web.body import current_shown, if_match, json_object
from ...platform.web.definitions_api import SENTENCES, sentences
from ...platform.web.errors import Unconditional
from ...platform.web.idempotency import Reply, reply
from ...platform.web.request import reading, who, write
from ...platform.web.routes import Spec, route
from ...platform.web.shapes import KEY, MAYBE_ID, MOMENT, id_text, stamp, thing

area = Blueprint("drafts_api", __name__)

_WHOLE = {"type": "integer", "minimum": 1}
_DOCUMENT = {"type": "object"}
_DRAFT = thing(
    {
        "kind": KEY,
        "key": KEY,
        "revision": _WHOLE,
        "base_version": {"type": ["integer", "null"]},
        "document": _DOCUMENT,
        "saved_at": MOMENT,
        "saved_by": MAYBE_ID,
    }
)


def draft_shown(draft: Draft) -> dict[str, Any]:
    """A draft as JSON."""
    return {
        "kind": draft.kind,
        "key": draft.key,
        "revision": draft.revision,
        "base_version": draft.base_version,
        "document": draft.document,
        "saved_at": stamp(draft.saved_at),
        "saved_by": id_text(draft.saved_by),
    }


def _tagged(draft: Draft, status: int = 200) -> Response:
    response = jsonify(draft_shown(draft))
    response.status_code = status
    response.headers["ETag"] = f'"{draft.revision}"'
    return response


@route(
    area,
    "/api/definitions/<kind>/<key>/draft",
    needs="definitions.write",
    spec=Spec("The draft being worked on.", answers={200: _DRAFT}, tag="definitions"),
)
def draft(kind: str, key: str) -> ResponseReturnValue:
    """404 when nobody works on one."""
    kind_of(kind)
    return _tagged(read_draft(reading(), who(), kind, key))


@route(
    area,
    "/api/definitions/<kind>/<key>/draft",
    methods=("PUT",),
    needs="definitions.write",
    spec=Spec(
        "Save the draft. If-Match names the revision it was edited from; without it, begin one.",
        body=_DOCUMENT,
        answers={200: _DRAFT},
        tag="definitions",
        if_match=True,
    ),
)
def put_draft(kind: str, key: str) -> ResponseReturnValue:
    """It may be unfinished and wrong. 412 with `current` when another saved in between."""
    document, actor, revision = json_object(), who(), if_match()
    with current_shown(Draft, draft_shown):
        saved = write(lambda session: save_draft(session, actor, kind, key, document, revision))
    return _tagged(saved)


@route(
    area,
    "/api/definitions/<kind>/<key>/draft",
    methods=("DELETE",),
    needs="definitions.write",
    spec=Spec("Throw the draft away.", answers={204: {}}, tag="definitions", if_match=True),
)
def delete_draft(kind: str, key: str) -> ResponseReturnValue:
    """Needs If-Match."""
    actor, revision = who(), if_match()
    if revision is None:
        raise Unconditional()
    number = revision
    with current_shown(Draft, draft_shown):
        write(lambda session: discard_draft(session, actor, kind, key, number))
    return "", 204


@route(
    area,
    "/api/definitions/<kind>/<key>/check",
    methods=("POST",),
    needs="definitions.write",
    spec=Spec(
        "What keeps the asker from publishing the draft: what is wrong with it, and what it adds "
        "beyond the asker's own rights; empty when they may. Warnings keep nobody from it.",
        answers={200: thing({"problems": SENTENCES, "warnings": SENTENCES})},
        tag="definitions",
    ),
)
def check_draft(kind: str, key: str) -> ResponseReturnValue:
    """Every problem with its place."""
    actor = who()
    kind_of(kind)
    verdict = judge_draft(reading(), actor, kind, key)
    return jsonify(problems=sentences(verdict.problems), warnings=sentences(verdict.warnings))


@route(
    area,
    "/api/definitions/<kind>/<key>/publish",
    methods=("POST",),
    needs="definitions.publish",
    spec=Spec(
        "Put the draft in force. What it adds beyond the asker's own rights needs somebody who has "
        "them or `packs.apply`, or another person than its authors who holds `definitions.vouch`. "
        "If-Match names the revision that was looked at.",
        answers={200: thing({"version": _WHOLE, "changes": SENTENCES, "warnings": SENTENCES})},
        tag="definitions",
        if_match=True,
    ),
)
def publish_draft(kind: str, key: str) -> ResponseReturnValue:
    """422 with every problem, and nothing changed; 412 for another revision."""
    actor, revision = who(), if_match()

    def present(version: Version) -> Reply:
        changes, warnings = sentences(version.changes), sentences(version.warnings)
        return Reply({"version": version.version, "changes": changes, "warnings": warnings})

    with current_shown(Draft, draft_shown):
        return reply(lambda session: publish(session, actor, kind, key, revision), present)
