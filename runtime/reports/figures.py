"""Numbers in words. Here, and only here, they are rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from ...platform.definitions.form import Form
from ...platform.web.words import say
from .definition import Measure, Report
from .measures import Number

NOTHING = "—"
HOUR = 60


def way_of(report: Report, form: Form, measure: Measure) -> str:
    """How a measure's numbers are shown: number, money, percent or minutes."""
    if measure.show:
        return measure.show
    if measure.kind in ("ratio", "share"):
        return "percent"
    if measure.kind == "count" or not measure.of:
        return "number"
    if report.span(measure.of) is not None:
        return "minutes"
    name = form.fields[measure.of].type.name
    return name if name in ("money", "percent") else "number"


def shown(number: Number, way: str, language: str) -> str:
    """A number as people read it; a dash where there is none."""
    if number is None:
        return NOTHING
    if way == "percent":
        return _plain(number * 100, 1) + "%"
    if way == "money":
        return "¥" + _plain(number, 2)
    if way == "minutes":
        return _minutes(number, language)
    return _plain(number, 2)


def _plain(number: Decimal, places: int) -> str:
    """Thousands apart, no idle zeros, no negative zero."""
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0
    text = f"{rounded:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _minutes(number: Decimal, language: str) -> str:
    whole = int(number.quantize(Decimal(1), ROUND_HALF_UP))
    if whole < HOUR:
        return say(language, "report.minutes", n=_plain(number, 1))
    return say(language, "report.hours", h=f"{whole // HOUR:,}", m=whole % HOUR)


def change(now: Number, before: Number, way: str, language: str) -> tuple[str, str]:
    """How much more or less than before: the direction (up, down, same, none) and the words.

    A percentage changes by points, everything else by its share of what it was.
    """
    if now is None or before is None:
        return "none", NOTHING
    if way == "percent":
        points = (now - before) * 100
        words = say(language, "report.points", n=_plain(abs(points), 1))
        return _direction(points), words
    if not before:
        return ("same", _plain(Decimal(0), 1) + "%") if not now else ("none", NOTHING)
    share = (now - before) / abs(before) * 100
    return _direction(share), _plain(abs(share), 1) + "%"


def _direction(number: Decimal) -> str:
    return "up" if number > 0 else "down" if number < 0 else "same"
