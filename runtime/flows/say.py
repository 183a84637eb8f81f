"""What a message's gaps stand for, as a customer reads it."""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from ...platform.definitions.field_time import show_minute
from ..actions.commands import Named
from ..actions.sight import Sight
from ..steps.graph import NotifyStep


def values_of(sight: Sight, step: NotifyStep, names: Mapping[str, Named]) -> dict[str, str]:
    """Each gap's words, worked out as things stand now."""
    found: dict[str, str] = {}
    for key, formula in step.values:
        found[key] = worded(formula.run(sight.env(names)), sight.zone)
    return found


def worded(value: Any, zone: tzinfo) -> str:
    """A value in figures and letters that read the same in every language."""
    if isinstance(value, datetime):
        return show_minute(value, zone)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, str | int):
        return str(value)
    return ""
