"""Whom a task is offered to: a person, or whoever holds a role at a unit."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.identity.model import GrantRow, Person
from ...platform.identity.tree import tree
from ...platform.store.kept import kept
from ...platform.store.session import moment
from .model import task_actors


@dataclass(frozen=True)
class Offered:
    """One actor: a person, or a role at a unit (then whoever holds it there, now or later)."""

    person: int | None = None
    role: str | None = None
    unit: int | None = None


@dataclass(frozen=True)
class _Held:
    person: int
    unit: int
    since: datetime
    until: datetime | None


def station(session: Session, role_key: str, unit_id: int | None) -> Offered | None:
    """The role at the unit, else at the nearest unit above where somebody holds it; or nobody."""
    now = moment(session)
    manned = {
        held.unit
        for held in _held(session, role_key)
        if held.since <= now and (held.until is None or now < held.until)
    }
    chain = tree(session).above(unit_id) if unit_id is not None else sorted(manned)
    found = next((unit for unit in chain if unit in manned), None)
    return Offered(role=role_key, unit=found) if found is not None else None


def named(session: Session, role_key: str, unit_id: int | None, but: Collection[int]) -> list[int]:
    """The people of a role by id, but for some: at the unit, else at the nearest unit above where
    somebody who is meant holds it."""
    at = station(session, role_key, unit_id)
    while at is not None and at.unit is not None:
        people = [person for person in staffed_by(session, role_key, at.unit) if person not in but]
        place = tree(session).places.get(at.unit)
        above = place.parent_id if place is not None and unit_id is not None else None
        if people or above is None:
            return people
        at = station(session, role_key, above)
    return []


def staffed_by(session: Session, role_key: str, unit_id: int) -> list[int]:
    """The people who hold the role at that very unit now, by id."""
    now = moment(session)
    return sorted(
        {
            held.person
            for held in _held(session, role_key)
            if held.unit == unit_id
            and held.since <= now
            and (held.until is None or now < held.until)
        }
    )


def _held(session: Session, role_key: str) -> tuple[_Held, ...]:
    """Every grant of the role to somebody who is not disabled; kept while no grant changes."""
    return kept(session, ("tasks.held", role_key), lambda: _load(session, role_key))


def _load(session: Session, role_key: str) -> tuple[_Held, ...]:
    query = (
        select(GrantRow.person_id, GrantRow.unit_id, GrantRow.since, GrantRow.until)
        .join(Person, Person.id == GrantRow.person_id)
        .where(GrantRow.role_key == role_key, Person.disabled_at.is_(None))
    )
    return tuple(_Held(*row) for row in session.execute(query))


def is_among(actor: Actor, offered: Iterable[Offered]) -> bool:
    """Whether the actor is one of them."""
    held = {(grant.role, grant.unit_id) for grant in actor.grants}
    return any(
        one.person == actor.person_id if one.person is not None else (one.role, one.unit) in held
        for one in offered
    )


def is_offered(actor: Actor) -> ColumnElement[bool]:
    """The rows of task_actor that name this actor, as a condition."""
    named = [task_actors.c.person_id == actor.person_id]
    named += [
        and_(task_actors.c.role_key == role, task_actors.c.unit_id == unit)
        for role, unit in stations(actor)
    ]
    return or_(*named)


def stations(actor: Actor) -> list[tuple[str, int]]:
    """The roles the actor holds and where, each once."""
    return sorted({(grant.role, grant.unit_id) for grant in actor.grants})
