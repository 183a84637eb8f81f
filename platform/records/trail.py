"""How much of the trail somebody may know.

Needs the right `trail.read`. Of a record's events only those whose record the reader may read, and
of its fields only those they may see; what belongs to a unit, only where they hold the right.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import Session

from ..definitions.form_scope import form_entries
from ..events.model import Event
from ..identity.actor import Actor
from ..identity.model import Unit
from ..identity.permissions import access, held_at, need
from .record import record_of
from .shape import shape_of

RIGHT = "trail.read"
FORM = "form:"

#: A subject kind of an area's own -> the events about such subjects that an actor may know of.
SUBJECTS: dict[str, Callable[[Session, Actor], ColumnElement[bool]]] = {}


def events_seen(session: Session, actor: Actor) -> ColumnElement[bool]:
    """The events the actor may know of. Raises NotAllowed without the right."""
    need(session, actor, RIGHT)
    if actor.is_system:
        return true()
    ways = [and_(_elsewhere(), _in_reach(session, actor))]
    for kind, seen in SUBJECTS.items():
        ways.append(and_(Event.subject_kind == kind, seen(session, actor)))
    for form, readable in records_seen(session, actor, Event.subject_id).items():
        whole = and_(Event.subject_id == 0, _in_reach(session, actor))
        ways.append(and_(Event.subject_kind == FORM + form, or_(whole, readable)))
    return or_(*ways)


def _elsewhere() -> ColumnElement[bool]:
    """Events about neither records nor what an area answers for itself."""
    return and_(
        ~Event.subject_kind.startswith(FORM, autoescape=True),
        Event.subject_kind.not_in(sorted(SUBJECTS)),
    )


def _in_reach(session: Session, actor: Actor) -> ColumnElement[bool]:
    paths = held_at(session, actor, RIGHT)
    units = select(Unit.id).where(
        or_(*(Unit.path.startswith(path, autoescape=True) for path in paths))
    )
    return or_(Event.unit_id.is_(None), Event.unit_id.in_(units))


def records_seen(
    session: Session, actor: Actor, record_id: ColumnElement[Any] | Any
) -> dict[str, ColumnElement[bool]]:
    """For each form the actor may read: whether the record of this id is one they may read."""
    found: dict[str, ColumnElement[bool]] = {}
    for entry in form_entries(session):
        asked = access(session, actor, entry.key)
        if asked.may("read"):
            table = shape_of(session, entry.key).table.alias()
            here = select(1).where(table.c._id == record_id, asked.rows("read", table))
            found[entry.key] = exists(here)
    return found


def readable_ids(session: Session, actor: Actor, form: str, ids: Iterable[int]) -> set[int]:
    """Those of a form's records that the actor may read."""
    table = shape_of(session, form).table
    rows = access(session, actor, form).rows("read", table)
    return set(session.scalars(select(table.c._id).where(table.c._id.in_(set(ids)), rows)))


def cut(session: Session, actor: Actor, events: Iterable[Event]) -> dict[int, Mapping[str, Any]]:
    """The data of each event by its id, without the names of fields the actor may not see."""
    told: dict[int, Mapping[str, Any]] = {}
    records: dict[str, list[Event]] = {}
    for event in events:
        told[event.id] = event.data
        if event.subject_kind.startswith(FORM) and "fields" in event.data:
            records.setdefault(event.subject_kind.removeprefix(FORM), []).append(event)
    for form, changes in records.items():
        rights = _rights(session, actor, form, {event.subject_id for event in changes})
        for event in changes:
            known = rights.get(event.subject_id, {})
            fields = [key for key in event.data["fields"] if known.get(key, "hidden") != "hidden"]
            told[event.id] = {**event.data, "fields": fields}
    return told


def _rights(
    session: Session, actor: Actor, form: str, ids: Iterable[int]
) -> dict[int, Mapping[str, str]]:
    shape = shape_of(session, form)
    asked = access(session, actor, form)
    rows = session.execute(select(shape.table).where(shape.table.c._id.in_(ids))).mappings()
    return {row["_id"]: record_of(shape, row, asked).rights for row in shape.whole(session, rows)}
