"""Text: code points, NFC, nothing that depends on a locale."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

from . import limits
from .arithmetic import whole
from .errors import Blank

# Unicode's White_Space, written out: str.strip() and JavaScript's trim() differ from it.
SPACES = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def kept(text: str) -> str | None:
    """A result: NFC, not longer than the limit, blank when empty."""
    if not text:
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    too_long = len(text) > limits.TEXT_BYTES
    if too_long or len(text) * 4 > limits.TEXT_BYTES < len(text.encode()):
        raise Blank("E_TEXT_LENGTH")
    return text


def length(text: str) -> Decimal:
    return Decimal(len(text))


def _count(n: Decimal) -> int:
    if n < 0:
        raise Blank("E_ARGUMENT")
    return whole(n)


def left(text: str, n: Decimal) -> str | None:
    return text[: _count(n)] or None


def right(text: str, n: Decimal) -> str | None:
    count = _count(n)
    return text[-count:] if count else None


def mid(text: str, start: Decimal, n: Decimal) -> str | None:
    """From the start-th code point (1 is the first), n of them."""
    begin, count = whole(start), _count(n)
    if begin < 1:
        raise Blank("E_ARGUMENT")
    return text[begin - 1 : begin - 1 + count] or None


def upper(text: str) -> str | None:
    return kept(text.upper())


def lower(text: str) -> str | None:
    return kept(text.lower())


def trim(text: str) -> str | None:
    return text.strip(SPACES) or None


def contains(text: str, part: str) -> bool:
    return part in text


def starts_with(text: str, part: str) -> bool:
    return text.startswith(part)


def ends_with(text: str, part: str) -> bool:
    return text.endswith(part)


def replace(text: str | None, old: str | None, new: str | None) -> str | None:
    """Every `old` becomes `new`; a blank `old` changes nothing, a blank `new` takes away."""
    if text is None or old is None:
        return text
    grown = len(text) + text.count(old) * (len(new or "") - len(old))
    if grown > limits.TEXT_BYTES:
        raise Blank("E_TEXT_LENGTH")
    return kept(text.replace(old, new or ""))


def concat(*parts: str | None) -> str | None:
    return kept("".join(part for part in parts if part))


def phone_mask(text: str) -> str:
    """138****5678; what is shorter than eight characters is masked whole."""
    if len(text) < 8:
        return "*" * len(text)
    return text[:3] + "*" * (len(text) - 7) + text[-4:]
