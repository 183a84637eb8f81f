"""A rule of a role on one form: which rows, which actions, which fields.

A rule is asked in two ways that must agree (a test compares them): as SQL over the system
columns of the form's table, and of one row's owner and unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, false, or_, select, true

from .actor import Grant
from .model import Unit

ACTIONS = ("read", "create", "change", "retire", "import", "export")
SCOPES = ("own", "unowned", "team", "branch", "subtree", "all")
RIGHTS = ("hidden", "masked", "read", "write")  # from least to most
WRITING = {"create", "change"}


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule as it came to a person: through a role held at a unit.

    scope: `own` the person owns the row · `unowned` nobody does, in the grant's subtree ·
    `team` the grant's own unit · `branch`, `subtree` the grant's unit and all below it · `all`.
    Any other scope covers nothing. fields: the right on a field; `"*"` speaks for the others.
    """

    key: str
    role: str
    grant: Grant
    person_id: int | None
    actions: frozenset[str]
    scope: str
    fields: Mapping[str, str]

    def where(self, table: FromClause) -> ColumnElement[bool]:
        """The rows it covers, over `_owner` and `_unit` of the form's table."""
        if self.scope == "all":
            return true()
        owner, unit = table.c["_owner"], table.c["_unit"]
        if self.scope == "own":
            return false() if self.person_id is None else owner == self.person_id
        if self.scope == "team":
            return unit == self.grant.unit_id
        below = unit.in_(
            select(Unit.id).where(Unit.path.startswith(self.grant.unit_path, autoescape=True))
        )
        if self.scope == "unowned":
            return and_(owner.is_(None), below)
        return below if self.scope in ("branch", "subtree") else false()

    def covers(self, owner_id: int | None, unit_id: int | None, unit_path: str) -> bool:
        """Whether it covers a row with this owner and unit (path `""` when it has no unit)."""
        if self.scope == "all":
            return True
        if self.scope == "own":
            return self.person_id is not None and owner_id == self.person_id
        if self.scope == "team":
            return unit_id == self.grant.unit_id
        below = unit_path.startswith(self.grant.unit_path)
        if self.scope == "unowned":
            return owner_id is None and below
        return below and self.scope in ("branch", "subtree")

    def right(self, field: str, writing: str) -> str:
        """Its right on a field; `write` needs the rule to allow the writing action as well."""
        default = "write" if self.actions & WRITING else "read"
        right = self.fields.get(field) or self.fields.get("*", default)
        return "read" if right == "write" and writing not in self.actions else right


def rule_of(role: str, grant: Grant, person_id: int | None, document: Mapping[str, Any]) -> Rule:
    """A rule as written in a role document: `{"key","actions","scope","fields"?}`."""
    scope = document["scope"]
    return Rule(
        document["key"],
        role,
        grant,
        person_id,
        frozenset(document["actions"]),
        scope if isinstance(scope, str) else "",
        document.get("fields", {}),
    )


def any_of(rules: tuple[Rule, ...], table: FromClause) -> ColumnElement[bool]:
    """The rows at least one of the rules covers; none without a rule."""
    return or_(false(), *(rule.where(table) for rule in rules))
