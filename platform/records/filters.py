"""An expression over a form's fields -> a condition in SQL, in the asker's own eyes."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from ..definitions.form_scope import form_scope
from ..expressions import BOOL, ExpressionError, Typed, check
from ..identity.actor import Actor
from ..identity.permissions import Access
from ..store.errors import Invalid, Problem
from ..store.kept import kept_few
from .lowered import lowered
from .shape import Shape
from .visible import known_fields


def filter_clause(
    session: Session, actor: Actor, asked: Access, shape: Shape, text: str
) -> ColumnElement[bool]:
    """Raises Invalid with the place of what is wrong in the expression."""
    key = shape.form.key
    try:
        typed = kept_few(session, ("filters", key), text, lambda: _read(session, key, text))
        return lowered(session, actor, asked, shape, typed, where=True)
    except ExpressionError as error:
        place = {"start": error.start, "end": error.end}
        code, params = _told(asked, shape, error)
        raise Invalid(problems=[Problem("/filter", code, {**params, **place})]) from error


def _read(session: Session, form_key: str, text: str) -> Typed:
    return check(text, form_scope(session, form_key, live=True), BOOL)


def _told(asked: Access, shape: Shape, error: ExpressionError) -> tuple[str, dict[str, Any]]:
    """The error, without a nearest name that the asker has not been told otherwise."""
    params = dict(error.params)
    if error.code != "E_NO_NAME_NEAR":
        return error.code, params
    known = set()
    for key in known_fields(asked, shape):
        title = shape.form.fields[key].title
        known |= {key, *([title] if isinstance(title, str) else title.values())}
    if params["near"] in known:
        return error.code, params
    del params["near"]
    return "E_NO_NAME", params
