"""Who acts: a person with the grants that hold now, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store.errors import NotSignedIn
from ..store.kept import kept
from ..store.session import moment
from .model import GrantRow, Person, SecondFactor, Unit

TIME_ZONE = "Asia/Shanghai"


@dataclass(frozen=True)
class Grant:
    """A role held at a unit. `unit_path` is the unit's path, `/1/4/9/`."""

    role: str
    unit_id: int
    unit_path: str


@dataclass(frozen=True)
class Actor:
    """Who asks. Frozen: a change of grants makes another one, at the next request."""

    person_id: int | None
    login: str
    name: str
    unit_id: int | None
    unit_path: str
    grants: tuple[Grant, ...]
    language: str
    time_zone: str
    second_factor: bool = False
    """Whether they have one; then a sign-in of theirs has shown it."""

    @property
    def is_system(self) -> bool:
        """True for Careloom's own acts: no person has this login, and none can take it."""
        return self.person_id is None and self.login == "system"


#: Flows' automatic steps and the command line. It may do everything.
SYSTEM = Actor(None, "system", "Careloom", None, "", (), "zh-CN", TIME_ZONE)


@dataclass(frozen=True)
class _Known:
    """A person as kept for one epoch: every grant with its time, sifted when asked."""

    actor: Actor
    disabled: bool
    grants: tuple[tuple[Grant, datetime, datetime | None], ...]


def actor_of(session: Session, person_id: int) -> Actor:
    """The person with the grants that hold at this moment.

    Raises NotSignedIn when there is no such person or they are disabled.
    """
    known = kept(session, ("actor", person_id), lambda: _load(session, person_id))
    if known is None or known.disabled:
        raise NotSignedIn()
    now = moment(session)
    grants = tuple(
        grant for grant, since, until in known.grants if since <= now and (not until or now < until)
    )
    actor = known.actor
    return actor if grants == actor.grants else replace(actor, grants=grants)


def _load(session: Session, person_id: int) -> _Known | None:
    found = session.execute(
        select(Person, Unit, SecondFactor.person_id)
        .join(Unit, Unit.id == Person.unit_id)
        .outerjoin(SecondFactor, SecondFactor.person_id == Person.id)
        .where(Person.id == person_id)
    ).one_or_none()
    if found is None:
        return None
    person, unit, factor = found
    rows = session.execute(
        select(GrantRow, Unit.path)
        .join(Unit, Unit.id == GrantRow.unit_id)
        .where(GrantRow.person_id == person_id)
        .order_by(GrantRow.id)
    ).all()
    grants = tuple(
        (Grant(row.role_key, row.unit_id, path), row.since, row.until) for row, path in rows
    )
    actor = Actor(
        person.id,
        person.login,
        person.name,
        unit.id,
        unit.path,
        tuple(grant for grant, _, _ in grants),
        person.language,
        unit.time_zone,
        factor is not None,
    )
    return _Known(actor, person.disabled_at is not None, grants)
