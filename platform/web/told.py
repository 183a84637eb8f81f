"""What a page needs again and again: a refusal in words, choices of units, a field of a form."""

from __future__ import annotations

from typing import Any

from flask import request
from sqlalchemy.orm import Session

from ..identity.tree import tree
from ..store.errors import Refusal
from .body import number
from .parts import Trouble
from .request import language
from .words import say, text


def told(refusal: Refusal) -> list[Trouble]:
    """A refusal as the lines above the form: its problems, or itself when it names none."""
    found = [Trouble(said(one.code, one.params), one.path.strip("/")) for one in refusal.problems]
    return found or [Trouble(said(refusal.code, refusal.params))]


def said(code: str, params: Any) -> str:
    """A code in the asker's words."""
    return say(language(), f"problem.{code}", **params)


def unit_choices(session: Session, chosen: int | None = None) -> list[dict[str, Any]]:
    """Every unit for a select, indented by its depth: id, title, chosen."""
    return [
        {
            "id": str(place.id),
            "title": "\u2003" * (place.path.count("/") - 2) + text(place.title, language()),
            "chosen": place.id == chosen,
        }
        for place in tree(session).places.values()
    ]


def sent(name: str, longest: int = 400) -> str:
    """A field of the form that was sent, without space around it."""
    return request.form.get(name, "").strip()[:longest]


def sent_id(name: str) -> int:
    """An id out of the form. Raises Malformed."""
    return number(request.form.get(name))
