"""What a person may do, asked in one place by pages, API, lists, links, counts and exports.

A role's document gives rights that are platform-wide (`"definitions.write"`) and, for each form
(`"*"`: for every form the role does not name), rules. All grants of a person add up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, select, true
from sqlalchemy.orm import Session

from ..store.errors import NotAllowed
from ..store.kept import FEW, kept_few
from ..store.session import moment
from .actor import Actor, Grant
from .forms import Condition, Leading, Look, Sources, forms
from .model import GrantRow, Person
from .roles import role_document
from .rules import ACTIONS, RIGHTS, Rule, any_of, leading_of, scope_of
from .tree import tree


@dataclass(frozen=True)
class Access:
    """What one actor may do with one form's rows and fields."""

    actor: Actor
    form: str
    all_rules: tuple[Rule, ...]
    paths: Mapping[int, str]
    _found: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def may(self, action: str) -> bool:
        """Whether the action is allowed on any row at all: read create change retire …"""
        return self.actor.is_system or bool(self.rules(action))

    def need(self, action: str) -> None:
        """Raises NotAllowed unless `may`."""
        if not self.may(action):
            raise NotAllowed(form=self.form, action=action)

    def rows(self, action: str, table: FromClause) -> ColumnElement[bool]:
        """The rows the action is allowed on, over the form's table or an alias of it."""
        return true() if self.actor.is_system else any_of(self.rules(action), table)

    def rules(self, action: str) -> tuple[Rule, ...]:
        """The rules that allow the action."""
        found: tuple[Rule, ...] | None = self._found.get(action)
        if found is None:
            found = tuple(rule for rule in self.all_rules if action in rule.actions)
            self._found[action] = found
        return found

    def covering(
        self, action: str, owner_id: int | None, unit_id: int | None, look: Look | None = None
    ) -> tuple[Rule, ...]:
        """The rules that allow the action on a row with this owner and unit.

        look: shows the row's values, for scopes by expression; without it these cover nothing.
        """
        path = self._path(unit_id)
        return tuple(
            rule for rule in self.rules(action) if rule.covers(owner_id, unit_id, path, look)
        )

    def foresee(self, looks: Sequence[Look]) -> None:
        """Many rows will be asked about one by one: what that takes is asked for at once."""
        for rule in self.all_rules:
            rule.foresee(looks)

    def beginning(self, action: str, unit_id: int | None) -> tuple[Rule, ...]:
        """The rules that may come to allow the action on a record of one's own at a unit, while
        nobody knows its values yet."""
        path, me = self._path(unit_id), self.actor.person_id
        return tuple(rule for rule in self.rules(action) if rule.reaches(me, unit_id, path))

    def may_with(
        self, action: str, owner_id: int | None, unit_id: int | None, look: Look | None = None
    ) -> bool:
        """Whether the action is allowed on a row with this owner, unit and values."""
        return self.actor.is_system or bool(self.covering(action, owner_id, unit_id, look))

    def may_begin(self, action: str, unit_id: int | None) -> bool:
        """Whether the action may turn out to be allowed on a new record of one's own at a unit."""
        return self.actor.is_system or bool(self.beginning(action, unit_id))

    def _path(self, unit_id: int | None) -> str:
        return self.paths.get(unit_id, "") if unit_id is not None else ""

    def rights(
        self,
        covered: Sequence[Rule],
        field_keys: Collection[str],
        writing: str = "change",
        fixed: Collection[str] = (),
    ) -> Mapping[str, str]:
        """hidden, masked, read or write for each field: the highest over the covering rules.

        writing: the action `write` is for, `change` or `create`. fixed: the fields no person
        writes. Never change what is returned: most rows are covered by the same rules.
        """
        asked = (tuple(covered), tuple(field_keys), writing, bool(fixed))
        found: Mapping[str, str] | None = self._found.get(asked)
        if found is None:
            if len(self._found) >= FEW:
                self._found.clear()
            found = self._found[asked] = {
                key: self._right(covered, key, writing, key in fixed) for key in field_keys
            }
        return found

    def _right(self, covered: Sequence[Rule], key: str, writing: str, fixed: bool) -> str:
        if self.actor.is_system:
            return "write"
        rights = (rule.right(key, writing) for rule in covered)
        right = max(rights, key=RIGHTS.index, default="hidden")
        return "read" if fixed and right == "write" else right

    def rights_with(
        self,
        owner_id: int | None,
        unit_id: int | None,
        field_keys: Collection[str],
        writing: str = "change",
        look: Look | None = None,
        fixed: Collection[str] = (),
    ) -> Mapping[str, str]:
        """`rights` over the rules that let the actor read, or write, this row."""
        covered = dict.fromkeys(
            (
                *self.covering("read", owner_id, unit_id, look),
                *self.covering(writing, owner_id, unit_id, look),
            )
        )
        return self.rights(tuple(covered), field_keys, writing, fixed)

    def rights_to_begin(
        self, unit_id: int | None, field_keys: Collection[str], fixed: Collection[str] = ()
    ) -> Mapping[str, str]:
        """The most the actor may come to do with the fields of a new record of their own."""
        covered = dict.fromkeys(
            (
                *self.covering("read", self.actor.person_id, unit_id),
                *self.beginning("create", unit_id),
            )
        )
        return self.rights(tuple(covered), field_keys, "create", fixed)


