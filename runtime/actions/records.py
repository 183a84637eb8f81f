"""Records found and written on the system's behalf, through the same door as a person."""

from collections.abc import Iterable
from datetime import tzinfo
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from ...platform.definitions.faults import Fault
from ...platform.definitions.fields import settle
from ...platform.identity.actor import SYSTEM
from ...platform.records.shape import shape_of
from ...platform.records.submit import change, submit
from ...platform.store.columns import keep
from ...platform.store.errors import Invalid, Problem
from ...platform.store.hot import Hot
from .act import plain
from .commands import Named, StepFailed
from .sight import Sight

SOURCE = "flow"


def find(session: Session, form_key: str, where: Iterable[tuple[str, Any]]) -> int | None:
    """The newest live record where every field equals its value."""
    shape = shape_of(session, form_key)
    given: dict[str, Any] = {}
    for key, value in where:
        field = shape.form.fields[key]
        try:
            python = field.take(plain(value))
        except Fault:
            return None  # what cannot stand in the field stands in no record
        given[key] = keep(shape.specs[key], python)
    found = _newest(shape.table, tuple(given)).mapping(session, given)
    return None if found is None else found["_id"]


@lru_cache(maxsize=256)
def _newest(table: Table, keys: tuple[str, ...]) -> Hot:
    """Built once for each table and its fields."""
    equal = [table.c[key] == bindparam(key, type_=table.c[key].type) for key in keys]
    query = select(table.c._id).where(table.c._retired_at.is_(None), *equal)
    return Hot(query.order_by(table.c._id.desc()).limit(1))


def create(
    sight: Sight, form_key: str, values: Iterable[tuple[str, Any]], cause: int | None
) -> int:
    """A new record, in the subject's unit unless its own fields say otherwise."""
    record = submit(
        sight.session,
        SYSTEM,
        form_key,
        fitted(sight.session, form_key, values, sight.zone),
        cause=cause,
        unit_id=sight.subject.unit_id,
        source=SOURCE,
    )
    sight.put(record)
    return record.id


def change_record(
    sight: Sight,
    record: Named | None,
    values: Iterable[tuple[str, Any]],
    cause: int | None,
    add: Iterable[tuple[str, Any]] = (),
    remove: Iterable[tuple[str, Any]] = (),
) -> None:
    """Change the subject, or a record an earlier step produced.

    add, remove: put into fields of several choices beside what is there, and taken out.
    """
    form_key = sight.form_key if record is None else record.form
    record_id = sight.record_id if record is None else record.id
    if form_key is None or record_id is None:
        raise StepFailed("E_NO_RECORD")
    given = fitted(sight.session, form_key, values, sight.zone)
    given |= _lists(sight, form_key, record_id, add, remove)
    sight.put(change(sight.session, SYSTEM, form_key, record_id, given, cause=cause, source=SOURCE))


def _lists(
    sight: Sight,
    form_key: str,
    record_id: int,
    add: Iterable[tuple[str, Any]],
    remove: Iterable[tuple[str, Any]],
) -> dict[str, Any]:
    """What fields of several choices hold afterwards, in the order in which it came."""
    record = sight.record(form_key, record_id)
    if record is None:
        raise StepFailed("E_NO_RECORD")
    given: dict[str, list[Any]] = {}
    for words, into in ((add, True), (remove, False)):
        for key, value in words:
            some = [] if value is None else value if isinstance(value, list) else [value]
            here = given.get(key, list(record.values.get(key) or ()))
            kept = [one for one in here if one not in some]
            given[key] = [*here, *(one for one in some if one not in here)] if into else kept
    return dict(given)


def fitted(
    session: Session, form_key: str, values: Iterable[tuple[str, Any]], zone: tzinfo
) -> dict[str, Any]:
    """Expressions' values as their fields hold them: numbers rounded, of a row its id.

    Raises Invalid, by field, where a value cannot stand in its field.
    """
    fields = shape_of(session, form_key).form.fields
    given: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in values:
        try:
            given[key] = settle(fields[key], plain(value), zone)
        except Fault as fault:
            problems.append(Problem(f"/{key}", fault.code, fault.params))
    if problems:
        raise Invalid(problems=problems)
    return given
