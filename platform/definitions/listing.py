"""Lists: options that several forms share, such as channels or procedures."""

from functools import lru_cache

from sqlalchemy.orm import Session

from ..store.errors import Problem
from .fields import Field
from .form_check import check_items
from .kinds import Document, Kind
from .options import Options
from .published import Definition, published
from .schema import schema


def check_list(session: Session, document: Document) -> list[Problem]:
    return list(check_items(document["items"], ("items",)))


@lru_cache(maxsize=512)
def options_of(definition: Definition) -> Options:
    """A list's options. Retired ones stay, so that old records keep their labels."""
    return Options.of_items(definition.document["items"])


def choices_of(session: Session, field: Field) -> Options | None:
    """The options of a choice field, from itself or its list; None for other fields."""
    if field.options is None or field.options["source"] == "form":
        return None
    if field.options["source"] == "fixed":
        return field.fixed
    return options_of(published(session, "list", field.options["list"]))


LIST = Kind("list", schema("list"), check_list, order=20)
