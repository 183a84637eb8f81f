"""Values against a form: every problem with the field it belongs to."""

from collections.abc import Mapping
from datetime import tzinfo
from functools import lru_cache
from typing import Any

import jsonschema_rs
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..definitions.faults import Fault
from ..definitions.fields import Field, is_blank
from ..definitions.form import Form, values_schema
from ..definitions.schema_check import nearest, pointer
from ..identity.actor import Actor
from ..store.errors import Problem
from ..store.locks import exclusive
from ..store.session import transaction
from .choices import choices_of, missing_reference
from .row_values import read_rows, twice_in_rows, within
from .shape import Shape

#: what JSON Schema's own words are called here; the rest is E_SCHEMA
SCHEMA_CODES = {
    "pattern": "E_PATTERN",
    "minLength": "E_TOO_SHORT",
    "maxLength": "E_TOO_LONG",
    "minimum": "E_TOO_SMALL",
    "maximum": "E_TOO_LARGE",
}


def read_values(
    session: Session,
    form: Form,
    given: Mapping[str, Any],
    rights: Mapping[str, str],
    zone: tzinfo,
) -> tuple[dict[str, Any], list[Problem]]:
    """JSON values -> Python values of the fields the writer may write, and what is wrong.

    A field the writer may not see is as unknown to them as one that does not exist.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in given.items():
        field = form.fields.get(key)
        if field is None or rights[key] == "hidden":
            seen = [known for known in form.fields if rights[known] != "hidden"]
            named = {"name": key[:40], "nearest": nearest(key, seen)}
            problems.append(Problem(pointer(key), "E_UNKNOWN_FIELD", named))
        elif rights[key] != "write":
            problems.append(Problem(pointer(key), "E_READ_ONLY"))
        else:
            try:
                if field.rows is not None:
                    values[key], wrong = read_rows(session, field, value, zone)
                    problems += wrong
                else:
                    values[key] = field.take(value, choices_of(session, field), zone)
            except Fault as fault:
                problems.append(Problem(pointer(key), fault.code, fault.params))
    return values, problems


def required_problems(
    form: Form, values: Mapping[str, Any], needed: Mapping[str, bool]
) -> list[Problem]:
    """Fields that have to be filled in and are not. needed: what `x-required` came to."""
    return [
        Problem(pointer(key), "E_REQUIRED")
        for key, field in form.fields.items()
        if (field.required or needed.get(key)) and is_blank(values.get(key))
    ]


@lru_cache(maxsize=512)
def _validator(form: Form) -> jsonschema_rs.Draft202012Validator:
    schema = values_schema(form)
    schema.pop("required", None)  # `required_problems` says it by field, together with x-required
    return jsonschema_rs.Draft202012Validator(schema, pattern_options=jsonschema_rs.RegexOptions())


def schema_problems(form: Form, values: Mapping[str, Any]) -> list[Problem]:
    """What the form's own JSON Schema says to the values as JSON."""
    shown = {
        key: form.fields[key].give(value) for key, value in values.items() if value is not None
    }
    validator = _validator(form)
    if validator.is_valid(shown):
        return []
    return [_schema_problem(form, error) for error in validator.iter_errors(shown)]


def _schema_problem(form: Form, error: jsonschema_rs.ValidationError) -> Problem:
    at, keyword = error.instance_path[:1], _keyword(error)
    its = form.fields.get(str(at[0])) if at else None
    if its is not None and its.rows is not None and len(error.instance_path) > 2:
        at = error.instance_path[:3]
        its = its.rows.fields.get(str(at[2]))
    limit = its.schema.get(keyword) if its else None
    params = {"detail": error.message[:200], "most": limit, "least": limit}
    return Problem(pointer(*at), SCHEMA_CODES.get(keyword, "E_SCHEMA"), params)


def _keyword(error: jsonschema_rs.ValidationError) -> str:
    return str(error.schema_path[-1]) if error.schema_path else ""


def link_problems(
    session: Session, actor: Actor, form: Form, values: Mapping[str, Any], keys: Mapping[str, Any]
) -> list[Problem]:
    """References (among the changed `keys`) to what does not exist for the writer."""
    problems: list[Problem] = []
    for key, field in form.fields.items():
        if key not in keys or values.get(key) is None:
            continue
        if field.rows is not None:
            for at, row in enumerate(values[key]):
                wrong = link_problems(session, actor, field.rows, row, row)
                problems += within(field, at, wrong)
        elif field.type.storage == "reference":
            if missing_reference(session, actor, field, values[key]):
                problems.append(Problem(pointer(key), "E_LINK"))
    return problems


def unique_problems(
    session: Session,
    shape: Shape,
    values: Mapping[str, Any],
    unit_id: int,
    record_id: int | None,
) -> list[Problem]:
    """Values another live record has already, in fields that are unique.

    The index has the last word; this says it by field before anything is written. Where a field
    that a value is unique within is blank, nothing is compared, as in the index. In a sub-form the
    rows of the record itself are compared.
    """
    problems: list[Problem] = []
    for key, field in shape.form.fields.items():
        if field.rows is not None:
            problems += twice_in_rows(field, values.get(key) or ())
        elif field.unique is None or any(
            values.get(name) is None for name in (key, *field.unique) if name != "unit"
        ):
            continue
        elif _taken(session, shape, field, values, unit_id, record_id):
            problems.append(Problem(pointer(key), "E_UNIQUE"))
    return problems


def _taken(
    session: Session,
    shape: Shape,
    field: Field,
    values: Mapping[str, Any],
    unit_id: int,
    record_id: int | None,
) -> bool:
    table = shape.table
    if field.encrypted and not shape.keys.is_settled() and transaction(session).writing:
        # While entries of the blind index are written anew the unique index sees two of them as
        # different, so writers ask one after the other.
        exclusive(session, f"unique {shape.form.key}.{field.key}")
    same = [
        table.c._unit == unit_id if name == "unit" else shape.equals(name, values[name])
        for name in (field.key, *(field.unique or ()))
    ]
    query = select(table.c._id).where(*same, table.c._retired_at.is_(None))
    if record_id is not None:
        query = query.where(table.c._id != record_id)
    return session.execute(query.limit(1)).first() is not None
