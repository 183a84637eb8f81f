"""A report as the house reads it: what is asked of which form, by what, drawn how."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.form_scope import Resolve, scope_of
from ...platform.definitions.kinds import Use
from ...platform.definitions.named import uses_of_formula
from ...platform.definitions.options import Text
from ...platform.definitions.schema_check import pointer
from ...platform.definitions.understood import understood
from ...platform.expressions import Scope

#: counted or summed up over records; the others are made of these
OVER_RECORDS = ("count", "sum", "avg", "min", "max", "median", "formula")
#: charts that show one dimension at a time, which the reader chooses
ONE_AT_A_TIME = ("bar", "funnel", "leaderboard")


@dataclass(frozen=True)
class Dimension:
    """A field that the records are grouped by; grain: hour of the day, day, week, … of a date."""

    key: str
    field: str
    title: Text | None
    grain: str | None = None


@dataclass(frozen=True)
class Span:
    """Minutes from one moment (of several fields, the first filled in) to another, counted in the
    open hours of a calendar, on the clock of the record's branch."""

    key: str
    title: Text
    start: tuple[str, ...]
    end: str
    calendar: str


@dataclass(frozen=True)
class Measure:
    """A number of each group.

    kind: `count` of the records, or of those in which `of` is filled in (and is at most `most`);
    `sum`, `avg`, `min`, `max`, `median` of a number field or span; `ratio` of two measures,
    `share` of all groups' total, `formula` over the group's records.
    where: counts only the records for which it holds. show: number, money, percent or minutes.
    """

    key: str
    title: Text
    kind: str
    formula: str = ""
    of: str = ""
    by: str = ""
    where: str | None = None
    most: int | None = None
    show: str = ""


@dataclass(frozen=True)
class Report:
    """A report's version."""

    key: str
    title: Text
    help: Text | None
    form: str
    where: str | None
    date: str | None
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    spans: tuple[Span, ...] = ()
    period: str = "all"
    filters: tuple[str, ...] = ()
    chart: str = "bar"
    steps: tuple[str, ...] = ()
    rank: str = ""
    across: str = ""
    compare: bool = False

    def measure(self, key: str) -> Measure:
        """One of its measures. Raises StopIteration: the check has seen that it is there."""
        return next(measure for measure in self.measures if measure.key == key)

    def span(self, key: str) -> Span | None:
        """One of its spans, if the key is one's."""
        return next((span for span in self.spans if span.key == key), None)

    @property
    def one_at_a_time(self) -> bool:
        """Whether a reader sees it by one of its dimensions, chosen by them."""
        return self.chart in ONE_AT_A_TIME and len(self.dimensions) > 1


def report_of(session: Session, key: str) -> Report:
    """The report in force. Raises NotFound, NotUnderstood."""
    return understood(session, "report", key, read_report)


def read_report(document: Mapping[str, Any]) -> Report:
    """A report from its document, which has passed its check."""
    return Report(
        key=document["key"],
        title=document["title"],
        help=document.get("help"),
        form=document["form"],
        where=document.get("where"),
        date=document.get("date"),
        dimensions=tuple(
            Dimension(d["key"], d["field"], d.get("title"), d.get("grain"))
            for d in document.get("dimensions", ())
        ),
        measures=tuple(map(_measure, document["measures"])),
        spans=tuple(
            Span(s["key"], s["title"], tuple(s["from"]), s["to"], s["calendar"])
            for s in document.get("spans", ())
        ),
        period=document.get("period", "all"),
        filters=tuple(document.get("filters", ())),
        chart=document.get("chart", "bar"),
        steps=tuple(document.get("steps", ())),
        rank=document.get("rank", ""),
        across=document.get("across", ""),
        compare=document.get("compare", False),
    )


def _measure(document: Mapping[str, Any]) -> Measure:
    return Measure(
        document["key"],
        document["title"],
        document.get("kind", "formula"),
        document.get("formula", ""),
        document.get("of", ""),
        document.get("by", ""),
        document.get("where"),
        document.get("most"),
        document.get("show", ""),
    )


def measure_scope(scope: Scope) -> Scope:
    """The names of the rows being summed up: they stand only inside COUNT, SUM, …"""
    return Scope(names=scope.names, labels=scope.labels, links=scope.links, measure=True)


def fields_named(report: Report) -> Iterator[tuple[str, str]]:
    """The fields a report names by their keys, each with its JSON pointer."""
    if report.date is not None:
        yield report.date, "/date"
    for number, key in enumerate(report.filters):
        yield key, pointer("filters", number)
    for number, dimension in enumerate(report.dimensions):
        yield dimension.field, pointer("dimensions", number, "field")
    for number, span in enumerate(report.spans):
        for place, key in enumerate(span.start):
            yield key, pointer("spans", number, "from", place)
        yield span.end, pointer("spans", number, "to")
    for number, measure in enumerate(report.measures):
        over_records = measure.kind in OVER_RECORDS and report.span(measure.of) is None
        if measure.of and over_records:
            yield measure.of, pointer("measures", number, "of")


def uses_of_report(document: Mapping[str, Any], resolve: Resolve) -> Iterator[Use]:
    """Its form, the fields it names and those its formulas name, the calendars it counts by."""
    report = read_report(document)
    yield Use("form", report.form, None, "/form")
    for key, at in fields_named(report):
        yield Use("form", report.form, key, at)
    for number, span in enumerate(report.spans):
        yield Use("calendar", span.calendar, None, pointer("spans", number, "calendar"))
    form = resolve(report.form)
    if form is None:
        return
    scope = scope_of(form, resolve, live=True)
    if report.where is not None:
        yield from uses_of_formula(report.where, "/where", scope, form.key, resolve)
    for number, measure in enumerate(report.measures):
        if measure.where is not None:
            at = pointer("measures", number, "where")
            yield from uses_of_formula(measure.where, at, scope, form.key, resolve)
        if measure.formula:
            at = pointer("measures", number, "formula")
            over = measure_scope(scope)
            yield from uses_of_formula(measure.formula, at, over, form.key, resolve)
