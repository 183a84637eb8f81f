"""Who may stand in for whom: nobody comes by rights of others through their account."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store.errors import NotAllowed
from ..store.session import moment
from .actor import Actor
from .model import GrantRow
from .permissions import allowed
from .roles import role_document

#: Rights that lead to all others: they are handed on only by those who hold them.
OVER_THE_PLATFORM = ("definitions.", "packs.", "people.", "units.", "trail.")


def need_authority(session: Session, actor: Actor, person_id: int) -> None:
    """Before giving somebody a password, a link to set one, or an access token.

    Each of these lets the giver act as that person, so every right over the platform that they
    hold, or will, must be held by the giver there too. Raises NotAllowed (E_MORE_THAN_OWN).
    """
    living = GrantRow.until.is_(None) | (GrantRow.until > moment(session))
    query = select(GrantRow.role_key, GrantRow.unit_id).where(GrantRow.person_id == person_id)
    for role, unit_id in session.execute(query.where(living)).all():
        need_rights(session, actor, role, unit_id)


def need_rights(session: Session, actor: Actor, role_key: str, unit_id: int) -> None:
    """Raises NotAllowed for a role whose rights over the platform the actor lacks at the unit."""
    for right in (role_document(session, role_key) or {}).get("rights", ()):
        if right.startswith(OVER_THE_PLATFORM) and not allowed(session, actor, right, unit_id):
            raise NotAllowed("E_MORE_THAN_OWN", right=right)
