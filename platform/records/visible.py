"""A form's columns as one asker may know them.

Filter, sort, search, group and count all use these, so that a field somebody may not see tells
them nothing by any of these ways: where the asker may not read it, it is blank.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, case

from ..identity.permissions import Access
from ..identity.rules import any_of
from .shape import Shape

READABLE = ("read", "write")


def visible(
    asked: Access, shape: Shape, key: str, table: FromClause | None = None
) -> ColumnElement[Any]:
    """The column of a field, blank in the rows where the asker sees it masked or not at all.

    table: the form's table under another name, when it is joined.
    """
    table = shape.table if table is None else table
    column = table.c[key]
    if asked.actor.is_system:
        return column
    rules = [rule for rule in asked.all_rules if rule.actions & {"read", "change"}]
    readable = tuple(rule for rule in rules if rule.right(key, "change") in READABLE)
    if all(rule in readable for rule in asked.rules("read")):
        return column
    return case((any_of(readable, table), column))
