"""Submit, change, retire: the only ways a record is written.

In this order: permissions, values, defaults, visibility, computed values, required, JSON Schema,
rules, links, files, unique, row, history, event. Pages, API, import, flow steps and packs all
come here, so a value refused on one path is refused on all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..definitions.form import Form
from ..events.log import append
from ..identity.actor import Actor
from ..identity.permissions import Access, access
from ..identity.tree import intake_of, tree
from ..store.errors import Conflict, Invalid, NotAllowed, NotFound, Problem, Stale
from ..store.rows import Row, insert_row, update_row
from ..store.session import moment, new_id
from ..store.tables import DRAFT
from .attachments import file_problems, keep_attached
from .compute import Settled, recomputed, settle
from .live import as_seen
from .record import Record, may, rights_on
from .serial import next_serial
from .shape import Shape, shape_of, steady
from .validate import link_problems, read_values, schema_problems, unique_problems


@dataclass(frozen=True)
class Prepared:
    """A record that would be written: every check but the index's own has passed."""

    shape: Shape
    values: dict[str, Any]
    unit_id: int
    owner_id: int | None
    zone: ZoneInfo
    warnings: list[Problem]


def prepare(
    session: Session,
    actor: Actor,
    form_key: str,
    given: Mapping[str, Any],
    unit_id: int | None = None,
    action: str = "create",
) -> Prepared:
    """Every check of a new record, nothing written. Raises Invalid with every problem."""
    steady(session, form_key)
    shape = shape_of(session, form_key)
    form = shape.form
    asked = access(session, actor, form_key)
    asked.need(action)
    unit = _unit_given(form, given) or intake_of(session, unit_id or _home(session, actor))
    place = tree(session).places.get(unit or 0)
    if unit is None or place is None:
        raise Invalid(problems=[Problem(f"/{form.unit_field or ''}", "E_NO_UNIT")])
    if not asked.may_begin(action, unit):
        raise NotAllowed(form=form_key, action=action)
    zone = ZoneInfo(place.time_zone)
    rights = asked.rights_to_begin(unit, form.fields, form.by_machine)
    values, problems = read_values(session, form, given, rights, zone)
    settled = settle(session, actor, form, values, None, zone)
    _judge(session, actor, shape, settled, problems, settled.values, unit, None)
    _within_scope(asked, shape, action, unit, settled.values, values)
    owner = settled.values.get(form.owner_field) if form.owner_field else actor.person_id
    return Prepared(shape, settled.values, unit, owner, zone, settled.warnings)


def _within_scope(
    asked: Access,
    shape: Shape,
    action: str,
    unit_id: int,
    values: Mapping[str, Any],
    given: Mapping[str, Any],
) -> None:
    """A scope by expression also binds what is written anew, now that its values are known.

    Raises NotAllowed where no rule covers the record, Invalid for a field that only rules which
    do not cover it would let the writer write.
    """
    me = asked.actor.person_id

    def look() -> Mapping[str, Any]:
        return values

    if not asked.may_with(action, me, unit_id, look):
        raise NotAllowed(form=shape.form.key, action=action)
    rights = asked.rights_with(me, unit_id, shape.form.fields, "create", look)
    problems = [Problem(f"/{key}", "E_READ_ONLY") for key in given if rights[key] != "write"]
    if problems:
        raise Invalid(problems=problems)


def submit(
    session: Session,
    actor: Actor,
    form_key: str,
    given: Mapping[str, Any],
    *,
    cause: int | None = None,
    unit_id: int | None = None,
    source: str = "api",
    action: str = "create",
) -> Record:
    """Write a new record.

    given: JSON-shaped values by field key. cause: the event this follows from. unit_id: where it
    belongs when the form's unit field is blank (followed down to the unit that takes intake);
    the writer's own unit without it. action: `create`, or `import` for a file's rows.
    Raises Invalid with every problem by field, NotAllowed, NotFound for an unknown form.
    """
    prepared = prepare(session, actor, form_key, given, unit_id, action)
    return write_prepared(session, actor, prepared, cause=cause, source=source)


