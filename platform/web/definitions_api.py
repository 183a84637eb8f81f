"""/api/definitions: what is published, in which versions, what changed between them, and where
each is used. The drafts on the way there are the builders'."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from ..definitions.compare import compare
from ..definitions.kinds import KINDS
from ..definitions.published import Definition, entries, published, versions
from ..definitions.uses import uses_of
from ..store.errors import Malformed, NotFound, Problem
from .differences import told
from .errors import sentence
from .paging import page, page_schema
from .request import language, reading
from .routes import Spec, route
from .shapes import KEY, LABEL, MAYBE_ID, MOMENT, id_text, stamp, thing

area = Blueprint("definitions_api", __name__)

_WHOLE = {"type": "integer", "minimum": 1}
_DOCUMENT = {"type": "object"}
_ENTRY = thing({"kind": KEY, "key": KEY, "version": _WHOLE, "title": LABEL})
_DEFINITION = thing({"kind": KEY, "key": KEY, "version": _WHOLE, "document": _DOCUMENT})
_SENTENCE = thing(
    {"path": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}}
)
SENTENCES = {"type": "array", "items": _SENTENCE}
_CHANGE = thing(
    {
        "path": {"type": "string"},
        "act": {"enum": ["added", "removed", "changed", "moved"]},
        "words": {"type": "string"},
        "before": {},
        "after": {},
    }
)
_COMPARED = thing(
    {
        "kind": KEY,
        "key": KEY,
        "from": _WHOLE,
        "to": _WHOLE,
        "changes": {"type": "array", "items": _CHANGE},
    }
)
_USE = thing(
    {
        "field": {"type": ["string", "null"]},
        "kind": KEY,
        "key": KEY,
        "title": LABEL,
        "path": {"type": "string"},
    }
)
_VERSION = thing(
    {"version": _WHOLE, "published_at": MOMENT, "published_by": MAYBE_ID, "changes": SENTENCES}
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
    return jsonify(shown(published(reading(), kind, key, _number("version"))))


def _number(name: str) -> int | None:
    """A version's number from the address, or None. Raises Malformed."""
    text = request.args.get(name)
    if text is not None and not re.fullmatch("[1-9][0-9]{0,8}", text, re.ASCII):
        raise Malformed("E_PARAMETER", name=name)
    return int(text) if text else None


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


@route(
    area,
    "/api/definitions/<kind>/<key>/compare",
    needs="definitions.read",
    spec=Spec(
        "What changed between two versions, in words; the last two without `from` and `to`.",
        query={"from": _WHOLE, "to": _WHOLE},
        answers={200: _COMPARED},
        tag="definitions",
    ),
)
def compare_versions(kind: str, key: str) -> ResponseReturnValue:
    """Paths lead into the newer version, those of what was removed into the older."""
    session = reading()
    newer = published(session, kind, key, _number("to"))
    first = _number("from") or newer.version - 1
    if first < 1:
        raise NotFound(kind=kind, key=key)
    older = published(session, kind, key, first)
    changes = [
        {
            "path": change.path,
            "act": change.act,
            "words": told(language(), change),
            "before": change.before,
            "after": change.after,
        }
        for change in compare(older.document, newer.document)
    ]
    its = {"kind": kind, "key": key, "from": older.version, "to": newer.version}
    return jsonify({**its, "changes": changes})


@route(
    area,
    "/api/definitions/<kind>/<key>/uses",
    needs="definitions.read",
    spec=Spec(
        "Where a definition and each of its fields is used.",
        answers={200: page_schema(_USE)},
        tag="definitions",
    ),
)
def list_uses(kind: str, key: str) -> ResponseReturnValue:
    """`field` null: the definition as a whole; `items.price`: a column of a sub-form. `path`: the
    place in the document that names it."""
    items = [
        {
            "field": use.field,
            "kind": use.kind,
            "key": use.key,
            "title": use.title,
            "path": use.path,
        }
        for use in uses_of(reading(), kind, key)
    ]
    return jsonify(page(items, None, len(items)))
