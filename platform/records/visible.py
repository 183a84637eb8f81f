"""A form's columns as one asker may know them.

Filter, sort, search, group, count and the names of linked records all use these, so that a field
somebody may not see tells them nothing by any of these ways: where they may not read it, it is
blank.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, true

from ..identity.permissions import Access
from ..identity.rules import RIGHTS, Rule, any_of
from ..store.found_by import COLUMN as FOUND_BY
from ..store.found_by import in_order as name_in_order
from .shape import Shape


def visible(
    asked: Access, shape: Shape, key: str, table: FromClause | None = None, least: str = "read"
) -> ColumnElement[Any]:
    """The column of a field, blank in the rows where the asker has less than this right on it.

    table: the form's table under another name, when it is joined. least: `masked` for a caller
    that masks what it shows.
    """
    table = shape.table if table is None else table
    return _or_blank(_with_right(asked, key, least), table, table.c[key])


def in_order(asked: Access, shape: Shape, key: str) -> ColumnElement[Any]:
    """What rows are put in order by for a field: a name in Chinese by its pinyin."""
    table = shape.table
    named = key == shape.form.label and shape.form.fields[key].type.name == "text"
    column = name_in_order(table.c[FOUND_BY]) if named else table.c[key]
    return _or_blank(_with_right(asked, key, "read"), table, column)


def blank_unless(
    asked: Access, key: str, table: FromClause, column: ColumnElement[Any]
) -> ColumnElement[Any]:
    """What stands for a field, blank in the rows where the asker may not read it."""
    return _or_blank(_with_right(asked, key, "read"), table, column)


def _or_blank(
    rules: tuple[Rule, ...] | None, table: FromClause, column: ColumnElement[Any]
) -> ColumnElement[Any]:
    """The column, in those rows alone that one of the rules covers; in all where it is None."""
    return column if rules is None else case((any_of(rules, table), column))


def readable(
    asked: Access, shape: Shape, key: str, table: FromClause | None = None
) -> ColumnElement[bool]:
    """The rows in which the asker may read a field, among those they may see."""
    rules = _with_right(asked, key, "read")
    return true() if rules is None else any_of(rules, shape.table if table is None else table)


def ever_readable(asked: Access, key: str) -> bool:
    """Whether the asker may read a field in some row that they may see."""
    rules = _with_right(asked, key, "read")
    return asked.may("read") and (rules is None or bool(rules))


def known_fields(asked: Access, shape: Shape) -> list[str]:
    """The fields that the asker sees, if only masked, in some row: no other is named to them."""
    if asked.actor.is_system:
        return list(shape.form.fields)
    rules = [rule for rule in asked.all_rules if rule.actions & {"read", "change"}]
    return [
        key
        for key in shape.form.fields
        if any(rule.right(key, "change") != "hidden" for rule in rules)
    ]


def _with_right(asked: Access, key: str, least: str) -> tuple[Rule, ...] | None:
    """The rules that give the asker this right on a field; None when all rows they see are
    among those these cover."""
    if asked.actor.is_system:
        return None
    enough = RIGHTS[RIGHTS.index(least) :]
    rules = [rule for rule in asked.all_rules if rule.actions & {"read", "change"}]
    found = tuple(rule for rule in rules if rule.right(key, "change") in enough)
    return None if all(rule in found for rule in asked.rules("read")) else found
