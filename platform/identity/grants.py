"""Giving and taking roles."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..events.log import append
from ..store.errors import NotAllowed, NotFound
from ..store.session import bump_epoch, moment, new_id
from .actor import Actor
from .authority import need_rights
from .events import SUBJECT
from .model import GrantRow
from .permissions import need
from .reach import in_reach
from .roles import role_document
from .tree import unit


def give(
    session: Session,
    actor: Actor,
    person_id: int,
    role_key: str,
    unit_id: int,
    until: datetime | None = None,
) -> GrantRow:
    """Give a person a role at a unit. Giving it again changes only until when.

    Needs `people.write` at the unit. A right over the platform itself that the role brings must be
    held by the giver there too, and nobody gives themselves a role: so who may administer people
    gets no further by it, while they give a dentist what they may not see.
    Raises NotFound, NotAllowed.
    """
    person = in_reach(session, actor, person_id, "people.write")
    place = unit(session, unit_id)
    if role_document(session, role_key) is None:
        raise NotFound("E_NO_ROLE", role=role_key)
    _need(session, actor, person_id, unit_id)
    need_rights(session, actor, role_key, unit_id)
    row = _row(session, person_id, role_key, unit_id)
    if row is None:
        row = GrantRow(
            id=new_id(session),
            person_id=person_id,
            role_key=role_key,
            unit_id=unit_id,
            since=moment(session),
        )
        session.add(row)
    row.until = until
    session.flush()
    bump_epoch(session)
    data = {
        "role": role_key,
        "unit": place.code,
        "until": until.isoformat() if until else None,
    }
    append(session, "role:given", actor, (SUBJECT, person.id), unit_id, data)
    return row


def take(session: Session, actor: Actor, person_id: int, role_key: str, unit_id: int) -> None:
    """Take a role from a person, from the next request on. Raises NotFound, NotAllowed.

    Nobody takes one from themselves, so that somebody is always left to undo it.
    """
    place = unit(session, unit_id)
    row = _row(session, person_id, role_key, unit_id)
    _need(session, actor, person_id, unit_id)
    if row is None:
        raise NotFound("E_NO_GRANT")
    session.delete(row)
    session.flush()
    bump_epoch(session)
    data = {"role": role_key, "unit": place.code}
    append(session, "role:taken", actor, (SUBJECT, person_id), unit_id, data)


def held_by(session: Session, person_ids: Collection[int]) -> dict[int, list[GrantRow]]:
    """The grants of people, in the order in which they were given; those of another time too."""
    rows = session.scalars(
        select(GrantRow).where(GrantRow.person_id.in_(person_ids)).order_by(GrantRow.id)
    )
    found: dict[int, list[GrantRow]] = {}
    for row in rows:
        found.setdefault(row.person_id, []).append(row)
    return found


def _need(session: Session, actor: Actor, person_id: int, unit_id: int) -> None:
    need(session, actor, "people.write", unit_id)
    if person_id == actor.person_id:
        raise NotAllowed("E_OWN_GRANT")


def _row(session: Session, person_id: int, role_key: str, unit_id: int) -> GrantRow | None:
    return session.scalar(
        select(GrantRow).where(
            GrantRow.person_id == person_id,
            GrantRow.role_key == role_key,
            GrantRow.unit_id == unit_id,
        )
    )
