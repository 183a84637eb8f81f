"""An expression over a form's fields -> a condition in SQL, in the asker's own eyes."""

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from ..definitions.form_scope import form_scope
from ..expressions import BOOL, ExpressionError, check
from ..identity.actor import Actor
from ..identity.permissions import Access
from ..store.errors import Invalid, Problem
from .lowered import lowered
from .shape import Shape


def filter_clause(
    session: Session, actor: Actor, asked: Access, shape: Shape, text: str
) -> ColumnElement[bool]:
    """Raises Invalid with the place of what is wrong in the expression."""
    try:
        typed = check(text, form_scope(session, shape.form.key), BOOL)
        return lowered(session, actor, asked, shape, typed, where=True)
    except ExpressionError as error:
        place = {"start": error.start, "end": error.end}
        problem = Problem("/filter", error.code, {**error.params, **place})
        raise Invalid(problems=[problem]) from error
