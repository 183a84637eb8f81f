"""Who is meant, now: a field's person, a role's people at the record's unit, a login."""

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...platform.identity.model import Person
from ...platform.store.kept import kept
from ..actions.commands import Named, Who
from ..actions.sight import Sight
from ..tasks.actors import Offered, named, station


def resolve(
    sight: Sight,
    who: Who | None,
    names: Mapping[str, Named],
    but: Collection[int] = (),
    each: bool = False,
) -> tuple[Offered, ...]:
    """The first of `who` and whoever is meant otherwise that is somebody; () when none is.

    A person who is disabled is nobody; so is a role that nobody holds at the unit or above it.
    but: people who are not meant. each: of a role its people by name.
    """
    while who is not None:
        found = _some(sight, who, names, but, each)
        if found:
            return found
        who = who.otherwise
    return ()


def _some(
    sight: Sight, who: Who, names: Mapping[str, Named], but: Collection[int], each: bool
) -> tuple[Offered, ...]:
    if who.role is not None:
        unit = sight.subject.unit_id
        if each:
            return tuple(Offered(person=one) for one in named(sight.session, who.role, unit, but))
        at = station(sight.session, who.role, unit)
        return () if at is None else (at,)
    working = people(sight.session)
    if who.person is not None:
        person = next((at for at, login in working.items() if login == who.person), None)
    else:
        given = names.get(who.field or "")
        person = given.person if given else sight.subject.values.get(who.field or "")
    return (Offered(person=person),) if person in working and person not in but else ()


def people(session: Session) -> Mapping[int, str]:
    """Everybody who works here: id -> login. Kept while no grant changes."""
    return kept(session, "people at work", lambda: _people(session))


def _people(session: Session) -> dict[int, str]:
    query = select(Person.id, Person.login).where(Person.disabled_at.is_(None))
    return {row.id: row.login for row in session.execute(query)}
