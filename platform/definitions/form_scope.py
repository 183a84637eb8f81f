"""What a formula may name when it is about a form's records."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ..expressions import (
    BOOL,
    DATE,
    DATETIME,
    MONEY,
    PERSON,
    TEXT,
    Scope,
    Type,
    list_of,
    number,
    row,
)
from ..store.errors import NotFound, NotUnderstood
from .fields import Field
from .form import Form, form_of, read_form
from .known import known
from .published import Entry, entries, published
from .understood import MISREAD, misread

Resolve = Callable[[str], Form | None]
PLAIN = {"text": TEXT, "bool": BOOL, "date": DATE, "datetime": DATETIME, "person": PERSON}


def type_of(field: Field) -> Type:
    """The type a formula sees: several choices are a list of texts, a link is a row, a sub-form
    is a list of rows."""
    name = field.type.expression
    if field.rows is not None:
        return list_of(row(field.rows.key))
    if name == "money":
        return MONEY if field.scale == MONEY.scale else Type("money", scale=field.scale)
    if name == "number":
        return number(field.scale)
    if name == "list":
        return list_of(TEXT)
    if name == "row":
        return row(field.link_form or field.type.name)
    return PLAIN[name]


def scope_of(form: Form, resolve: Resolve, live: bool = False, valued: bool = False) -> Scope:
    """The form's fields by key and by label; a link leads on to the form `resolve` gives, a
    sub-form to its rows (`form.field`).

    live: with the fields that are computed when read, for what is asked in SQL as the asker
    (filters, reports); nothing else knows their values. valued: for the computed values, which
    alone may follow from the records that link here; those of a sub-form's rows may not.
    """
    known = {key: field for key, field in form.fields.items() if live or not field.live}

    def linked(key: str) -> Scope | None:
        name, _, field = key.partition(".")
        target = form if name == form.key else resolve(name)
        if target is not None and field:
            its = target.fields.get(field)
            target = None if its is None else its.rows
        return None if target is None else scope_of(target, resolve)

    return Scope(
        names={key: type_of(field) for key, field in known.items()},
        labels=_labels(known),
        links=linked,
        form=form.key if valued and "." not in form.key else None,
    )


def scopes_of(form: Form, resolve: Resolve) -> Callable[[str], Scope]:
    """What a form's formulas may name, by the keyword they stand under: of all, computed values
    alone (`x-value`) are `valued`."""
    plain, valued = scope_of(form, resolve), scope_of(form, resolve, valued=True)
    return lambda word: valued if word == "x-value" else plain


def _labels(fields: Mapping[str, Field]) -> dict[str, str]:
    """Labels in either language that only one field has."""
    found: dict[str, str | None] = {}
    for key, field in fields.items():
        titles = {field.title} if isinstance(field.title, str) else set(field.title.values())
        for title in titles:
            found[title] = None if title in found else key
    return {title: key for title, key in found.items() if key is not None}


def published_forms(session: Session) -> Resolve:
    """Links lead to the forms in force."""

    def resolve(key: str) -> Form | None:
        try:
            return form_of(published(session, "form", key))
        except NotFound:  # units and people are no forms
            return None

    return resolve


def form_entries(session: Session) -> list[Entry]:
    """Every form in force that this version can read, by key."""
    return [e for e in entries(session, "form") if readable_form(session, e.key) is not None]


def readable_form(session: Session, key: str) -> Form | None:
    """The form in force; None where there is none, or none that this version can read."""
    try:
        return form_of(published(session, "form", key))
    except (NotFound, NotUnderstood):
        return None


def coming_forms(session: Session) -> Resolve:
    """Links lead to the forms that will be in force once the pack at hand is in. One check asks
    for the same forms again and again, so each is read once."""
    read: dict[str, Form | None] = {}

    def resolve(key: str) -> Form | None:
        if key not in read:
            document: Any = known(session, "form", key)
            read[key] = None if document is None else read_known(key, document)
        return read[key]

    return resolve


def read_known(key: str, document: Any) -> Form:
    """A form that is in force or comes with the pack at hand. Raises NotUnderstood."""
    try:
        return read_form(document)
    except MISREAD as error:
        raise misread("form", key, 0, document, error) from error


def form_scope(session: Session, key: str, live: bool = False) -> Scope:
    """The scope of a published form's records, see `scope_of`. Raises NotFound."""
    return scope_of(form_of(published(session, "form", key)), published_forms(session), live)
