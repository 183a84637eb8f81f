"""A group's keys: to JSON and back, and what they are called, as far as the reader may know."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from ...platform.definitions.faults import Fault
from ...platform.definitions.field_time import read_date
from ...platform.records.choices import choices_of, labels
from ...platform.store.errors import Malformed
from ...platform.web.words import say
from .definition import Dimension
from .lens import Lens

LARGEST = 2**63


def key_of(value: Any) -> Any:
    """A group's key as JSON: ids, hours and dates are texts."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def key_text(key: Any) -> str:
    """A key in an address, or as the key of a JSON object."""
    return str(key).lower() if isinstance(key, bool) else str(key)


def value_of(lens: Lens, dimension: Dimension, key: Any) -> Any:
    """What stands in the group's column for a key. Raises Malformed for what is none."""
    storage = lens.field(dimension.field).storage
    try:
        if dimension.grain == "hour" or storage in ("reference", "whole"):
            number = int(key)
            if not -LARGEST <= number < LARGEST:
                raise ValueError(key)
            return number
        return read_date(key) if dimension.grain or storage == "date" else key
    except (Fault, ValueError) as error:
        raise Malformed("E_REPORT_GROUP", name=str(key)[:40]) from error


def called(
    lens: Lens, dimension: Dimension, keys: Collection[Any], language: str
) -> dict[Any, str]:
    """What keys of a dimension are called; of a linked record that the reader may not see,
    nothing."""
    if dimension.grain is not None:
        return {key: bucket_name(dimension.grain, key, language) for key in keys}
    its = lens.field(dimension.field)
    values = {key: value_of(lens, dimension, key) for key in keys}
    if its.link_form is not None:
        named = labels(lens.session, lens.actor, its.link_form, set(values.values()))
        return {key: named[value] for key, value in values.items() if value in named}
    choices = choices_of(lens.session, its)
    zone = ZoneInfo(lens.actor.time_zone)
    return {key: its.show(value, language, choices, zone) for key, value in values.items()}


def bucket_name(grain: str, key: str, language: str) -> str:
    """An hour of the day, or the day, week, month, quarter or year that begins on a date."""
    if grain == "hour":
        return say(language, "report.hour", hour=f"{int(key):02d}:00")
    first = date.fromisoformat(key)
    return say(
        language,
        f"report.grain.{grain}",
        day=key,
        month_name=say(language, f"report.month.{first.month}"),
        quarter=(first.month + 2) // 3,
        year=first.year,
    )
