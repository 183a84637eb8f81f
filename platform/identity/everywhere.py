"""What somebody may do with every record of a form, and at every unit: what acts by itself for the
whole house is published by who could do as much (`definitions/powers`)."""

from sqlalchemy.orm import Session

from .actor import Actor
from .permissions import Access, access, held_at
from .rules import RIGHTS, Rule
from .tree import tree

ABOVE_ALL = ("branch", "subtree")
"""Scopes that reach every unit where the role is held above all of them."""


def right_everywhere(session: Session, actor: Actor, right: str) -> bool:
    """Whether the actor holds a right over the platform above every unit."""
    return actor.is_system or any(
        _above_all(session, path) for path in held_at(session, actor, right)
    )


def may_everywhere(
    session: Session, actor: Actor, form: str, action: str, field: str = "", level: str = ""
) -> bool:
    """Whether the actor may do the action with every record of the form, whoever owns it and
    whatever stands in it; with a field, has at least `level` on it there: masked, read or write."""
    if actor.is_system:
        return True
    asked = access(session, actor, form)
    covering = _wide(session, asked, action)
    if not covering or not field:
        return bool(covering)
    seen = dict.fromkeys((*_wide(session, asked, "read"), *covering))
    right = asked.rights(tuple(seen), (field,), action)[field]
    return RIGHTS.index(right) >= RIGHTS.index(level)


def _wide(session: Session, asked: Access, action: str) -> list[Rule]:
    """The rules that allow the action on every record there is."""
    return [
        rule
        for rule in asked.rules(action)
        if rule.lasting
        and (
            rule.scope == "all"
            or (rule.scope in ABOVE_ALL and _above_all(session, rule.grant.unit_path))
        )
    ]


def _above_all(session: Session, path: str) -> bool:
    return all(each.startswith(path) for each in tree(session).paths.values())
