"""JSON without its liberties: no key twice, no NaN, nothing too deep, no unstorable letters."""

import json
from collections.abc import Mapping
from typing import Any

from ..definitions.schema_check import pointer

MOST_DEEP = 60
MOST_FILE = 2 * 1024 * 1024
"""Bytes of one file. The longest definition known has a tenth of it."""


class Unread(ValueError):
    """A file that is not understood: the code of what is wrong, its params, and where inside."""

    def __init__(self, code: str, at: str = "", **params: Any) -> None:
        super().__init__(code)
        self.code, self.at, self.params = code, at, params


def loads(content: bytes) -> Any:
    """Read JSON in UTF-8. Raises Unread."""
    if len(content) > MOST_FILE:
        raise Unread("E_PACK_FILE_SIZE", most=MOST_FILE // 1024 // 1024)
    try:
        written = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unread("E_PACK_ENCODING", byte=error.start + 1) from None
    if written.startswith("\ufeff"):
        raise Unread("E_PACK_ENCODING", byte=1)
    try:
        found = json.loads(
            written, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_float
        )
    except json.JSONDecodeError as error:
        raise Unread("E_PACK_SYNTAX", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise Unread("E_PACK_DEEP", most=MOST_DEEP) from None
    except Unread:
        raise
    except ValueError:  # a whole number of thousands of digits
        raise Unread("E_PACK_NUMBER", number="…") from None
    _look_through(found)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Unread("E_PACK_KEY_TWICE", key=key[:40])
        found[key] = value
    return found


def _refuse(word: str) -> Any:
    raise Unread("E_PACK_NUMBER", number=word)


def _float(word: str) -> float:
    value = float(word)
    if value in (float("inf"), float("-inf")):
        raise Unread("E_PACK_NUMBER", number=word[:40])
    return value


def _look_through(found: Any) -> None:
    """Neither too deep nor with letters that no database keeps. Its own stack, not Python's."""
    rest: list[tuple[Any, tuple[str | int, ...]]] = [(found, ())]
    while rest:
        value, at = rest.pop()
        if len(at) > MOST_DEEP:
            raise Unread("E_PACK_DEEP", most=MOST_DEEP)
        if isinstance(value, Mapping):
            for key, inner in value.items():
                _letters(key, at)
                rest.append((inner, (*at, key)))
        elif isinstance(value, list):
            rest.extend((inner, (*at, place)) for place, inner in enumerate(value))
        elif isinstance(value, str):
            _letters(value, at)


def _letters(written: str, at: tuple[str | int, ...]) -> None:
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in written):
        raise Unread("E_PACK_LETTER", pointer(*at))
