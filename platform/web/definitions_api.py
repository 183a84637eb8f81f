"""/api/definitions: what is published, in which versions, and the drafts on the way there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from ..definitions.check import check
from ..definitions.drafts import Draft, discard_draft, read_draft, save_draft
from ..definitions.kinds import KINDS, kind_of
from ..definitions.publish import Version, publish
from ..definitions.published import Definition, entries, published, versions
from ..store.errors import Malformed, Problem, Stale
from .body import if_match, json_object
from .errors import Unconditional, sentence
from .idempotency import Reply, reply
from .paging import page, page_schema
from .request import language, reading, who, write
from .routes import Spec, route
from .shapes import KEY, LABEL, MAYBE_ID, MOMENT, id_text, stamp, thing

area = Blueprint("definitions_api", __name__)
T = TypeVar("T")

_WHOLE = {"type": "integer", "minimum": 1}
_DOCUMENT = {"type": "object"}
_ENTRY = thing({"kind": KEY, "key": KEY, "version": _WHOLE, "title": LABEL})
_DEFINITION = thing({"kind": KEY, "key": KEY, "version": _WHOLE, "document": _DOCUMENT})
_SENTENCE = thing(
    {"path": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}}
)
_SENTENCES = {"type": "array", "items": _SENTENCE}
_VERSION = thing(
    {"version": _WHOLE, "published_at": MOMENT, "published_by": MAYBE_ID, "changes": _SENTENCES}
)
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


def sentences(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems, or changes, in the asker's language."""
    return [sentence(language(), problem) for problem in problems]


@route(
    area,
    "/api/definitions",
    needs="definitions.read",
    spec=Spec(
        "Published definitions, of one kind or of all.",
        query={"kind": KEY},
        answers={200: page_schema(_ENTRY)},
        tag="definitions",
    ),
)
def list_definitions() -> ResponseReturnValue:
    """By kind and key. An unknown kind is told, not answered with nothing."""
    kind = request.args.get("kind")
    if kind is not None and kind not in KINDS:
        raise Malformed("E_PARAMETER", name="kind")
    items = [
        {"kind": each.kind, "key": each.key, "version": each.version, "title": each.title}
        for each in entries(reading(), kind)
    ]
    return jsonify(page(items, None, len(items)))


def shown(definition: Definition) -> dict[str, Any]:
    """A definition as JSON."""
    return {
        "kind": definition.kind,
        "key": definition.key,
        "version": definition.version,
        "document": definition.document,
    }


@route(
    area,
    "/api/definitions/<kind>/<key>",
    needs="definitions.read",
    spec=Spec(
        "One definition: the version in force, or the one asked for.",
        query={"version": _WHOLE},
        answers={200: _DEFINITION},
        tag="definitions",
    ),
)
def read_definition(kind: str, key: str) -> ResponseReturnValue:
    """A version never changes."""
    text = request.args.get("version")
    if text is not None and not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise Malformed("E_PARAMETER", name="version")
    return jsonify(shown(published(reading(), kind, key, int(text) if text else None)))


@route(
    area,
    "/api/definitions/<kind>/<key>/versions",
    needs="definitions.read",
    spec=Spec(
        "Every version, newest first.", answers={200: page_schema(_VERSION)}, tag="definitions"
    ),
)
def list_versions(kind: str, key: str) -> ResponseReturnValue:
    """With what each changed, in words."""
    items = [
        {
            "version": row.version,
            "published_at": stamp(row.published_at),
            "published_by": id_text(row.published_by),
            "changes": sentences([Problem(path, code, its) for path, code, its in row.changes]),
        }
        for row in versions(reading(), kind, key)
    ]
    return jsonify(page(items, None, len(items)))


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
    return _tagged(
        _current_shown(
            lambda: write(lambda session: save_draft(session, actor, kind, key, document, revision))
        )
    )


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
    _current_shown(lambda: write(lambda session: discard_draft(session, actor, kind, key, number)))
    return "", 204


def _current_shown(act: Callable[[], T]) -> T:
    """A stale draft's `current` as JSON."""
    try:
        return act()
    except Stale as stale:
        current = stale.current
        raise Stale(draft_shown(current) if isinstance(current, Draft) else None) from None


@route(
    area,
    "/api/definitions/<kind>/<key>/check",
    methods=("POST",),
    needs="definitions.write",
    spec=Spec(
        "What is wrong with the draft; an empty list when it may be published.",
        answers={200: thing({"problems": _SENTENCES})},
        tag="definitions",
    ),
)
def check_draft(kind: str, key: str) -> ResponseReturnValue:
    """Every problem with its place."""
    actor = who()
    kind_of(kind)
    session = reading()
    found = check(session, kind, dict(read_draft(session, actor, kind, key).document))
    return jsonify(problems=sentences(found))


@route(
    area,
    "/api/definitions/<kind>/<key>/publish",
    methods=("POST",),
    needs="definitions.publish",
    spec=Spec(
        "Put the draft in force.",
        answers={200: thing({"version": _WHOLE, "changes": _SENTENCES})},
        tag="definitions",
    ),
)
def publish_draft(kind: str, key: str) -> ResponseReturnValue:
    """422 with every problem, and nothing changed."""
    actor = who()

    def present(version: Version) -> Reply:
        return Reply({"version": version.version, "changes": sentences(version.changes)})

    return reply(lambda session: publish(session, actor, kind, key), present)
