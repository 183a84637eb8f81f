"""A sub-form's rows on their way in: read and settled one by one, each problem in its place.

A row is judged as a small record of its own. A problem's path says which: `/items/2/price`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from sqlalchemy.orm import Session

from ..definitions.faults import Fault
from ..definitions.field_rows import checked
from ..definitions.fields import Field, is_blank
from ..definitions.form import Form
from ..definitions.schema_check import nearest, pointer
from ..store.errors import Problem
from .choices import choices_of

Values = dict[str, Any]
#: (a row's form, its values, those before it or None for a new row) -> its values, its problems
Settle = Callable[[Form, Mapping[str, Any], Mapping[str, Any] | None], tuple[Values, list[Problem]]]


def read_rows(
    session: Session, field: Field, value: object, zone: tzinfo
) -> tuple[list[Values] | None, list[Problem]]:
    """JSON rows -> Python rows, and what is wrong with them. Raises Fault for what is no table.

    What is computed may be sent again as it was read; it is computed anew in any case.
    """
    if is_blank(value):
        return None, []
    rows: list[Values] = []
    problems: list[Problem] = []
    for at, given in enumerate(checked(field, value)):
        row, wrong = _read_row(session, field, given, zone)
        if not row and not wrong:
            wrong = [Problem("", "E_ROW_BLANK")]
        rows.append(row)
        problems += within(field, at, wrong)
    return rows, problems


def _read_row(
    session: Session, field: Field, given: Mapping[str, Any], zone: tzinfo
) -> tuple[Values, list[Problem]]:
    assert field.rows is not None
    fields = field.rows.fields
    row: Values = {}
    problems: list[Problem] = []
    for key, value in given.items():
        its = fields.get(key)
        if its is None:
            named = {"name": key[:40], "nearest": nearest(key, fields)}
            problems.append(Problem(pointer(key), "E_UNKNOWN_FIELD", named))
        elif its.by_people:
            try:
                taken = its.take(value, choices_of(session, its), zone)
            except Fault as fault:
                problems.append(Problem(pointer(key), fault.code, fault.params))
            else:
                if taken is not None:
                    row[key] = taken
    return row, problems


def settle_rows(
    form: Form, values: Values, before: Mapping[str, Any] | None, settle: Settle
) -> list[Problem]:
    """Work out every row of a record's sub-forms, in place: defaults of rows that are new (told
    by their places), what is shown, what is computed, what is required."""
    problems: list[Problem] = []
    for key, field in form.fields.items():
        if field.rows is None or not values.get(key):
            continue
        were: Sequence[Mapping[str, Any]] = (before or {}).get(key) or ()
        rows = []
        for at, given in enumerate(values[key]):
            row, wrong = settle(field.rows, given, were[at] if at < len(were) else None)
            rows.append(row)
            problems += within(field, at, wrong)
        values[key] = rows
    return problems


def twice_in_rows(field: Field, rows: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Values that stand in an earlier row of the record already, in fields that are unique."""
    assert field.rows is not None
    for key, its in field.rows.fields.items():
        if its.unique is None:
            continue
        names = (key, *(name for name in its.unique if name != "parent"))
        first: dict[tuple[Any, ...], int] = {}
        for at, row in enumerate(rows):
            compared = tuple(row.get(name) for name in names)
            if None not in compared and first.setdefault(compared, at) != at:
                row_said = {"row": first[compared] + 1}
                yield Problem(pointer(field.key, at, key), "E_UNIQUE_ROW", row_said)


def within(field: Field, at: int, problems: Sequence[Problem]) -> Iterator[Problem]:
    """A row's problems as the record's."""
    place = pointer(field.key, at)
    return (replace(problem, path=place + problem.path) for problem in problems)
