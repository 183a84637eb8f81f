"""An answer as a page draws it: every word in the reader's language, every length a share of 100.

Lengths are attributes of inline SVG, texts stand beside it in HTML: nothing is unreadable on a
phone, and nothing needs script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ...platform.definitions.form import Form
from ...platform.web.words import say, text
from .behind import url_behind
from .definition import Dimension, Measure
from .figures import change, shown, way_of
from .measures import Number, divided
from .run import Answer, Group

MOST_BARS = 24  # as many as a day has hours


@dataclass(frozen=True)
class Figure:
    """A number in words; url leads to the records behind it, empty when there are none."""

    words: str
    url: str = ""
    number: bool = True


@dataclass(frozen=True)
class Headline:
    """A number above a chart. direction: up, down, same or none beside the period before."""

    title: str
    figure: Figure
    direction: str = ""
    change: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar of a chart: share is its length out of 100. more: further numbers in words."""

    name: str
    figure: Figure
    share: float
    rank: int | None = None
    more: Sequence[str] = ()


@dataclass(frozen=True)
class Step:
    """A step of a funnel. points: its outline; rate: of the step before; overall: of the first."""

    name: str
    figure: Figure
    points: str
    rate: str
    overall: str


@dataclass(frozen=True)
class Table:
    """heads: title, and whether it is of numbers; rows of figures; total: the last row."""

    heads: Sequence[Mapping[str, Any]]
    rows: Sequence[Sequence[Figure]]
    total: Sequence[Figure] = field(default_factory=tuple)


@dataclass(frozen=True)
class Pen:
    """What drawing goes by."""

    answer: Answer
    form: Form
    language: str

    def say(self, key: str, **params: Any) -> str:
        return say(self.language, key, **params)

    def title(self, measure: Measure) -> str:
        return text(measure.title, self.language)

    def way(self, measure: Measure) -> str:
        return way_of(self.answer.report, self.form, measure)

    def words(self, measure: Measure, number: Number) -> str:
        return shown(number, self.way(measure), self.language)

    def figure(self, measure: Measure, group: Group) -> Figure:
        """A number of a group, leading to its records when it has any."""
        number = group.numbers[measure.key]
        has_any = number is not None and (number or measure.kind not in ("count", "sum"))
        url = self.url(measure, group) if has_any else ""
        return Figure(self.words(measure, number), url)

    def url(self, measure: Measure, group: Group) -> str:
        dimensions = self.answer.dimensions if group.keys else ()
        at = {each.key: key for each, key in zip(dimensions, group.keys, strict=True)}
        return url_behind(self.answer.report, self.answer.question, measure.key, at)

    def name(self, dimension: Dimension, key: Any) -> str:
        if key is None:
            return self.say("page.blank")
        return self.answer.names[dimension.key].get(key) or f"#{key}"

    def group_name(self, group: Group) -> str:
        pairs = zip(self.answer.dimensions, group.keys, strict=True)
        return " · ".join(self.name(dimension, key) for dimension, key in pairs)


def headlines(pen: Pen, keys: Sequence[str]) -> list[Headline]:
    """The total's numbers, each beside the same of the period before where that is asked for."""
    answer = pen.answer
    found = []
    for key in keys:
        measure = answer.report.measure(key)
        figure = pen.figure(measure, answer.total)
        if answer.before is None:
            found.append(Headline(pen.title(measure), figure))
            continue
        way = pen.way(measure)
        now, then = answer.total.numbers[key], answer.before.numbers[key]
        found.append(Headline(pen.title(measure), figure, *change(now, then, way, pen.language)))
    return found


def bars(pen: Pen) -> list[Bar]:
    """The groups by their first measure, or by what a leaderboard ranks by; a percentage is drawn
    out of 100, everything else out of the greatest."""
    report = pen.answer.report
    first = report.measure(report.rank) if report.rank else report.measures[0]
    groups = pen.answer.groups[:MOST_BARS]
    numbers = [group.numbers[first.key] or Decimal(0) for group in groups]
    most = max([Decimal(1) if pen.way(first) == "percent" else Decimal(0), *numbers])
    others = [each for each in report.measures if each is not first]
    return [
        Bar(
            pen.group_name(group),
            pen.figure(first, group),
            share_of(number, most),
            group.rank,
            tuple(
                f"{pen.title(each)} {pen.words(each, group.numbers[each.key])}" for each in others
            )
            if report.chart == "leaderboard"
            else (),
        )
        for group, number in zip(groups, numbers, strict=True)
    ]


