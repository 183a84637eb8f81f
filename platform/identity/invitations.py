"""One-time links by which people set a password themselves: invited, or because theirs is lost.

The link holds an opaque token that is known here by its hash. A newer link of a person, a new
password and disabling end it. Whoever opens it changes nothing; only the password sent with it
does, so nothing that looks at links ahead of people uses one up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..events.log import append
from ..store.errors import Conflict, NotFound
from ..store.session import moment
from .actor import Actor
from .authority import need_authority
from .events import SUBJECT
from .model import Invitation, Person
from .opaque import digest, opaque
from .reach import bearer, in_reach

FIRST = timedelta(days=3)  # for somebody who has no password yet
AGAIN = timedelta(minutes=30)  # for somebody who has one: whoever holds the link may replace it


@dataclass(frozen=True)
class Invited:
    """A link just made: its token goes to the person and is not kept."""

    person_id: int
    token: str
    expires_at: datetime


def invite(session: Session, actor: Actor, person_id: int) -> Invited:
    """A new link for a person; an older one ends. Needs `people.write` at their unit.

    Raises NotFound, NotAllowed, Conflict (E_OWN_ACCOUNT, E_DISABLED).
    """
    person = in_reach(session, actor, person_id, "people.write")
    if person_id == actor.person_id:
        raise Conflict("E_OWN_ACCOUNT")
    need_authority(session, actor, person_id)
    if person.disabled_at is not None:
        raise Conflict("E_DISABLED")
    withdraw(session, person_id)
    token = opaque()
    until = moment(session) + (FIRST if person.password_hash is None else AGAIN)
    session.add(Invitation(person_id=person_id, token_hash=digest(token), expires_at=until))
    data = {"until": until.isoformat()}
    append(session, "person:invited", actor, (SUBJECT, person_id), person.unit_id, data)
    return Invited(person_id, token, until)


def withdraw(session: Session, person_id: int) -> None:
    """End a person's link, if there is one."""
    session.execute(delete(Invitation).where(Invitation.person_id == person_id))


def invited(session: Session, token: str) -> Person:
    """Whom a link is for. Raises NotFound: unknown, used, expired, or the person is disabled."""
    person = bearer(session, Invitation, token)
    if person is None:
        raise NotFound("E_INVITATION")
    return person


def waiting(session: Session, person_id: int) -> datetime | None:
    """Until when a person's link holds; None when they have none that does."""
    return session.scalar(
        select(Invitation.expires_at).where(
            Invitation.person_id == person_id, Invitation.expires_at > moment(session)
        )
    )


def use_up(session: Session, token: str) -> Person:
    """Whom a link is for, and the link is no more; of two at once one gets it. Raises NotFound."""
    person = invited(session, token)
    mine = delete(Invitation).where(Invitation.token_hash == digest(token))
    if not session.execute(mine.returning(Invitation.person_id)).all():
        raise NotFound("E_INVITATION")
    return person
