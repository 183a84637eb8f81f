"""The text as it is stored: English function names, keys for labels, plain punctuation.

Only the tokens that need it are rewritten; the author's spacing and line breaks stay.
"""

from __future__ import annotations

from collections.abc import Mapping

from lark import Token

from .functions import function_named
from .parse import SIGNS, tokens

_WORDS = {"TRUE": "TRUE", "FALSE": "FALSE", "NULL": "NULL"}
_PLAIN = {"LPAR": "(", "RPAR": ")", "_COMMA": ",", "_DOT": ".", **SIGNS, **_WORDS}


def canonical(text: str, keys_at: Mapping[int, str]) -> str:
    """`keys_at`: end of a label in the text -> the key it stands for."""
    written: list[str] = []
    stream = tokens(text)
    end = 0
    for at, token in enumerate(stream):
        gap = text[end : token.start_pos].replace("\u3000", " ").replace("\xa0", " ")
        following = stream[at + 1].type if at + 1 < len(stream) else ""
        word = _word(token, following, keys_at)
        glued = not gap and written and _joins(written[-1][-1:], word[:1])
        written.append(gap + (" " if glued else "") + word)
        end = token.end_pos or 0
    return "".join(written).strip()


def _word(token: Token, following: str, keys_at: Mapping[int, str]) -> str:
    written = str(token.value)
    if token.type == "WORD":
        function = function_named(written) if following == "LPAR" else None
        return function.name if function else written
    if token.type == "LABEL":
        return keys_at.get(token.end_pos or 0, written)
    if token.type == "STRING":
        if written[0] == '"':
            return written
        inner = written[1:-1].replace('"', '""')
        return f'"{inner}"'
    if token.type in ("AND", "OR", "NOT", "IN") and written.isascii():
        return written.upper() if following == "LPAR" else written
    return _PLAIN.get(token.type, written)


def _joins(before: str, after: str) -> bool:
    return (before.isalnum() or before == "_") and (after.isalnum() or after == "_")
