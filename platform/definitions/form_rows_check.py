"""What makes a sub-form sound: its rows are plain fields, each in its place once."""

from collections.abc import Iterator

from ..store.errors import Problem
from .fields import FIELD_TYPES, encrypted
from .known import Document
from .schema_check import At, missing, problem_at, twice

#: a row has no record's page to number it, no home for files, and no rows within rows
NOT_IN_ROWS = ("subform", "serial", "file", "image")
WORDS_NOT_IN_ROWS = ("x-written-by", "x-keep-hidden")
#: what a whole table of rows cannot be or have
WORDS_NOT_OF_ROWS = ("x-value", "x-default", "x-column", "x-encrypted", "x-fill")


def subform(key: str, field: Document, document: Document, at: At) -> Iterator[Problem]:
    """Nothing that means something to a single value only stands at a sub-form itself."""
    if FIELD_TYPES[field["x-widget"]].storage == "rows":
        for word in sorted(set(WORDS_NOT_OF_ROWS) & set(field)):
            yield problem_at((*at, word), "E_IDLE_KEYWORD", name=word, widget=field["x-widget"])


def check_rows(field: Document, at: At) -> Iterator[Problem]:
    """The fields of a sub-form's rows, beyond what is asked of every field."""
    rows = field["items"]
    fields = rows["properties"]
    for key, its in fields.items():
        inner = (*at, "items", "properties", key)
        if its["x-widget"] in NOT_IN_ROWS:
            yield problem_at((*inner, "x-widget"), "E_ROWS_WIDGET", widget=its["x-widget"])
        elif encrypted(its):
            yield problem_at((*inner, "x-encrypted"), "E_ROWS_WORD", name="x-encrypted")
        for word in sorted(set(WORDS_NOT_IN_ROWS) & set(its)):
            yield problem_at((*inner, word), "E_ROWS_WORD", name=word)
        unique = its.get("x-column", {}).get("unique")
        if unique and (unique is True or "parent" not in unique):
            yield problem_at((*inner, "x-column", "unique"), "E_ROWS_UNIQUE")
    yield from _layout(rows, fields, at)
    for position, key in enumerate(rows.get("required", ())):
        if key not in fields:
            here = (*at, "items", "required", position)
            yield problem_at(here, "E_NO_FIELD", **missing(key, fields))


def _layout(rows: Document, fields: Document, at: At) -> Iterator[Problem]:
    """Every field of a row stands in its layout once."""
    order = rows["x-layout"]
    for position, key in twice(order):
        yield problem_at((*at, "items", "x-layout", position), "E_LAYOUT_TWICE", name=key)
    for position, key in enumerate(order):
        if key not in fields:
            here = (*at, "items", "x-layout", position)
            yield problem_at(here, "E_NO_FIELD", **missing(key, fields))
    for key in fields:
        if key not in order:
            here = (*at, "items", "properties", key)
            yield problem_at(here, "E_LAYOUT_MISSING", name=key)
