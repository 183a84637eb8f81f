"""Invariants of a live database. Each check yields a sentence for every place where it fails.

Areas add their own to `CHECKS` when they plug in.
"""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..definitions.form_scope import form_entries
from ..definitions.model import DefinitionRow, VersionRow
from ..definitions.understood import not_understood
from ..events.anchor import anchors_hold
from ..events.model import Event, Handoff
from ..events.seal import broken
from ..store.history import RecordHistory
from .shape import shape_of

Check = Callable[[Session], Iterable[str]]


def violations(session: Session) -> Iterator[str]:
    """Everything that is not as it should be; nothing when the database is sound."""
    for check in CHECKS:
        yield from check(session)


def definitions_have_versions(session: Session) -> Iterator[str]:
    """The version in force of every definition is there."""
    query = (
        select(DefinitionRow.kind, DefinitionRow.key, DefinitionRow.version)
        .outerjoin(
            VersionRow,
            (VersionRow.kind == DefinitionRow.kind)
            & (VersionRow.key == DefinitionRow.key)
            & (VersionRow.version == DefinitionRow.version),
        )
        .where(VersionRow.version.is_(None))
    )
    for kind, key, version in session.execute(query):
        yield f"{kind} {key}: version {version} is in force and missing"


def definitions_are_understood(session: Session) -> Iterator[str]:
    """This version can read every definition that is in force."""
    for fault in not_understood(session):
        where = "; ".join(f"{problem.path or '/'} {problem.code}" for problem in fault.problems)
        its = fault.params
        yield f"{its['kind']} {its['key']}: version {its['version']} cannot be read: {where}"


def records_have_history(session: Session) -> Iterator[str]:
    """Each record's newest history row is its own revision, and none is missing before it."""
    for entry in form_entries(session):
        table = shape_of(session, entry.key).table
        newest = (
            select(
                RecordHistory.record_id,
                func.max(RecordHistory.revision).label("last"),
                func.count().label("rows"),
            )
            .where(RecordHistory.form == entry.key)
            .group_by(RecordHistory.record_id)
            .subquery()
        )
        query = (
            select(table.c._id, table.c._revision, newest.c.last, newest.c.rows)
            .outerjoin(newest, newest.c.record_id == table.c._id)
            .where(
                newest.c.last.is_(None)
                | (newest.c.last != table.c._revision)
                | (newest.c.rows != table.c._revision)
            )
        )
        for record_id, revision, last, rows in session.execute(query):
            yield (
                f"{entry.key} {record_id}: revision {revision},"
                f" history of {rows or 0} rows up to {last}"
            )
        orphans = (
            select(newest.c.record_id)
            .outerjoin(table, table.c._id == newest.c.record_id)
            .where(table.c._id.is_(None))
        )
        for record_id in session.scalars(orphans):
            yield f"{entry.key} {record_id}: has history and no row"


def records_have_versions(session: Session) -> Iterator[str]:
    """Each record names a form version that was published."""
    for entry in form_entries(session):
        table = shape_of(session, entry.key).table
        there = select(VersionRow.version).where(
            VersionRow.kind == "form", VersionRow.key == entry.key
        )
        query = select(table.c._id, table.c._version).where(table.c._version.not_in(there))
        for record_id, version in session.execute(query):
            yield f"{entry.key} {record_id}: valid for version {version}, which never was"


def submissions_have_events(session: Session) -> Iterator[str]:
    """Each record was submitted once, with an event saying so."""
    for entry in form_entries(session):
        table = shape_of(session, entry.key).table
        told = (
            select(Event.subject_id, func.count().label("times"))
            .where(Event.name == "record:submitted", Event.subject_kind == f"form:{entry.key}")
            .group_by(Event.subject_id)
            .subquery()
        )
        query = (
            select(table.c._id, told.c.times)
            .outerjoin(told, told.c.subject_id == table.c._id)
            .where(told.c.times.is_(None) | (told.c.times != 1))
        )
        for record_id, times in session.execute(query):
            yield f"{entry.key} {record_id}: {times or 0} events say it was submitted"


def handoffs_have_events(session: Session) -> Iterator[str]:
    """Nothing is handed on that did not happen, and nothing was given up silently."""
    query = select(Handoff.event_id, Handoff.consumer).outerjoin(
        Event, Event.id == Handoff.event_id
    )
    for event_id, consumer in session.execute(query.where(Event.id.is_(None))):
        yield f"handoff of event {event_id} to {consumer}: no such event"
    parked = select(Handoff).where(Handoff.parked_at.is_not(None))
    for handoff in session.scalars(parked):
        yield (
            f"handoff of event {handoff.event_id} to {handoff.consumer}:"
            f" given up after {handoff.tries} tries: {handoff.error}"
        )


def chain_holds(session: Session) -> Iterator[str]:
    """The sealed events are gapless and unaltered."""
    yield from broken(session)


def chain_is_anchored(session: Session) -> Iterator[str]:
    """The chain still holds what was written down of it outside the database, day by day."""
    yield from anchors_hold(session)


CHECKS: list[Check] = [
    definitions_have_versions,
    definitions_are_understood,
    records_have_versions,
    records_have_history,
    submissions_have_events,
    handoffs_have_events,
    chain_holds,
    chain_is_anchored,
]
