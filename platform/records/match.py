"""Whether a record is there already, by its form's match rule.

The rule is a list of groups of fields; the first group whose fields are all filled in decides.
A field may be taken by its day (`received_at:day`), the branch's day.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from .shape import Shape

Key = tuple[Any, ...]  # (number of the group, its values)
AT_ONCE = 200


def match_key(shape: Shape, values: Mapping[str, Any], zone: tzinfo) -> Key | None:
    """What tells this record from another; None when no group is filled in."""
    for number, group in enumerate(shape.form.match):
        found = [values.get(field) for field, _ in group]
        if all(value is not None and value != "" for value in found):
            parts = zip(found, group, strict=True)
            return (number, *(_part(value, by, zone) for value, (_, by) in parts))
    return None


def _part(value: Any, by: str, zone: tzinfo) -> Any:
    return value.astimezone(zone).date() if by == "day" and isinstance(value, datetime) else value


def existing(session: Session, shape: Shape, keys: Iterable[Key], zone: tzinfo) -> dict[Key, int]:
    """Those of the keys that live records have, each with the record's id."""
    found: dict[Key, int] = {}
    wanted = set(keys)
    for number, group in enumerate(shape.form.match):
        ours = [key for key in wanted if key[0] == number]
        for start in range(0, len(ours), AT_ONCE):
            found |= _existing(session, shape, number, group, ours[start : start + AT_ONCE], zone)
    return {key: at for key, at in found.items() if key in wanted}


def _existing(
    session: Session,
    shape: Shape,
    number: int,
    group: tuple[tuple[str, str], ...],
    keys: list[Key],
    zone: tzinfo,
) -> dict[Key, int]:
    """Asked of the database by the fields as they are; days are compared here, in the zone."""
    table = shape.table
    exact = [i for i, (_, by) in enumerate(group) if not by]
    columns = [table.c[group[i][0]] for i in exact]
    kept = [
        tuple(shape.to_columns({group[i][0]: key[i + 1]})[group[i][0]] for i in exact)
        for key in keys
    ]
    query = select(table.c._id, *(table.c[field] for field, _ in group)).where(
        tuple_(*columns).in_(kept), table.c._retired_at.is_(None)
    )
    found: dict[Key, int] = {}
    for row in session.execute(query).mappings():
        values = {
            field: value
            for field, _ in group
            if (value := shape.to_value(field, row[field])) is not None
        }
        key = (number, *(_part(values.get(field), by, zone) for field, by in group))
        found.setdefault(key, row["_id"])
    return found
