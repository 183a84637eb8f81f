"""The platform's own kinds of definition. A form's effect is its table, so they are named here."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from ..definitions.calendars import CALENDAR
from ..definitions.form_check import check_form
from ..definitions.form_scope import published_forms, read_known
from ..definitions.form_uses import uses_of_form
from ..definitions.formulas import formulas_of
from ..definitions.kinds import Document, Kind, register
from ..definitions.listing import LIST
from ..definitions.role import ROLE
from ..definitions.schema_check import schema
from ..definitions.uses import removed_in_use
from ..store.errors import Problem
from . import (
    conditions,  # permissions ask it about forms
    found_again,  # noqa: F401  a job of the store's
)
from .reshape import shape_table


def check_form_among_others(session: Session, document: Document) -> list[Problem]:
    """What is wrong with the form itself, and what others would miss once it is in force."""
    found = [*check_form(session, document), *removed_in_use(session, document)]
    if found:
        return found
    return [
        *conditions.live_refused(session, document),
        *conditions.lookups_refused(session, document),
    ]


def read(session: Session, key: str, document: Mapping[str, Any]) -> object:
    """The form's formulas, for which all of it is read."""
    return formulas_of(read_known(key, document), published_forms(session))


FORM = Kind(
    "form",
    schema("form"),
    check_form_among_others,
    shape_table,
    order=30,
    holds=True,
    uses=uses_of_form,
    read=read,
)

for kind in (CALENDAR, LIST, FORM, ROLE):
    register(kind)
