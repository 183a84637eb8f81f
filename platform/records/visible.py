"""A form's columns as one asker may know them.

Filter, sort, search, group and count all use these, so that a field somebody may not see tells
them nothing by any of these ways: where the asker may not read it, it is blank.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, true

from ..identity.permissions import Access
from ..identity.rules import Rule, any_of
from .shape import Shape

READABLE = ("read", "write")


def visible(
    asked: Access, shape: Shape, key: str, table: FromClause | None = None
) -> ColumnElement[Any]:
    """The column of a field, blank in the rows where the asker sees it masked or not at all.

    table: the form's table under another name, when it is joined.
    """
    table = shape.table if table is None else table
    rules = _readable(asked, key)
    column = table.c[key]
    return column if rules is None else case((any_of(rules, table), column))


def readable(asked: Access, shape: Shape, key: str) -> ColumnElement[bool]:
    """The rows in which the asker may read a field, among those they may see."""
    rules = _readable(asked, key)
    return true() if rules is None else any_of(rules, shape.table)


def _readable(asked: Access, key: str) -> tuple[Rule, ...] | None:
    """The rules that let the asker read a field; None when all rows they see are among them."""
    if asked.actor.is_system:
        return None
    rules = [rule for rule in asked.all_rules if rule.actions & {"read", "change"}]
    found = tuple(rule for rule in rules if rule.right(key, "change") in READABLE)
    return None if all(rule in found for rule in asked.rules("read")) else found
