"""A rule of a role on one form: which rows, which actions, which fields.

A rule is asked in two ways that must agree (tests compare them): as SQL over the columns of the
form's table, and of one row: its owner, its unit and, for a scope by expression, its values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, false, or_, true

from .actor import Grant
from .forms import Condition, Leading, Look, Sources

ACTIONS = ("read", "create", "change", "retire", "import", "export")
SCOPES = ("own", "unowned", "team", "branch", "subtree", "all")
RIGHTS = ("hidden", "masked", "read", "write")  # from least to most
WRITING = {"create", "change"}


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule as it came to a person: through a role held at a unit.

    scope: `own` the person owns the row · `unowned` nobody does, in the grant's subtree ·
    `team` the grant's own unit · `branch`, `subtree` the grant's unit and all below it · `all`.
    Any other scope covers nothing. condition: of those rows, the ones for which it holds. leading:
    then scope and condition are about records of another form, and the rule covers what these lead
    to.
    fields: the right on a field; `"*"` speaks for the others. sources: what computed and
    defaulted fields follow from. paths: each unit's path by its id.
    """

    key: str
    role: str
    grant: Grant
    person_id: int | None
    actions: frozenset[str]
    scope: str
    fields: Mapping[str, str]
    condition: Condition | None = None
    leading: Leading | None = None
    sources: Mapping[str, Sources] = field(default_factory=dict)
    paths: Mapping[int, str] = field(default_factory=dict, repr=False)

    @property
    def lasting(self) -> bool:
        """Whether it covers the same owners and units for as long as the epoch lasts; otherwise
        it holds the session in which it asks for records and the time."""
        return self.condition is None and self.leading is None

    def where(self, table: FromClause) -> ColumnElement[bool]:
        """The rows it covers, over the form's table (or an alias of it)."""
        if self.leading is not None:
            return self.leading.where(table, self._within)
        within = self._within(table)
        return within if self.condition is None else and_(within, self.condition.where(table))

    def _within(self, table: FromClause) -> ColumnElement[bool]:
        if self.scope == "all":
            return true()
        owner, unit = table.c["_owner"], table.c["_unit"]
        if self.scope == "own":
            return false() if self.person_id is None else owner == self.person_id
        if self.scope == "team":
            return unit == self.grant.unit_id
        # By their ids, not by a question within the question: the database knows how many rows
        # each unit has, and chooses its way by that.
        below = unit.in_([at for at, path in self.paths.items() if self._lies_below(path)])
        if self.scope == "unowned":
            return and_(owner.is_(None), below)
        return below if self.scope in ("branch", "subtree") else false()

    def covers(
        self, owner_id: int | None, unit_id: int | None, unit_path: str, look: Look | None = None
    ) -> bool:
        """Whether it covers a row with this owner and unit (path `""` when it has no unit).

        look: shows the row's values; without it no rule with a condition covers the row.
        """
        if self.leading is not None:
            return look is not None and self.leading.holds(look, self._within)
        if not self.reaches(owner_id, unit_id, unit_path):
            return False
        return self.condition is None or (look is not None and self.condition.holds(look))

    def foresee(self, looks: Iterable[Look]) -> None:
        """Many rows will be asked about one by one: what that takes is asked for at once."""
        if self.leading is not None:
            self.leading.foresee(looks, self._within)

    def reaches(self, owner_id: int | None, unit_id: int | None, unit_path: str) -> bool:
        """`covers`, whatever the row's values are."""
        if self.leading is not None:
            return self.leading.via is not None  # nothing leads to a row that is yet to come
        if self.scope == "all":
            return True
        if self.scope == "own":
            return self.person_id is not None and owner_id == self.person_id
        if self.scope == "team":
            return unit_id == self.grant.unit_id
        below = self._lies_below(unit_path)
        if self.scope == "unowned":
            return owner_id is None and below
        return below and self.scope in ("branch", "subtree")

    def _lies_below(self, path: str) -> bool:
        """Whether a unit of this path is the grant's or under it."""
        return path.startswith(self.grant.unit_path)

    def right(self, name: str, writing: str) -> str:
        """Its right on a field; `write` needs the rule to allow the writing action as well.

        A field that the rule does not name is no way round one that it hides or masks: what
        follows from such a field is as hidden or masked itself.
        """
        right = self._stated(name)
        follows = None if name in self.fields else self.sources.get(name)
        if follows is not None and (follows.computed or right != "write"):
            right = min((right, self._through(follows)), key=RIGHTS.index)
        return "read" if right == "write" and writing not in self.actions else right

    def _stated(self, name: str) -> str:
        default = "write" if self.actions & WRITING else "read"
        return self.fields.get(name) or self.fields.get("*", default)

    def _through(self, follows: Sources) -> str:
        """The most that may be told of a field which follows from these."""
        if any(self._stated(name) == "hidden" for name in follows.named):
            return "hidden"
        masked = any(self._stated(name) == "masked" for name in follows.shown)
        return "masked" if masked else "write"


def any_of(rules: tuple[Rule, ...], table: FromClause) -> ColumnElement[bool]:
    """The rows at least one of the rules covers; none without a rule."""
    return or_(false(), *(rule.where(table) for rule in rules))


def scope_of(document: Mapping[str, Any]) -> tuple[str, str | None]:
    """A rule's scope as written -> (the named scope, the expression within it or None)."""
    scope = document["scope"]
    if isinstance(scope, str):
        return scope, None
    return scope.get("within", "all"), scope["where"]


def leading_of(document: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Of a rule as written, `{"form", "link", "via"?}` when another form's records lead to its
    rows; then the named scope and the expression are about those."""
    scope = document["scope"]
    found: Mapping[str, str] | None = None if isinstance(scope, str) else scope.get("from")
    return found