def access(session: Session, actor: Actor, form_key: str) -> Access:
    """What the actor may do with a form's records.

    Kept for the epoch where it follows from grants and the organisation alone. A rule with a
    condition, or one that follows another form's records, is asked in this very session.
    """

    made: list[Access] = []

    def make() -> Access:
        made.append(Access(actor, form_key, _rules(session, actor, form_key), tree(session).paths))
        return made[0]

    def lasting() -> Access | None:
        found = make()
        return found if all(rule.lasting for rule in found.all_rules) else None

    kept = kept_few(session, ("access", form_key), actor, lasting)
    return kept or (made[0] if made else make())


def _rules(session: Session, actor: Actor, form_key: str) -> tuple[Rule, ...]:
    sources = forms().sources(session, form_key) if actor.grants else {}
    return tuple(
        _rule(session, actor, grant, form_key, document, sources)
        for grant in actor.grants
        for document in _form_rules(role_document(session, grant.role), form_key)
    )


def _rule(
    session: Session,
    actor: Actor,
    grant: Grant,
    form_key: str,
    document: Mapping[str, Any],
    sources: Mapping[str, Sources],
) -> Rule:
    """A rule as written in a role document: `{"key","actions","scope","fields"?}`."""
    scope, text = scope_of(document)
    led = leading_of(document)
    about = form_key if led is None else led["form"]
    condition = None if text is None else Condition(session, about, text, actor)
    leading = None
    if led is not None and condition is not None:
        leading = Leading(condition, led["link"], led.get("via"))
    return Rule(
        document["key"],
        grant.role,
        grant,
        actor.person_id,
        frozenset(document["actions"]),
        scope,
        document.get("fields", {}),
        condition,
        leading,
        sources,
        tree(session).paths,
    )


def _form_rules(role: Mapping[str, Any] | None, form_key: str) -> Sequence[Mapping[str, Any]]:
    forms = (role or {}).get("forms", {})
    found: Sequence[Mapping[str, Any]] = forms.get(form_key, forms.get("*", ()))
    return found


def covers_right(granted: str, right: str) -> bool:
    """`"definitions.*"` covers `"definitions.write"`; a right without a star covers itself."""
    return right.startswith(granted[:-1]) if granted.endswith("*") else right == granted


def allowed(session: Session, actor: Actor, right: str, unit_id: int | None = None) -> bool:
    """Whether the actor holds a platform-wide right; with a unit, held at it or above it."""
    if actor.is_system:
        return True
    paths = held_at(session, actor, right)
    if unit_id is None:
        return bool(paths)
    at = tree(session).paths.get(unit_id, "")
    return any(at.startswith(path) for path in paths)


def held_at(session: Session, actor: Actor, right: str) -> list[str]:
    """The paths of the units at which a role of the actor gives the right."""
    return [
        grant.unit_path
        for grant in actor.grants
        if any(
            covers_right(granted, right)
            for granted in (role_document(session, grant.role) or {}).get("rights", ())
        )
    ]


def need(session: Session, actor: Actor, right: str, unit_id: int | None = None) -> None:
    """Raises NotAllowed unless `allowed`."""
    if not allowed(session, actor, right, unit_id):
        raise NotAllowed(right=right)


def allowed_forms(
    session: Session, actor: Actor, form_keys: Collection[str], action: str
) -> set[str]:
    """Those of the forms in which the actor may do the action on some row."""
    return {key for key in form_keys if access(session, actor, key).may(action)}


def holders(session: Session, role_key: str, unit_id: int | None) -> list[int]:
    """The people who hold the role at the unit, else at the nearest unit above that has any.

    Ids in order. Disabled people and grants out of their time do not count. Without a unit:
    everybody who holds the role anywhere.
    """
    now = moment(session)
    query = (
        select(GrantRow.unit_id, GrantRow.person_id)
        .join(Person, Person.id == GrantRow.person_id)
        .where(
            GrantRow.role_key == role_key,
            Person.disabled_at.is_(None),
            GrantRow.since <= now,
            GrantRow.until.is_(None) | (GrantRow.until > now),
        )
        .order_by(GrantRow.person_id)
    )
    if unit_id is None:
        return sorted({person for _, person in session.execute(query)})
    chain = tree(session).above(unit_id)
    rows = session.execute(query.where(GrantRow.unit_id.in_(chain))).all()
    for at in chain:
        if found := [person for unit, person in rows if unit == at]:
            return found
    return []


@dataclass(frozen=True)
class Reason:
    """Why one rule does or does not reach a row: the role, where it is held, rule, scope.

    where: the scope's expression, when it has one; the row must lie in `scope` and fulfil it, or,
    with `leading`, a record of that form that leads to the row.
    """

    role: str
    unit_id: int
    rule: str
    scope: str
    actions: tuple[str, ...]
    covers: bool
    where: str | None = None
    leading: str | None = None


def why(
    session: Session,
    actor: Actor,
    form_key: str,
    owner_id: int | None,
    unit_id: int | None,
    look: Look | None = None,
) -> list[Reason]:
    """Every rule the actor has on the form, and whether it covers this row."""
    asked = access(session, actor, form_key)
    path = asked.paths.get(unit_id, "") if unit_id is not None else ""
    return [
        Reason(
            rule.role,
            rule.grant.unit_id,
            rule.key,
            rule.scope,
            tuple(action for action in ACTIONS if action in rule.actions),
            rule.covers(owner_id, unit_id, path, look),
            None if rule.condition is None else rule.condition.text,
            None if rule.leading is None else rule.leading.condition.form_key,
        )
        for rule in asked.all_rules
    ]
