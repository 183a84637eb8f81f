"""The organisation tree as it stands: group, region, main hospital, branch, department."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store.errors import NotFound
from ..store.kept import kept
from .model import Unit


@dataclass(frozen=True)
class Place:
    """One unit as kept for an epoch."""

    id: int
    code: str
    title: Any
    type: str
    parent_id: int | None
    path: str
    time_zone: str
    intake_id: int | None


@dataclass(frozen=True)
class Tree:
    """All units of the group. paths: each unit's path by its id."""

    places: Mapping[int, Place]
    paths: Mapping[int, str]

    def above(self, unit_id: int) -> list[int]:
        """The unit, then its parent, up to the root; empty for an unknown unit."""
        return [int(part) for part in reversed(self.paths.get(unit_id, "").split("/")) if part]

    def below(self, unit_id: int) -> list[int]:
        """The unit and every unit under it."""
        path = self.paths.get(unit_id)
        if path is None:
            return []
        return [at for at, its in self.paths.items() if its.startswith(path)]


def tree(session: Session) -> Tree:
    """The organisation as it stands, kept for the epoch."""
    return kept(session, "units", lambda: _load(session))


def _load(session: Session) -> Tree:
    places = {
        row.id: Place(
            row.id,
            row.code,
            row.title,
            row.type,
            row.parent_id,
            row.path,
            row.time_zone,
            row.intake_id,
        )
        for row in session.scalars(select(Unit).order_by(Unit.path))
    }
    return Tree(places, {place.id: place.path for place in places.values()})


def unit(session: Session, unit_id: int) -> Place:
    """A unit by its id. Raises NotFound."""
    found = tree(session).places.get(unit_id)
    if found is None:
        raise NotFound("E_NO_UNIT")
    return found


def unit_by_code(session: Session, code: str) -> Place:
    """A unit by its code, for the command line and imports. Raises NotFound."""
    for place in tree(session).places.values():
        if place.code == code:
            return place
    raise NotFound("E_NO_UNIT", unit=code)


def intake_of(session: Session, unit_id: int | None) -> int | None:
    """The unit that takes what arrives here without a branch: followed down each `intake`."""
    places = tree(session).places
    seen: set[int] = set()
    while unit_id is not None and unit_id not in seen:
        seen.add(unit_id)
        place = places.get(unit_id)
        if place is None or place.intake_id is None:
            break
        unit_id = place.intake_id
    return unit_id
