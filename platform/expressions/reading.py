"""A field's value as the evaluators see it: one blank, one kind of number, known types only."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from .arithmetic import decimal_of
from .scope import Type

_LISTS = (list, tuple)


def _number(value: Any) -> Any:
    return decimal_of(value)


def _text(value: Any) -> Any:
    if isinstance(value, time):
        return value.isoformat("minutes")
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _bool(value: Any) -> Any:
    return value if value is True or value is False else None


def _date(value: Any) -> Any:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _moment(value: Any) -> Any:
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def _duration(value: Any) -> Any:
    return value if isinstance(value, timedelta) else None


def _reference(value: Any) -> Any:
    return None if value is None or value == "" else value


def _rows(value: Any) -> Any:
    """A sub-form's rows as they are: none of them is blank."""
    return value if value and isinstance(value, _LISTS) else None


def _any(value: Any) -> Any:
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return decimal_of(value)
    return None if value == "" or value == [] else value


_READERS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "text": _text,
    "bool": _bool,
    "date": _date,
    "datetime": _moment,
    "duration": _duration,
    "person": _reference,
    "row": _reference,
    "any": _any,
}


def reader(kind: Type) -> Callable[[Any], Any]:
    """The function that brings a stored value of this type into the evaluators' form."""
    if kind.name == "list" and kind.of is not None and kind.of.name == "row":
        return _rows
    if kind.name == "list":
        item = reader(kind.of) if kind.of is not None else _any

        def _list(value: Any) -> Any:
            if not value or not isinstance(value, _LISTS):
                return None
            found = [one for one in map(item, value) if one is not None]
            return found or None

        return _list
    return _READERS.get(kind.kind, _any)