def write_prepared(
    session: Session, actor: Actor, prepared: Prepared, *, cause: int | None, source: str
) -> Record:
    """Write what `prepare` let through in this same transaction."""
    shape, now = prepared.shape, moment(session)
    record_id = new_id(session)
    values = prepared.values
    for key, field in shape.form.fields.items():
        if field.type.generated:
            day = now.astimezone(prepared.zone)
            pattern = field.schema["x-serial"]
            values[key] = next_serial(session, shape.form.key, key, pattern, day)
    row = {
        **dict.fromkeys(shape.specs),
        **shape.to_columns(values),
        "_id": record_id,
        "_revision": 1,
        "_version": shape.form.version,
        "_unit": prepared.unit_id,
        "_owner": prepared.owner_id,
        "_state": DRAFT,
        "_created_at": now,
        "_created_by": actor.person_id,
        "_updated_at": now,
        "_updated_by": actor.person_id,
        "_retired_at": None,
    }
    try:
        insert_row(session, shape.table, row, children=shape.children)
    except IntegrityError as error:
        raise Conflict("E_UNIQUE") from error
    keep_attached(session, actor, shape.form, record_id, values)
    data = {"form": shape.form.key, "version": shape.form.version, "source": source}
    _tell(session, actor, "record:submitted", row, data, cause)
    return as_seen(session, access(session, actor, shape.form.key), shape, row)


def change(
    session: Session,
    actor: Actor,
    form_key: str,
    record_id: int,
    given: Mapping[str, Any],
    *,
    revision: int | None = None,
    cause: int | None = None,
    source: str = "api",
) -> Record:
    """Change some values of a record; null blanks one. Fields not named keep theirs.

    revision: the one the writer saw; None changes whatever stands now (flow steps). Raises Stale
    with the record as it is when it has moved on, Invalid, NotAllowed, NotFound.
    """
    shape, row, asked = _writable(session, actor, form_key, record_id, "change", revision)
    form = shape.form
    zone = ZoneInfo(tree(session).places[row["_unit"]].time_zone)
    rights = rights_on(asked, shape, row)
    values, problems = read_values(session, form, given, rights, zone)
    before = shape.to_values(row)
    settled = settle(session, actor, form, {**before, **values}, before, zone)
    after = settled.values
    differs = {key: after.get(key) for key in form.fields if after.get(key) != before.get(key)}
    unit = _unit_given(form, after) or row["_unit"]
    _judge(session, actor, shape, settled, problems, differs, unit, record_id)
    if not differs:
        return as_seen(session, asked, shape, row)
    changed: dict[str, Any] = {
        **shape.to_columns(differs),
        "_version": form.version,
        "_updated_at": moment(session),
        "_updated_by": actor.person_id,
    }
    if form.owner_field in differs:
        changed["_owner"] = after.get(form.owner_field)
    if form.unit_field in differs and after.get(form.unit_field):
        changed["_unit"] = _moved(asked, form, after[form.unit_field])
    keep_attached(session, actor, form, record_id, differs)
    row = save_change(session, actor, shape, row, changed, differs, source, cause)
    return as_seen(session, asked, shape, row)


def save_change(
    session: Session,
    actor: Actor,
    shape: Shape,
    row: Row,
    changed: Row,
    differs: Mapping[str, Any],
    source: str,
    cause: int | None = None,
) -> Row:
    """Write what was judged: the row, its history and its event; the row after it.

    changed: columns as kept; differs: the fields that differ. For this room's own deeds only.
    """
    action = source if source == "recompute" else "change"
    row = _update(session, shape, row["_id"], changed, row, action)
    data = {
        "form": shape.form.key,
        "version": row["_version"],
        "fields": sorted(differs),
        "source": source,
    }
    _tell(session, actor, "record:changed", row, data, cause)
    return row


def _moved(asked: Access, form: Form, unit_id: int) -> int:
    """A record goes only to a unit where its writer might have begun or changed one as well."""
    if not any(asked.may_begin(action, unit_id) for action in ("create", "change")):
        raise NotAllowed(form=form.key, action="change")
    return unit_id


def retire(
    session: Session,
    actor: Actor,
    form_key: str,
    record_id: int,
    *,
    revision: int | None = None,
    cause: int | None = None,
) -> None:
    """Take a record out of use; its row, history and links stay."""
    shape, row, _asked = _writable(session, actor, form_key, record_id, "retire", revision)
    now = moment(session)
    changed = {"_retired_at": now, "_updated_at": now, "_updated_by": actor.person_id}
    row = _update(session, shape, record_id, changed, row, "retire")
    _tell(session, actor, "record:retired", row, {"form": form_key}, cause)


