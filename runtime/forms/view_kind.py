"""Views as packs bring them: a kind of definition, checked against its form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.definitions.form_scope import Resolve, coming_forms, scope_of
from ...platform.definitions.kinds import Document, Kind, Use
from ...platform.definitions.named import uses_of_formula
from ...platform.definitions.schema_check import missing, pointer, schema, twice
from ...platform.expressions import BOOL, ExpressionError, check
from ...platform.records.lists import SYSTEM_SORTS
from ...platform.records.narrow import operators
from ...platform.store.errors import Problem
from .asked import BOARD, CALENDAR, TABLE

#: what a field must be to serve in a place of a board or a calendar
SERVES: dict[tuple[str, str], tuple[str, ...]] = {
    (BOARD, "by"): ("choice",),
    (CALENDAR, "by"): ("date", "datetime"),
    (CALENDAR, "until"): ("datetime",),
    (CALENDAR, "rows"): ("person", "choice", "unit", "text"),
}


def serves(its: Field, shown_as: str, place: str) -> bool:
    """Whether a field may stand in a place of a board or a calendar."""
    return its.type.name in SERVES.get((shown_as, place), ()) and not its.encrypted


def check_view(session: Session, document: Document) -> list[Problem]:
    """The form and its fields are there, each fit for where it stands."""
    resolve = coming_forms(session)
    form = resolve(document["form"])
    if form is None:
        return [Problem("/form", "E_NO_FORM", {"name": document["form"]})]
    return [
        *_places(document, form),
        *_columns(document, form),
        *_conditions(document, form),
        *_formula(document, form, resolve),
    ]


def _places(document: Document, form: Form) -> Iterator[Problem]:
    shown_as = document.get("as", TABLE)
    if shown_as != TABLE and "by" not in document:
        yield Problem("/by", "E_VIEW_BY")
    for place in ("by", "until", "rows"):
        key = document.get(place)
        if key is None:
            continue
        if key not in form.fields:
            yield Problem(f"/{place}", "E_NO_FIELD", missing(key, form.fields))
        elif not serves(form.fields[key], shown_as, place):
            widgets = ", ".join(SERVES.get((shown_as, place), ()))
            yield Problem(f"/{place}", "E_FIELD_KIND", {"name": key, "widgets": widgets})


def _columns(document: Document, form: Form) -> Iterator[Problem]:
    named = [(pointer("columns", at), key) for at, key in enumerate(document.get("columns", ()))]
    sort = document.get("sort", "").removeprefix("-")
    if sort and sort not in SYSTEM_SORTS:
        named.append(("/sort", sort))
    for at, key in named:
        if key not in form.fields:
            yield Problem(at, "E_NO_FIELD", missing(key, form.fields))


def _conditions(document: Document, form: Form) -> Iterator[Problem]:
    for number, asks in enumerate(document.get("conditions", ())):
        at = pointer("conditions", number)
        its = form.fields.get(asks["field"])
        if its is None:
            yield Problem(f"{at}/field", "E_NO_FIELD", missing(asks["field"], form.fields))
        elif asks["operator"] not in operators(its):
            params = {"name": asks["operator"], "known": ", ".join(operators(its))}
            yield Problem(f"{at}/operator", "E_VIEW_OPERATOR", params)
    for number, key in twice(asks["key"] for asks in document.get("conditions", ())):
        yield Problem(pointer("conditions", number, "key"), "E_KEY_TWICE", {"name": key})


def _formula(document: Document, form: Form, resolve: Resolve) -> Iterator[Problem]:
    if "filter" in document:
        try:
            check(document["filter"], scope_of(form, resolve, live=True), BOOL)
        except ExpressionError as error:
            place = {"start": error.start, "end": error.end}
            yield Problem("/filter", error.code, {**error.params, **place})


def uses_of_view(document: Mapping[str, Any], resolve: Resolve) -> Iterator[Use]:
    """Its form, and every field it shows or asks about."""
    key = document["form"]
    yield Use("form", key, None, "/form")
    for place in ("by", "until", "rows"):
        if place in document:
            yield Use("form", key, document[place], f"/{place}")
    for number, name in enumerate(document.get("columns", ())):
        yield Use("form", key, name, pointer("columns", number))
    for number, asks in enumerate(document.get("conditions", ())):
        yield Use("form", key, asks["field"], pointer("conditions", number, "field"))
    sort = document.get("sort", "").removeprefix("-")
    form = resolve(key)
    if form is not None and sort in form.fields:
        yield Use("form", key, sort, "/sort")
    if form is not None and "filter" in document:
        scope = scope_of(form, resolve, live=True)
        yield from uses_of_formula(document["filter"], "/filter", scope, key, resolve)


VIEW = Kind("view", schema("view"), check_view, order=80, uses=uses_of_view)
