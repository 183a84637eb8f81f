"""Where a person is signed in: each browser, and ending one, or all but one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..events.log import append
from ..store.errors import NotAllowed, NotFound
from ..store.session import moment
from .actor import Actor
from .events import SUBJECT
from .model import SignIn
from .reach import own_or_in_reach
from .sessions import end_all, kind_of


def browsers_of(session: Session, actor: Actor, person_id: int) -> Sequence[SignIn]:
    """The browsers a person is signed in at, the last used first: one's own, or with
    `people.write` at their unit. When each was used is known to some minutes
    (`sessions.SEEN_EVERY`). Raises NotFound, NotAllowed."""
    own_or_in_reach(session, actor, person_id, "people.write")
    return session.scalars(
        select(SignIn)
        .where(SignIn.person_id == person_id, SignIn.expires_at > moment(session))
        .order_by(SignIn.seen_at.desc(), SignIn.id.desc())
    ).all()


def end_one(session: Session, actor: Actor, sign_in_id: int) -> None:
    """Sign out one browser, one's own or with `people.write`; with its next request.

    Raises NotFound (E_NO_SIGN_IN): it has ended already, or is not the actor's to end.
    """
    row = session.get(SignIn, sign_in_id)
    if row is None:
        raise NotFound("E_NO_SIGN_IN")
    try:
        person = own_or_in_reach(session, actor, row.person_id, "people.write")
    except (NotAllowed, NotFound):
        raise NotFound("E_NO_SIGN_IN") from None
    kind, by_self = kind_of(row), person.id == actor.person_id
    if not session.scalars(delete(SignIn).where(SignIn.id == row.id).returning(SignIn.id)).all():
        raise NotFound("E_NO_SIGN_IN")
    data = {"browser": kind.browser, "system": kind.system, "by_self": by_self}
    append(session, "person:browser_ended", actor, (SUBJECT, person.id), person.unit_id, data)


def end_others(session: Session, actor: Actor, kept: int | None) -> int:
    """Sign out the actor's browsers but the one that asks (none of them: all). How many ended.

    Raises NotAllowed for nobody in person.
    """
    if actor.person_id is None:
        raise NotAllowed()
    count = end_all(session, actor.person_id, kept)
    if count:
        subject, data = (SUBJECT, actor.person_id), {"count": count}
        append(session, "person:others_ended", actor, subject, actor.unit_id, data)
    return count
