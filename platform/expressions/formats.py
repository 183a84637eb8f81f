"""Formats of TEXT: read once when the text is checked, stored in one spelling."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(#,##)?0(?:\.(0{1,10}))?(%)?")
_TOKEN = re.compile(r"[yY]+|[mM]+|[dD]+|[hH]+|[sS]+|[A-Za-z]|[^A-Za-z]")
_SPELLING = {
    "y": {4: "yyyy"},
    "d": {1: "d", 2: "dd"},
    "h": {1: "H", 2: "HH"},
    "s": {1: "s", 2: "ss"},
}


def number_format(text: str) -> str | None:
    """`0`, `0.00`, `#,##0.00`, `0%`, `0.0%` as `<grouped><decimals><percent>`, e.g. "g2-".

    None for anything else.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    grouped, decimals, percent = match.groups()
    return f"{'g' if grouped else '-'}{len(decimals or '')}{'%' if percent else '-'}"


def date_format(text: str) -> str | None:
    """A pattern of yyyy MM M dd d HH H mm m ss s and signs, in that one spelling.

    As in Excel `m` means minutes right after hours or right before seconds, else months;
    other letters are refused (None), Chinese and punctuation stand as they are.
    """
    tokens = _TOKEN.findall(text)
    units = [token[0].lower() for token in tokens if token[0].isascii() and token[0].isalpha()]
    written: list[str] = []
    at = -1
    for token in tokens:
        letter = token[0].lower() if token[0].isascii() and token[0].isalpha() else ""
        if not letter:
            written.append(token)
            continue
        at += 1
        if letter == "m" and len(token) <= 2:
            before = units[at - 1] if at else ""
            after = units[at + 1] if at + 1 < len(units) else ""
            minutes = before == "h" or after == "s"
            written.append(("m" if minutes else "M") * len(token))
        elif len(token) in _SPELLING.get(letter, {}):
            written.append(_SPELLING[letter][len(token)])
        else:
            return None
    return "".join(written) if units and len(text) <= 60 else None


def needs_clock(pattern: str) -> bool:
    """Whether a stored date pattern asks for hours, minutes or seconds."""
    return re.search("[Hms]", pattern) is not None
