"""What makes an `x-fill` sound: it has somewhere to copy from, and somewhere to copy to."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from ..store.errors import Problem
from .fields import FIELD_TYPES, MANY
from .known import Document, known
from .schema_check import At, missing, pointer


def check_fill(
    session: Session, key: str, field: Document, document: Document, at: At
) -> Iterator[Problem]:
    """Values come from the record that a link leads to, or from the `data` of the item that is
    chosen out of a shared list, into fields that people write."""
    fill = field.get("x-fill")
    if fill is None:
        return
    at = (*at, "x-fill")
    fields = document["properties"]
    source = fields.get(fill["from"], {})
    options = source.get("x-options", {})
    listed = source.get("x-widget") == "choice" and options.get("source") == "list"
    if source.get("x-widget") != "link" and not listed:
        yield Problem(pointer(*at, "from"), "E_FILL_FROM", {"name": fill["from"]})
    for target, name in fill["map"].items():
        here = pointer(*at, "map", target)
        its = fields.get(target)
        if its is None:
            yield Problem(here, "E_NO_FIELD", missing(target, fields))
        elif "x-value" in its or its.get("x-written-by") or _is_many(its):
            yield Problem(here, "E_NOT_FILLED", {"name": target})
        elif listed and not _is_data(session, options["list"], name):
            yield Problem(here, "E_NO_DATA", {"name": name, "list": options["list"]})


def _is_many(its: Document) -> bool:
    kind = FIELD_TYPES[its["x-widget"]]
    return kind.generated or kind.storage in MANY


def _is_data(session: Session, key: str, name: str) -> bool:
    """Whether any item of the list has it; of a list that is not there another check tells."""
    document = known(session, "list", key)
    return document is None or any(name in item.get("data", {}) for item in document["items"])
