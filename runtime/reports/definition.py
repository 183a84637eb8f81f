"""A report as the house reads it, and what makes one sound."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.definitions.form_scope import Resolve, coming_forms, scope_of
from ...platform.definitions.kinds import Document, Kind, Use
from ...platform.definitions.named import uses_of_formula
from ...platform.definitions.options import Text
from ...platform.definitions.schema_check import missing, pointer, schema, twice
from ...platform.expressions import BOOL, ExpressionError, Scope, Type, Typed, check
from ...platform.store.errors import Problem

GROUPABLE = ("text", "bool", "date", "reference", "whole")


@dataclass(frozen=True)
class Dimension:
    """A field that the records are grouped by."""

    key: str
    field: str
    title: Text | None


@dataclass(frozen=True)
class Measure:
    """A number of each group, as a formula over its records."""

    key: str
    title: Text
    formula: str


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
            Dimension(d["key"], d["field"], d.get("title")) for d in document.get("dimensions", ())
        ),
        measures=tuple(Measure(m["key"], m["title"], m["formula"]) for m in document["measures"]),
    )


def measure_scope(scope: Scope) -> Scope:
    """The names of the rows being summed up: they stand only inside COUNT, SUM, …"""
    return Scope(names=scope.names, labels=scope.labels, links=scope.links, measure=True)


def check_report(session: Session, document: Document) -> list[Problem]:
    """The form and its fields are there, formulas are right, keys are different."""
    report = read_report(document)
    resolve = coming_forms(session)
    form = resolve(report.form)
    if form is None:
        return [Problem("/form", "E_NO_FORM", {"name": report.form})]
    scope = scope_of(form, resolve)
    found = list(_fields(report, form))
    if report.where is not None:
        found += _formula(report.where, scope, BOOL, "/where")
    for number, measure in enumerate(report.measures):
        at = pointer("measures", number, "formula")
        found += _formula(measure.formula, measure_scope(scope), None, at)
    for part, keys in (("dimensions", report.dimensions), ("measures", report.measures)):
        for number, key in twice(each.key for each in keys):
            found.append(Problem(pointer(part, number, "key"), "E_KEY_TWICE", {"name": key}))
    return found


def _fields(report: Report, form: Form) -> Iterator[Problem]:
    named: list[tuple[str, str, tuple[str, ...]]] = [
        (dimension.field, pointer("dimensions", number, "field"), GROUPABLE)
        for number, dimension in enumerate(report.dimensions)
    ]
    if report.date:
        named.append((report.date, "/date", ("moment", "date")))
    for key, at, storages in named:
        field: Field | None = form.fields.get(key)
        if field is None:
            yield Problem(at, "E_NO_FIELD", missing(key, form.fields))
        elif field.storage not in storages or field.encrypted:
            yield Problem(at, "E_NOT_GROUPABLE", {"name": key})


def _formula(text: str, scope: Scope, expect: Type | None, at: str) -> Iterator[Problem]:
    try:
        typed: Typed = check(text, scope, expect)
    except ExpressionError as error:
        place = {"start": error.start, "end": error.end}
        yield Problem(at, error.code, {**error.params, **place})
        return
    if expect is None and typed.type.kind != "number":
        yield Problem(at, "E_EXPECT", {"wanted": "number", "found": str(typed.type)})


def uses_of_report(document: Mapping[str, Any], resolve: Resolve) -> Iterator[Use]:
    """Its form, the fields it groups by, and those its formulas name."""
    report = read_report(document)
    yield Use("form", report.form, None, "/form")
    if report.date is not None:
        yield Use("form", report.form, report.date, "/date")
    for number, dimension in enumerate(report.dimensions):
        at = pointer("dimensions", number, "field")
        yield Use("form", report.form, dimension.field, at)
    form = resolve(report.form)
    if form is None:
        return
    scope = scope_of(form, resolve)
    if report.where is not None:
        yield from uses_of_formula(report.where, "/where", scope, form.key, resolve)
    for number, measure in enumerate(report.measures):
        at = pointer("measures", number, "formula")
        over = measure_scope(scope)
        yield from uses_of_formula(measure.formula, at, over, form.key, resolve)


REPORT = Kind("report", schema("report"), check_report, order=70, uses=uses_of_report)
