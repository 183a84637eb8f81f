"""What a call sends: expressions' values as JSON, each in its place of the body."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...platform.expressions import Type
from .formula import Formula

IDS = ("row", "person")
"""Types whose whole numbers are ids; those are texts in JSON."""


def sent_value(formula: Formula, value: Any) -> Any:
    """A value as JSON, as the API has it: whole numbers are numbers, decimals texts, moments UTC, a
    record its id."""
    type_ = formula.typed.type if formula.typed is not None else None
    return _json(value, type_)


def _json(value: Any, type_: Type | None) -> Any:
    inner = type_.of if type_ is not None else None
    match value:
        case None | bool() | str():
            return value
        case int():
            return str(value) if type_ is not None and type_.name in IDS else value
        case Decimal():
            scale = type_.scale if type_ is not None else 0
            return f"{max(value, round(value, scale), key=_decimals):f}"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case timedelta():
            return int(value.total_seconds())
        case Mapping() if "_id" in value:
            return str(value["_id"])
        case Mapping():
            return {key: _json(one, None) for key, one in value.items()}
        case list() | tuple():
            return [_json(one, inner) for one in value]
    return str(value)


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def body_with(values: Iterable[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    """The body: each value at its path, in the order in which they were written."""
    body: dict[str, Any] = {}
    for path, value in values:
        at = body
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1]] = value
    return body
