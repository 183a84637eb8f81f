"""Who may say yes to somebody else's export."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..identity.actor import Actor, actor_of
from ..identity.model import GrantRow
from ..identity.permissions import access, covers_right, held_at
from ..identity.roles import role_document, role_keys
from ..identity.tree import tree
from ..store.errors import NotSignedIn

RIGHT = "exports.allow"


def may_answer(session: Session, actor: Actor, asker: Actor, form_key: str) -> bool:
    """Whether the actor may answer for the asker: never for themselves, and only with the right
    held at or above every unit that the asker takes this form's records out of."""
    if actor.person_id is None or actor.person_id == asker.person_id:
        return False
    wanted = _places(session, asker, form_key)
    held = held_at(session, actor, RIGHT)
    return bool(wanted) and all(any(at.startswith(path) for path in held) for at in wanted)


def _places(session: Session, asker: Actor, form_key: str) -> set[str]:
    """The paths of the units under which lies what the asker may export; empty for nothing."""
    roots = {path for path in tree(session).paths.values() if path.count("/") == 2}
    found: set[str] = set()
    for rule in access(session, asker, form_key).rules("export"):
        found |= roots if rule.scope == "all" else {rule.grant.unit_path}
    return found


def anybody(session: Session, asker: Actor, form_key: str) -> bool:
    """Whether there is somebody who may answer for the asker."""
    roles = [
        key
        for key in role_keys(session)
        if any(
            covers_right(granted, RIGHT)
            for granted in (role_document(session, key) or {}).get("rights", ())
        )
    ]
    people = session.scalars(
        select(GrantRow.person_id)
        .where(GrantRow.role_key.in_(roles), GrantRow.person_id != asker.person_id)
        .distinct()
    )
    return any(may_answer(session, one, asker, form_key) for one in acting(session, people))


def acting(session: Session, people: Iterable[int]) -> Iterable[Actor]:
    """Those of these people who may act now."""
    for person_id in people:
        try:
            yield actor_of(session, person_id)
        except NotSignedIn:
            continue