def restore(
    session: Session,
    actor: Actor,
    form_key: str,
    record_id: int,
    *,
    revision: int | None = None,
    cause: int | None = None,
) -> Record:
    """Take a record into use again, as it was but for what is computed; who may retire may do it.

    Raises Conflict when it is in use, and, naming the fields, when another has its unique values
    by now; NotAllowed, NotFound, Stale.
    """
    shape, row, asked = _writable(session, actor, form_key, record_id, "retire", revision, True)
    before = shape.to_values(row)
    taken = unique_problems(session, shape, before, row["_unit"], record_id)
    if taken:
        raise Conflict("E_RESTORE_UNIQUE", problems=taken)
    zone = ZoneInfo(tree(session).places[row["_unit"]].time_zone)
    after = recomputed(session, shape.form, before, zone)
    differs = {key: after.get(key) for key in after if after[key] != before.get(key)}
    changed = {
        **shape.to_columns(differs),
        "_retired_at": None,
        "_updated_at": moment(session),
        "_updated_by": actor.person_id,
    }
    row = _update(session, shape, record_id, changed, row, "restore")
    _tell(session, actor, "record:restored", row, {"form": form_key}, cause)
    return as_seen(session, asked, shape, row)


def _home(session: Session, actor: Actor) -> int | None:
    """Where a writer writes: their own unit; the system at the root of the tree."""
    if actor.unit_id is not None:
        return actor.unit_id
    places = tree(session).places.values()
    return next((place.id for place in places if place.parent_id is None), None)


def _unit_given(form: Form, given: Mapping[str, Any]) -> int | None:
    value = given.get(form.unit_field) if form.unit_field else None
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _judge(
    session: Session,
    actor: Actor,
    shape: Shape,
    settled: Settled,
    problems: list[Problem],
    changed: Mapping[str, Any],
    unit_id: int,
    record_id: int | None,
) -> None:
    """Gather every problem; a field that could not be read is told once, not also as missing."""
    said = {problem.path for problem in problems}
    later = [
        *settled.problems,
        *schema_problems(shape.form, settled.values),
        *link_problems(session, actor, shape.form, settled.values, changed),
        *file_problems(session, actor, shape.form, changed, record_id),
        *unique_problems(session, shape, settled.values, unit_id, record_id),
    ]
    problems = [*problems, *(problem for problem in later if problem.path not in said)]
    if problems:
        raise Invalid(problems=problems)


def _writable(
    session: Session,
    actor: Actor,
    form_key: str,
    record_id: int,
    action: str,
    revision: int | None,
    retired: bool = False,
) -> tuple[Shape, Row, Access]:
    """The row, locked, if the actor may see it and do this to it, at the revision they saw.

    retired: it is one out of use that is wanted.
    """
    steady(session, form_key)
    shape = shape_of(session, form_key)
    asked = access(session, actor, form_key)
    row = shape.read(session, record_id, for_update=True)
    if row is None or not may(asked, shape, "read", row):
        raise NotFound(form=form_key)
    if not may(asked, shape, action, row):
        raise NotAllowed(form=form_key, action=action)
    if (row["_retired_at"] is not None) != retired:
        raise Conflict("E_NOT_RETIRED" if retired else "E_RETIRED")
    if revision is not None and revision != row["_revision"]:
        raise Stale(current=as_seen(session, asked, shape, row))
    return shape, row, asked


def _update(
    session: Session, shape: Shape, record_id: int, changed: Row, row: Row, action: str
) -> Row:
    try:
        return update_row(
            session,
            shape.table,
            record_id,
            changed,
            row,
            action,
            shape.children,
            shape.form.version,
        )
    except IntegrityError as error:
        raise Conflict("E_UNIQUE") from error


def _tell(
    session: Session, actor: Actor, name: str, row: Row, data: dict[str, Any], cause: int | None
) -> None:
    subject = (f"form:{data['form']}", row["_id"])
    append(session, name, actor, subject, row["_unit"], data, cause)
