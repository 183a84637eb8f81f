"""Changing the organisation tree: add a unit, change or move it, say who takes what arrives.

Each deed takes the epoch's row first: changes of the tree wait for one another, so that two moves
at once make no circle.
"""

import re
from functools import cache
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
from .people import LANGUAGES
from .permissions import need
from .tree import Place, unit

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
TYPE = re.compile(r"[a-z][a-z_]{0,39}")
DEEPEST = 12  # levels; a path of so many ids fits its column


def add_unit(
    session: Session,
    actor: Actor,
    code: str,
    title: Any,
    type: str,
    parent_id: int | None = None,
    time_zone: str | None = None,
) -> Place:
    """A new unit under a parent (the group's root has none). Without a zone, the parent's.

    Raises Invalid, NotFound, NotAllowed, Conflict (E_UNIT_CODE).
    """
    bump_epoch(session)
    _need(session, actor, parent_id)
    parent = None if parent_id is None else unit(session, parent_id)
    zone = time_zone or (parent.time_zone if parent else TIME_ZONE)
    _require(
        [
            *([] if CODE.fullmatch(code) else [Problem("/code", "E_UNIT_CODE_SHAPE")]),
            *_title_problems(title),
            *_type_problems(type),
            *_zone_problems(zone),
            *_depth_problems(parent, 1),
        ]
    )
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
    append(session, "unit:added", actor, (UNIT, made), made, {"code": code})
    return Place(made, code, title, type, parent_id, path, zone, None)


def move_unit(session: Session, actor: Actor, unit_id: int, parent_id: int) -> None:
    """Hang a unit, with all below it, under another parent.

    Records keep the unit they were written at, and follow it to its new place.
    Raises Conflict when the parent lies below the unit, Invalid when it gets too deep.
    """
    bump_epoch(session)
    moved, parent = unit(session, unit_id), unit(session, parent_id)
    _need(session, actor, unit_id)
    _need(session, actor, parent_id)
    if parent.path.startswith(moved.path):
        raise Conflict("E_UNIT_CIRCLE")
    path = f"{parent.path}{unit_id}/"
    rows = session.scalars(
        select(Unit).where(Unit.path.startswith(moved.path, autoescape=True))
    ).all()
    above = _depth(moved.path) - 1
    _require(_depth_problems(parent, max(_depth(row.path) for row in rows) - above))
    for row in rows:
        row.path = path + row.path[len(moved.path) :]
        if row.id == unit_id:
            row.parent_id = parent_id
    session.flush()
    _drop_strayed_intakes(session)
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
    bump_epoch(session)
    place = unit(session, unit_id)
    _need(session, actor, unit_id)
    if intake_id is not None:
        inner = unit(session, intake_id)
        if inner.id == unit_id or not inner.path.startswith(place.path):
            raise Invalid(problems=[Problem("/intake", "E_INTAKE_NOT_BELOW")])
    row = session.get_one(Unit, unit_id)
    row.intake_id = intake_id
    session.flush()
    append(session, "unit:changed", actor, (UNIT, unit_id), unit_id, {"fields": ["intake"]})


def change_unit(
    session: Session,
    actor: Actor,
    unit_id: int,
    title: Any = None,
    type: str | None = None,
    time_zone: str | None = None,
) -> Place:
    """Change what is given; its code stays. Raises Invalid, NotFound, NotAllowed."""
    bump_epoch(session)
    place = unit(session, unit_id)
    _need(session, actor, unit_id)
    _require(
        [
            *([] if title is None else _title_problems(title)),
            *([] if type is None else _type_problems(type)),
            *([] if time_zone is None else _zone_problems(time_zone)),
        ]
    )
    given = {"title": title, "type": type, "time_zone": time_zone}
    wanted = {key: value for key, value in given.items() if value is not None}
    fields = [key for key, value in wanted.items() if getattr(place, key) != value]
    if fields:
        row = session.get_one(Unit, unit_id)
        for key in fields:
            setattr(row, key, wanted[key])
        session.flush()
        append(session, "unit:changed", actor, (UNIT, unit_id), unit_id, {"fields": fields})
    return unit(session, unit_id)


def _require(problems: list[Problem]) -> None:
    if problems:
        raise Invalid(problems=problems)


def _title_problems(title: Any) -> list[Problem]:
    """A text, or one for each language, of 1 to 100 letters."""
    texts = list(title.values()) if isinstance(title, dict) else [title]
    known = set(title) <= set(LANGUAGES) if isinstance(title, dict) else True
    sound = all(isinstance(text, str) and 1 <= len(text.strip()) <= 100 for text in texts)
    return [] if texts and known and sound else [Problem("/title", "E_UNIT_TITLE")]


@cache
def _zones() -> frozenset[str]:
    """All there are; reading them off the disk takes a tenth of a second."""
    return frozenset(available_timezones())


def _type_problems(type: str) -> list[Problem]:
    return [] if TYPE.fullmatch(type) else [Problem("/type", "E_UNIT_TYPE")]


def _zone_problems(zone: str) -> list[Problem]:
    if zone in _zones():
        return []
    return [Problem("/time_zone", "E_NO_ZONE", {"zone": zone})]


def _depth(path: str) -> int:
    return path.count("/") - 1


def _depth_problems(parent: Place | None, levels: int) -> list[Problem]:
    """Whether so many levels still go under a parent."""
    if (0 if parent is None else _depth(parent.path)) + levels <= DEEPEST:
        return []
    return [Problem("/parent", "E_UNIT_DEEP", {"most": DEEPEST})]


def _need(session: Session, actor: Actor, unit_id: int | None) -> None:
    if not actor.is_system and unit_id is None:
        raise NotAllowed(right="units.write")
    need(session, actor, "units.write", unit_id)
