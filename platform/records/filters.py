"""An expression over a form's fields -> a condition in SQL, in the asker's own eyes."""

from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from ..definitions.form_scope import form_scope
from ..expressions import BOOL, ExpressionError, check
from ..identity.actor import Actor
from ..identity.permissions import Access
from ..store.errors import Invalid, Problem
from .compute import env_of
from .shape import Shape
from .visible import visible


def filter_clause(
    session: Session, actor: Actor, asked: Access, shape: Shape, text: str
) -> ColumnElement[bool]:
    """Raises Invalid with the place of what is wrong in the expression."""
    from ..expressions.sql import to_sql

    try:
        typed = check(text, form_scope(session, shape.form.key), BOOL)
        columns = {key: visible(asked, shape, key) for key in typed.names}
        env = env_of(session, actor, {}, ZoneInfo(actor.time_zone))
        return to_sql(typed, columns, session.get_bind().dialect.name, env)
    except ExpressionError as error:
        place = {"start": error.start, "end": error.end}
        problem = Problem("/filter", error.code, {**error.params, **place})
        raise Invalid(problems=[problem]) from error
