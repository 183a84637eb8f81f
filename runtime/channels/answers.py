"""What of an answer is kept for later steps, each as its type's text."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from ...platform.outbound.client import Answer

LONGEST = 2000
Kept = list[list[str]]


def kept_of(answer: Answer, wants: Sequence[Sequence[str]]) -> Kept | None:
    """[[name, type, text], …] of what is wanted and there; what is not, or is something else than
    it was said to be, is left out, and blank in the flow."""
    if not wants:
        return None
    try:
        document = json.loads(answer.body, parse_float=Decimal, parse_constant=_none)
    except (ValueError, RecursionError):
        document = None
    kept = []
    for name, path, kind in wants:
        text = TEXTS[kind](_at(document, path))
        if text is not None:
            kept.append([name, kind, text])
    return kept


def _none(_word: str) -> None:
    """NaN and the infinities are no numbers."""


def _at(document: Any, path: str) -> Any:
    """`data.items.0.id` -> what stands there, or None."""
    for part in path.split("."):
        if isinstance(document, Mapping):
            document = document.get(part)
        elif isinstance(document, list) and part.isdigit() and len(part) < 6:
            document = document[int(part)] if int(part) < len(document) else None
        else:
            return None
    return document


def _text(value: Any) -> str | None:
    """A text; a number is one too, as many systems number what they make."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = str(value)
    sound = len(text) <= LONGEST and all(sign.isprintable() or sign == "\n" for sign in text)
    return text if sound and text else None


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) >= 10**15 or number != round(number, 6):
        return None
    return f"{round(number, 6).normalize():f}"


def _yesno(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None


def _date(value: Any) -> str | None:
    try:
        return date.fromisoformat(value[:10]).isoformat() if isinstance(value, str) else None
    except ValueError:
        return None


TEXTS: dict[str, Callable[[Any], str | None]] = {
    "text": _text,
    "number": _number,
    "yesno": _yesno,
    "date": _date,
}
"""What may be kept: type -> a value's text, or None for what is none."""

TAKES: dict[str, Callable[[str], Any]] = {
    "text": str,
    "number": Decimal,
    "yesno": lambda text: text == "true",
    "date": date.fromisoformat,
}
"""And back again, for expressions."""
