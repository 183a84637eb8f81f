"""Who is meant, now: a field's person, a role's people at the record's unit, a login."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...platform.identity.model import Person
from ...platform.store.kept import kept
from ..actions.commands import Named, Who
from ..actions.sight import Sight
from ..tasks.actors import Offered, station


def resolve(sight: Sight, who: Who | None, names: Mapping[str, Named]) -> tuple[Offered, ...]:
    """The first of `who` and whoever is meant otherwise that is somebody; () when none is.

    A person who is disabled is nobody; so is a role that nobody holds at the unit or above it.
    """
    while who is not None:
        found = _one(sight, who, names)
        if found is not None:
            return (found,)
        who = who.otherwise
    return ()


def _one(sight: Sight, who: Who, names: Mapping[str, Named]) -> Offered | None:
    if who.role is not None:
        return station(sight.session, who.role, sight.subject.unit_id)
    working = people(sight.session)
    if who.person is not None:
        person = next((at for at, login in working.items() if login == who.person), None)
    else:
        named = names.get(who.field or "")
        person = named.person if named else sight.subject.values.get(who.field or "")
    return Offered(person=person) if person in working else None


def people(session: Session) -> Mapping[int, str]:
    """Everybody who works here: id -> login. Kept while no grant changes."""
    return kept(session, "people at work", lambda: _people(session))


def _people(session: Session) -> dict[int, str]:
    query = select(Person.id, Person.login).where(Person.disabled_at.is_(None))
    return {row.id: row.login for row in session.execute(query)}
