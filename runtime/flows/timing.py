"""Durations and moments as a flow's document writes them."""

import re
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any, Protocol

from ..actions.commands import When
from ..actions.formula import Formula

DURATION = re.compile(r"(-?)([1-9][0-9]{0,4})([mhdw])\Z")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Formulas(Protocol):
    """Makes a formula of an expression's text.

    at: its JSON pointer. expect: `bool`, `moment`, `list` or None. over: the form whose records
    alone it is about; None when it may use the flow's names. rows: an expression that gives a
    list, each of whose rows' fields it may use beside the flow's names.
    """

    def __call__(
        self,
        text: str,
        at: str,
        expect: str | None = None,
        over: str | None = None,
        rows: str | None = None,
    ) -> Formula: ...


def offset(text: str) -> timedelta:
    """`15m`, `2h`, `3d`, `1w`, or `-3d`; ValueError for anything else."""
    match = DURATION.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration")
    length = timedelta(**{UNITS[match[3]]: int(match[2])})
    return -length if match[1] else length


def duration(text: str) -> timedelta:
    """`15m`, `2h`, `3d`, `1w`; ValueError for anything else, one that runs backwards among it."""
    length = offset(text)
    if length < timedelta():
        raise ValueError(f"{text!r} is no duration")
    return length


def when_of(
    document: Mapping[str, Any], at: str, formulas: Formulas, calendar: str | None = None
) -> When:
    """A moment (`$defs/when`). calendar: the step's own, which a duration's hours default to."""
    until, after = document.get("until"), document.get("after")
    return When(
        duration=duration(document["for"]) if "for" in document else None,
        until=formulas(until, f"{at}/until", "moment") if until else None,
        offset=offset(document["offset"]) if "offset" in document else None,
        clock=time.fromisoformat(document["at"]) if "at" in document else None,
        day=document.get("day"),
        after=formulas(after, f"{at}/after", "moment") if after else None,
        calendar=document.get("calendar", calendar),
    )


def due_of(
    document: str | Mapping[str, Any], at: str, formulas: Formulas, calendar: str | None
) -> When:
    """A due time: a duration in the step's calendar, or a moment that records decide."""
    if isinstance(document, str):
        return When(duration(document), calendar=calendar)
    return when_of(document, at, formulas)
