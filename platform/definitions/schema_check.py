"""The JSON Schemas of the kinds, kept in the folder schemas, and questions several checks ask."""

import json
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema_rs import RegexOptions, validator_for

from ..store.errors import Problem

# What JSON Schema's engines read differently: Unicode classes. A class in brackets says it plainly.
LOOSE_CLASSES = ("\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\b", "\\B")


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a kind."""
    text = (files(__package__) / "schemas" / f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901): ("properties", "a/b") -> "/properties/a~1b"."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


At = tuple[str | int, ...]
"""A place in a document, as `pointer` takes it."""


def problem_at(at: At, code: str, **params: Any) -> Problem:
    """What is wrong at a place."""
    return Problem(pointer(*at), code, params)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like this one; "" when none is near."""
    return next(iter(get_close_matches(name, list(known), 1, 0.5)), "")


def twice(names: Iterable[str]) -> list[tuple[int, str]]:
    """The names that were there before, each with its position."""
    seen: set[str] = set()
    again = []
    for position, name in enumerate(names):
        if name in seen:
            again.append((position, name))
        seen.add(name)
    return again


def pattern_fault(pattern: str) -> str | None:
    """Why a pattern will not do: E_PATTERN_UNSAFE, E_PATTERN_CLASS or None.

    RE2's language only (no look-around, no back-references), so that no text can hang it.
    """
    try:
        validator_for({"pattern": pattern}, pattern_options=RegexOptions())
    except ValueError:
        return "E_PATTERN_UNSAFE"
    return "E_PATTERN_CLASS" if any(name in pattern for name in LOOSE_CLASSES) else None


def missing(name: str, known: Collection[str]) -> dict[str, str]:
    """The parameters of "there is no such …": the name and the nearest one there is."""
    return {"name": name, "nearest": nearest(name, known)}
