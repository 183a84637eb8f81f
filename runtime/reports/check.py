"""What makes a report sound, and its entry among the kinds of definition."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from ...platform.definitions.form import Form
from ...platform.definitions.form_scope import coming_forms, scope_of
from ...platform.definitions.kinds import Document, Kind
from ...platform.definitions.known import known
from ...platform.definitions.schema_check import missing, pointer, schema, twice
from ...platform.expressions import BOOL, ExpressionError, Scope, Type, Typed, check
from ...platform.store.errors import Problem
from .definition import (
    OVER_RECORDS,
    Dimension,
    Measure,
    Report,
    fields_named,
    measure_scope,
    read_report,
    report_of,
    uses_of_report,
)

GROUPABLE = ("text", "bool", "date", "reference", "whole")
DATED = ("moment", "date")
FILTERABLE = ("choice", "person", "unit", "yesno")
NUMBERS = ("scaled", "whole")

Found = Iterator[Problem]


def check_report(session: Session, document: Document) -> list[Problem]:
    """The form, its fields and the calendars are there, formulas are right, keys are different,
    and the chart has what it needs."""
    report = read_report(document)
    resolve = coming_forms(session)
    form = resolve(report.form)
    if form is None:
        return [Problem("/form", "E_NO_FORM", {"name": report.form})]
    found = [*_twice(report), *_fields(report, form)]
    if found:
        return found
    scope = scope_of(form, resolve, live=True)
    found += [*_measures(report, form, scope), *_chart(report)]
    if report.where is not None:
        found += _formula(report.where, scope, BOOL, "/where")
    for number, span in enumerate(report.spans):
        if known(session, "calendar", span.calendar) is None:
            at = pointer("spans", number, "calendar")
            found.append(Problem(at, "E_REPORT_CALENDAR", {"name": span.calendar}))
    return found


def _twice(report: Report) -> Found:
    for part, keys in (
        ("dimensions", [each.key for each in report.dimensions]),
        ("measures", [each.key for each in report.measures]),
        ("spans", [each.key for each in report.spans]),
    ):
        for number, key in twice(keys):
            yield Problem(pointer(part, number, "key"), "E_KEY_TWICE", {"name": key})


def _fields(report: Report, form: Form) -> Found:
    """Every field there, and of a kind that can be grouped, filtered or dated by."""
    for key, at in fields_named(report):
        if key not in form.fields:
            yield Problem(at, "E_NO_FIELD", missing(key, form.fields))
        elif form.fields[key].encrypted:
            yield Problem(at, "E_NOT_GROUPABLE", {"name": key})
    here = form.fields
    if report.date and report.date in here and here[report.date].storage not in DATED:
        yield Problem("/date", "E_NOT_GROUPABLE", {"name": report.date})
    for number, key in enumerate(report.filters):
        if key in here and here[key].type.name not in FILTERABLE:
            yield Problem(pointer("filters", number), "E_REPORT_FILTER", {"name": key})
    for number, dimension in enumerate(report.dimensions):
        if dimension.field in here:
            yield from _dimension(dimension, form, number)
    for number, span in enumerate(report.spans):
        ends = [(("from", place), key) for place, key in enumerate(span.start)]
        for where, key in [*ends, (("to",), span.end)]:
            if key in here and here[key].storage != "moment":
                at = pointer("spans", number, *where)
                yield Problem(at, "E_REPORT_MOMENT", {"name": key})


def _dimension(dimension: Dimension, form: Form, number: int) -> Found:
    storage = form.fields[dimension.field].storage
    if dimension.grain is None and storage not in GROUPABLE:
        at = pointer("dimensions", number, "field")
        yield Problem(at, "E_NOT_GROUPABLE", {"name": dimension.field})
    fits = ("moment",) if dimension.grain == "hour" else DATED
    if dimension.grain is not None and storage not in fits:
        at = pointer("dimensions", number, "grain")
        yield Problem(at, "E_REPORT_GRAIN", {"name": dimension.field})


def _measures(report: Report, form: Form, scope: Scope) -> Found:
    kinds = {measure.key: measure.kind for measure in report.measures}
    for number, measure in enumerate(report.measures):
        if measure.formula:
            at = pointer("measures", number, "formula")
            yield from _formula(measure.formula, measure_scope(scope), None, at)
        if measure.where is not None:
            at = pointer("measures", number, "where")
            if measure.kind not in OVER_RECORDS or measure.formula:
                yield Problem(at, "E_REPORT_WHERE")
            yield from _formula(measure.where, scope, BOOL, at)
        if measure.kind in ("ratio", "share"):
            for word in ("of", "by")[: 2 if measure.kind == "ratio" else 1]:
                name = getattr(measure, word)
                if kinds.get(name) not in OVER_RECORDS:
                    at = pointer("measures", number, word)
                    yield Problem(at, "E_REPORT_MEASURE", {"name": name})
        else:
            yield from _counted(report, form, measure, number)


def _counted(report: Report, form: Form, measure: Measure, number: int) -> Found:
    """A count may be of any field; every other measure, and a limit, is of numbers."""
    is_span = report.span(measure.of) is not None
    is_number = measure.of in form.fields and form.fields[measure.of].storage in NUMBERS
    needs_number = measure.kind in ("sum", "avg", "min", "max", "median")
    if (needs_number or measure.most is not None) and not (is_span or is_number):
        yield Problem(pointer("measures", number, "of"), "E_REPORT_NUMBER", {"name": measure.of})
    if measure.most is not None and measure.kind != "count":
        yield Problem(pointer("measures", number, "most"), "E_REPORT_MOST")


def _chart(report: Report) -> Found:
    """What a chart is drawn from is there."""
    dimensions = {each.key: each for each in report.dimensions}
    kinds = {each.key: each.kind for each in report.measures}
    for number, step in enumerate(report.steps):
        if kinds.get(step) != "count":
            yield Problem(pointer("steps", number), "E_REPORT_STEP", {"name": step})
    if report.chart == "funnel" and not report.steps:
        yield Problem("/steps", "E_REPORT_STEPS")
    if report.rank and report.rank not in kinds:
        yield Problem("/rank", "E_REPORT_MEASURE", {"name": report.rank})
    if report.chart == "leaderboard" and not (report.rank and dimensions):
        yield Problem("/rank", "E_REPORT_RANK")
    first = report.dimensions[0].grain if report.dimensions else None
    if report.chart == "line" and first in (None, "hour"):
        yield Problem("/dimensions", "E_REPORT_LINE")
    if report.chart == "line" and len(dimensions) > 2:
        yield Problem("/dimensions", "E_REPORT_LINE")
    if report.across and (len(dimensions) != 2 or report.across not in dimensions):
        yield Problem("/across", "E_REPORT_ACROSS")
    if report.chart == "number" and dimensions:
        yield Problem("/dimensions", "E_REPORT_PLAIN")
    if report.compare and report.date is None:
        yield Problem("/compare", "E_REPORT_COMPARE")


def _formula(text: str, scope: Scope, expect: Type | None, at: str) -> Found:
    try:
        typed: Typed = check(text, scope, expect)
    except ExpressionError as error:
        place = {"start": error.start, "end": error.end}
        yield Problem(at, error.code, {**error.params, **place})
        return
    if expect is None and typed.type.kind != "number":
        yield Problem(at, "E_EXPECT", {"wanted": "number", "found": str(typed.type)})


REPORT = Kind(
    "report",
    schema("report"),
    check_report,
    order=70,
    uses=uses_of_report,
    read=lambda session, key, _document: report_of(session, key),
)
