"""A person by id or login, for whoever may reach them."""

import unicodedata

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store.errors import NotAllowed, NotFound
from ..store.session import moment
from .actor import Actor
from .model import HalfSignIn, Invitation, Person
from .opaque import digest
from .permissions import allowed


def login_of(text: str) -> str:
    """A login as it is kept and compared: NFKC, lower case, without space around."""
    return unicodedata.normalize("NFKC", text).strip().lower()[:100]


def person_of(session: Session, person_id: int) -> Person:
    """A person's row, for deeds. Raises NotFound."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("E_NO_PERSON")
    return person


def bearer(
    session: Session, kind: type[HalfSignIn] | type[Invitation], token: str
) -> Person | None:
    """Whose an opaque token of this kind is; None for one that is unknown or over, and for somebody
    who is disabled."""
    return session.scalar(
        select(Person)
        .join(kind, kind.person_id == Person.id)
        .where(
            kind.token_hash == digest(token),
            kind.expires_at > moment(session),
            Person.disabled_at.is_(None),
        )
    )


def locked(session: Session, person_id: int) -> Person:
    """The same, as it stands now, and nobody else changes it until this transaction ends: so that
    what ends a person's sign-ins meets each that is being begun. Raises NotFound."""
    query = select(Person).where(Person.id == person_id).with_for_update(key_share=True)
    person = session.scalar(query.execution_options(populate_existing=True))
    if person is None:
        raise NotFound("E_NO_PERSON")
    return person


def in_reach(session: Session, actor: Actor, person_id: int, right: str) -> Person:
    """A person at whose unit the actor holds the right.

    Raises NotAllowed where the actor may see them, NotFound where not even that.
    """
    person = person_of(session, person_id)
    if allowed(session, actor, right, person.unit_id):
        return person
    if allowed(session, actor, "people.read", person.unit_id):
        raise NotAllowed(right=right)
    raise NotFound("E_NO_PERSON")


def own_or_in_reach(session: Session, actor: Actor, person_id: int, right: str) -> Person:
    """Oneself without any right; somebody else as `in_reach` has it."""
    if person_id == actor.person_id:
        return person_of(session, person_id)
    return in_reach(session, actor, person_id, right)


def person_by_login(session: Session, login: str) -> Person:
    """A person by login, for the command line. Raises NotFound."""
    person = session.scalar(select(Person).where(Person.login == login_of(login)))
    if person is None:
        raise NotFound("E_NO_PERSON")
    return person
