"""A line over time: points as shares of a box of 100 by 100, with nothing left out between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from .draw import Pen, share_of
from .groups import bucket_name
from .measures import Number

MOST_LINES = 4
MOST_POINTS = 400
LABELS = 4  # along the bottom
MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Line:
    """One line. paths: its unbroken parts; dots: a mark for each point; style: 1 to 4, by which
    lines differ in more than colour."""

    name: str
    paths: Sequence[str]
    dots: Sequence[str]
    style: int


@dataclass(frozen=True)
class Plot:
    """Lines with what stands at their axes, from the top down and from left to right."""

    lines: Sequence[Line]
    heights: Sequence[str]
    days: Sequence[str]
    left_out: int


def plot(pen: Pen) -> Plot | None:
    """The first measure over the first dimension, a line for each group of the second.

    Where a period has no records a count or sum is nought, and any other number breaks the line.
    """
    answer, measure = pen.answer, pen.answer.report.measures[0]
    grain = answer.dimensions[0].grain or "day"
    keys = [group.keys[0] for group in answer.groups if group.keys[0] is not None]
    if not keys:
        return None
    every = buckets(min(keys), max(keys), grain)[-MOST_POINTS:]
    nought = Decimal(0) if measure.kind in ("count", "sum") else None
    series: dict[Any, dict[str, Number]] = {}
    for group in answer.groups:
        line = series.setdefault(group.keys[1] if len(group.keys) > 1 else None, {})
        line[group.keys[0]] = group.numbers[measure.key]
    largest = sorted(series, key=lambda name: -sum(map(_size, series[name].values())))
    chosen = largest[:MOST_LINES]
    numbers = {name: [series[name].get(key, nought) for key in every] for name in chosen}
    most = max((_size(number) for line in numbers.values() for number in line), default=Decimal(0))
    most = max(most, Decimal(1) if pen.way(measure) == "percent" else Decimal(0)) or Decimal(1)
    several = len(answer.dimensions) > 1
    lines = [
        Line(
            pen.name(answer.dimensions[1], name) if several else pen.title(measure),
            *_drawn(line, most),
            style,
        )
        for style, (name, line) in enumerate(numbers.items(), 1)
    ]
    heights = [
        pen.words(measure, most),
        pen.words(measure, most / 2),
        pen.words(measure, Decimal(0)),
    ]
    return Plot(lines, heights, _days(every, grain, pen.language), len(largest) - len(chosen))


def _size(number: Number) -> Decimal:
    return number or Decimal(0)


def buckets(first: str, last: str, grain: str) -> list[str]:
    """The first days of all periods from one to another, both included."""
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    found = []
    while day <= end:
        found.append(day.isoformat())
        if grain in MONTHS:
            month = day.month - 1 + MONTHS[grain]
            day = date(day.year + month // 12, month % 12 + 1, 1)
        else:
            day += timedelta(days=7 if grain == "week" else 1)
    return found


def _drawn(numbers: Sequence[Number], most: Decimal) -> tuple[list[str], list[str]]:
    """The unbroken parts of a line, and its dots."""
    width = max(len(numbers) - 1, 1)
    parts: list[list[str]] = [[]]
    for place, number in enumerate(numbers):
        if number is None:
            parts.append([])
            continue
        x = 100 * place / width if len(numbers) > 1 else 50
        parts[-1].append(f"{x:.2f} {100 - share_of(number, most):.2f}")
    points = [point for part in parts for point in part]
    return ["M" + " L".join(part) for part in parts if len(part) > 1], points


def _days(every: Sequence[str], grain: str, language: str) -> list[str]:
    """A few of the periods' names, evenly spread, the first and the last among them."""
    count = min(LABELS, len(every))
    places = [round(number * (len(every) - 1) / max(count - 1, 1)) for number in range(count)]
    return [bucket_name(grain, every[place], language) for place in places]
