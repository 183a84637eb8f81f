"""Changing the organisation tree: add a unit, move it, say who takes what arrives."""

from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..events.log import append
from ..store.errors import Conflict, Invalid, NotAllowed, Problem
from ..store.session import bump_epoch, new_id
from .actor import TIME_ZONE, Actor
from .events import UNIT
from .model import Unit
from .permissions import need
from .tree import Place, unit


def add_unit(
    session: Session,
    actor: Actor,
    code: str,
    title: Any,
    type: str,
    parent_id: int | None = None,
    time_zone: str | None = None,
) -> Place:
    """A new unit under a parent (the group's root has none). Without a zone, the parent's."""
    _need(session, actor, parent_id)
    parent = None if parent_id is None else unit(session, parent_id)
    zone = time_zone or (parent.time_zone if parent else TIME_ZONE)
    if zone not in available_timezones():
        raise Invalid(problems=[Problem("/time_zone", "E_NO_ZONE", {"zone": zone})])
    if session.scalar(select(Unit.id).where(Unit.code == code)) is not None:
        raise Conflict("E_UNIT_CODE", unit=code)
    made = new_id(session)
    path = f"{parent.path if parent else '/'}{made}/"
    session.add(
        Unit(
            id=made,
            code=code,
            title=title,
            type=type,
            parent_id=parent_id,
            path=path,
            time_zone=zone,
        )
    )
    session.flush()
    bump_epoch(session)
    append(session, "unit:added", actor, (UNIT, made), made, {"code": code})
    return Place(made, code, title, type, parent_id, path, zone, None)


def move_unit(session: Session, actor: Actor, unit_id: int, parent_id: int) -> None:
    """Hang a unit, with all below it, under another parent.

    Records keep the unit they were written at, and follow it to its new place.
    Raises Conflict when the parent lies below the unit.
    """
    moved, parent = unit(session, unit_id), unit(session, parent_id)
    _need(session, actor, unit_id)
    _need(session, actor, parent_id)
    if parent.path.startswith(moved.path):
        raise Conflict("E_UNIT_CIRCLE")
    path = f"{parent.path}{unit_id}/"
    rows = session.scalars(
        select(Unit).where(Unit.path.startswith(moved.path, autoescape=True))
    ).all()
    for row in rows:
        row.path = path + row.path[len(moved.path) :]
        if row.id == unit_id:
            row.parent_id = parent_id
    session.flush()
    _drop_strayed_intakes(session)
    bump_epoch(session)
    data = {"from": moved.parent_id, "to": parent_id}
    append(session, "unit:moved", actor, (UNIT, unit_id), unit_id, data)


def _drop_strayed_intakes(session: Session) -> None:
    """After a move: an intake lies below its unit, or there is none."""
    rows = {row.id: row for row in session.scalars(select(Unit))}
    for row in rows.values():
        if row.intake_id is not None and not rows[row.intake_id].path.startswith(row.path):
            row.intake_id = None
    session.flush()


def set_intake(session: Session, actor: Actor, unit_id: int, intake_id: int | None) -> None:
    """Say which unit below takes what arrives here. Raises Invalid when it does not lie below."""
    place = unit(session, unit_id)
    _need(session, actor, unit_id)
    if intake_id is not None:
        inner = unit(session, intake_id)
        if inner.id == unit_id or not inner.path.startswith(place.path):
            raise Invalid(problems=[Problem("/intake", "E_INTAKE_NOT_BELOW")])
    row = session.get_one(Unit, unit_id)
    row.intake_id = intake_id
    session.flush()
    bump_epoch(session)
    append(session, "unit:changed", actor, (UNIT, unit_id), unit_id, {"fields": ["intake"]})


def _need(session: Session, actor: Actor, unit_id: int | None) -> None:
    if not actor.is_system and unit_id is None:
        raise NotAllowed(right="units.write")
    need(session, actor, "units.write", unit_id)
