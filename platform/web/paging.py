"""Lists in pages, one way everywhere: `limit` and a `cursor` that is opaque and signed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from flask import request

from ..store.errors import Malformed
from ..store.letters import spelled, unspelled
from .request import settings, who_or_nobody

USUAL, MOST = 50, 200

LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
CURSOR = {"type": "string", "description": "`next` of the page before"}


def limit() -> int:
    """How many are asked for. Raises Malformed."""
    text = request.args.get("limit", str(USUAL))
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MOST:
        raise Malformed("E_LIMIT", most=MOST)
    return int(text)


def cursor() -> str | None:
    """Where the page begins, as the list's own mark; None for the first page.

    Raises Malformed (E_CURSOR) for one that was not given to this person for this list.
    """
    sealed = request.args.get("cursor")
    if sealed is None:
        return None
    text, _, seal = sealed.partition(".")
    try:
        mark = unspelled(text).decode()
    except ValueError:
        raise Malformed("E_CURSOR") from None
    if not hmac.compare_digest(_seal(mark).encode(), seal.encode("utf-8", "replace")):
        raise Malformed("E_CURSOR")
    return mark


def page(items: Sequence[Any], mark: str | None, total: int | None = None) -> dict[str, Any]:
    """`{"items", "next", "total"}`; mark is where the next page begins, None at the end."""
    return {"items": list(items), "next": sealed(mark), "total": total}


def sealed(mark: str | None) -> str | None:
    """A mark as it goes out."""
    if mark is None:
        return None
    return f"{spelled(mark.encode())}.{_seal(mark)}"


def _seal(mark: str) -> str:
    actor = who_or_nobody()
    whole = f"{request.path}\n{actor.person_id if actor else ''}\n{mark}"
    seal = hmac.new(settings().secret.encode(), b"cursor:" + whole.encode(), hashlib.sha256)
    return seal.hexdigest()[:32]


def page_schema(item: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a page of such items."""
    return {
        "type": "object",
        "required": ["items", "next", "total"],
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {"type": ["string", "null"]},
            "total": {"type": ["integer", "null"]},
        },
    }