def share_of(number: Decimal, most: Decimal) -> float:
    """How long to draw a number when the greatest is 100; nothing for what is less than nothing."""
    share = divided(max(number, Decimal(0)), most)
    return round(float(share * 100), 2) if share is not None else 0.0


def funnel(pen: Pen) -> list[Step]:
    """The steps one under the other, each as wide as its share of the first; the outline runs on
    to the width of the next."""
    report, total = pen.answer.report, pen.answer.total
    steps = [report.measure(key) for key in report.steps]
    counts = [total.numbers[key] or Decimal(0) for key in report.steps]
    widths = [min(share_of(count, max(counts)), 100.0) for count in counts]
    found = []
    for number, (measure, count) in enumerate(zip(steps, counts, strict=True)):
        before = counts[number - 1] if number else None
        found.append(
            Step(
                pen.title(measure),
                pen.figure(measure, total),
                _outline(widths[number], widths[min(number + 1, len(widths) - 1)]),
                shown(divided(count, before), "percent", pen.language) if number else "",
                shown(divided(count, counts[0]), "percent", pen.language),
            )
        )
    return found


def _outline(above: float, below: float) -> str:
    """A trapezium in a box of 100 by 20; a hair wide even where nobody came."""
    top, low = max(above, 0.8) / 2, max(below, 0.8) / 2
    corners = ((50 - top, 0), (50 + top, 0), (50 + low, 20), (50 - low, 20))
    return " ".join(f"{x:g},{y:g}" for x, y in corners)


def table(pen: Pen) -> Table:
    """All groups with all their numbers; the last row is of all together."""
    answer = pen.answer
    if answer.report.across:
        return pivot(pen)
    heads = [
        {"title": text(column.title, pen.language), "number": column.kind == "measure"}
        for column in answer.columns
    ]
    if answer.report.rank:
        heads.insert(0, {"title": pen.say("report.rank"), "number": True})
    rows = [list(_row(pen, group)) for group in answer.groups]
    total = [Figure("", number=False)] * (len(heads) - len(answer.report.measures))
    if total:
        total[0] = Figure(pen.say("page.report.total"), number=False)
    total += [pen.figure(measure, answer.total) for measure in answer.report.measures]
    return Table(heads, rows, total) if answer.dimensions else Table(heads, [total])


def _row(pen: Pen, group: Group) -> Iterator[Figure]:
    if pen.answer.report.rank:
        yield Figure("" if group.rank is None else str(group.rank))
    for dimension, key in zip(pen.answer.dimensions, group.keys, strict=True):
        yield Figure(pen.name(dimension, key), number=False)
    for measure in pen.answer.report.measures:
        yield pen.figure(measure, group)


def pivot(pen: Pen) -> Table:
    """The first measure, one dimension down and the other across."""
    answer = pen.answer
    measure = answer.report.measures[0]
    across = 0 if answer.dimensions[0].key == answer.report.across else 1
    down = 1 - across
    columns = _in_order(answer, across)
    cells = {(group.keys[down], group.keys[across]): group for group in answer.groups}
    heads = [{"title": text(answer.columns[down].title, pen.language), "number": False}]
    heads += [
        {"title": pen.name(answer.dimensions[across], key), "number": True} for key in columns
    ]
    rows = []
    for key in _in_order(answer, down):
        row = [Figure(pen.name(answer.dimensions[down], key), number=False)]
        for column in columns:
            group = cells.get((key, column))
            row.append(Figure("") if group is None else pen.figure(measure, group))
        rows.append(row)
    return Table(heads, rows)


def _in_order(answer: Answer, place: int) -> list[Any]:
    """A dimension's keys: dates and hours in their order, others as the groups come."""
    keys = list(dict.fromkeys(group.keys[place] for group in answer.groups))
    if answer.dimensions[place].grain is not None:
        keys.sort(key=lambda key: (key is None, str(key).zfill(2)))
    return keys
