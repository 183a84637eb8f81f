"""What may be chosen in a field: a list's items, units, people, another form's records."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, RowMapping, select
from sqlalchemy.orm import Session

from ..definitions.field_rows import RowChoices
from ..definitions.field_time import in_minutes
from ..definitions.fields import Field
from ..definitions.form_scope import readable_form
from ..definitions.options import Choices, Options
from ..definitions.published import published
from ..definitions.understood import MISREAD, misread
from ..events.view_log import note
from ..identity.actor import Actor
from ..identity.model import Person
from ..identity.permissions import access
from ..identity.tree import tree
from ..store.errors import NotUnderstood
from ..store.kept import kept
from .file_labels import FileLabels
from .search import search_clause
from .shape import Shape, shape_of
from .visible import readable, visible


def choices_of(session: Session, field: Field) -> Choices | None:
    """The choices of a field that are kept in memory: lists, units and people; the names of files;
    of each field of a sub-form's rows; else None."""
    options = field.options
    if options is not None and options["source"] == "list":
        return list_options(session, options["list"])
    if field.type.name == "unit":
        return kept(session, "unit options", lambda: _units(session))
    if field.type.name == "person":
        return kept(session, "person options", lambda: _people(session))
    if field.type.holds_files:
        return FileLabels(session)
    if field.rows is not None:
        return RowChoices({key: choices_of(session, its) for key, its in field.rows.fields.items()})
    return field.fixed


def list_options(session: Session, key: str) -> Options:
    """The items of a published list. Raises NotFound, NotUnderstood."""
    return kept(session, ("options", key), lambda: _items(session, key))


def _items(session: Session, key: str) -> Options:
    its = published(session, "list", key)
    try:
        return Options.of_items(its.document["items"])
    except MISREAD as error:
        raise misread("list", key, its.version, its.document, error) from error


def _units(session: Session) -> Options:
    places = tree(session).places.values()
    return Options(
        {str(place.id): place.title for place in places},
        {str(place.id): (place.code,) for place in places},
    )


def _people(session: Session) -> Options:
    rows = session.execute(
        select(Person.id, Person.name, Person.login).where(Person.disabled_at.is_(None))
    ).all()
    return Options(
        {str(row.id): row.name for row in rows}, {str(row.id): (row.login,) for row in rows}
    )


def missing_reference(session: Session, actor: Actor, field: Field, value: int) -> bool:
    """Whether what a person, unit or link field points to does not exist for this actor."""
    if field.link_form is None:
        known = choices_of(session, field)
        return known is not None and not known.has(str(value))
    table = shape_of(session, field.link_form).table
    asked = access(session, actor, field.link_form)
    query = select(table.c._id).where(
        table.c._id == value, table.c._retired_at.is_(None), asked.rows("read", table)
    )
    return session.execute(query).first() is None


def labels(session: Session, actor: Actor, form_key: str, ids: set[int]) -> dict[int, str]:
    """What linked records are called, for those the actor may see."""
    if not ids:
        return {}
    try:
        shape = shape_of(session, form_key)
    except NotUnderstood:  # what leads there is shown, and what it leads to has no name
        return {}
    asked = access(session, actor, form_key)
    columns: list[ColumnElement[Any]] = [shape.table.c._id]
    label = shape.form.label
    if label is None:
        return _nameless(session, actor, shape, ids)
    columns.append(visible(asked, shape, label, least="masked").label("text"))
    columns.append(readable(asked, shape, label).label("whole"))
    query = select(*columns).where(shape.table.c._id.in_(ids), asked.rows("read", shape.table))
    rows = session.execute(query).mappings().all()
    if not actor.is_system:
        note(form_key, (row["_id"] for row in rows), "list")
    return {row["_id"]: _called(session, actor, shape, row) or f"#{row['_id']}" for row in rows}


def _nameless(session: Session, actor: Actor, shape: Shape, ids: set[int]) -> dict[int, str]:
    """Records without a name are called by whom they are about, and when: 周女士 · 2026-03-03."""
    asked = access(session, actor, shape.form.key)
    fields = sorted(shape.form.ordered, key=lambda its: not its.required)
    whom = next((its for its in fields if its.link_form and its.link_form != shape.form.key), None)
    when = next((its for its in fields if its.storage in ("moment", "date") and not its.live), None)
    parts = [its for its in (whom, when) if its is not None]
    columns = [visible(asked, shape, its.key).label(its.key) for its in parts]
    query = select(shape.table.c._id, *columns).where(
        shape.table.c._id.in_(ids), asked.rows("read", shape.table)
    )
    rows = session.execute(query).mappings().all()
    if not actor.is_system:
        note(shape.form.key, (row["_id"] for row in rows), "list")
    names: dict[int, str] = {}
    theirs = readable_form(session, whom.link_form) if whom and whom.link_form else None
    if whom is not None and whom.link_form and theirs is not None and theirs.label:
        linked = {row[whom.key] for row in rows if row[whom.key] is not None}
        names = labels(session, actor, whom.link_form, linked)
    zone = ZoneInfo(actor.time_zone)
    found = {}
    for row in rows:
        words = [names.get(row[whom.key], "")] if whom is not None else []
        if when is not None and row[when.key] is not None:
            at = in_minutes(shape.to_value(when.key, row[when.key]))
            words.append(when.show(at, zone=zone))
        found[row["_id"]] = " · ".join(word for word in words if word) or f"#{row['_id']}"
    return found


def _called(session: Session, actor: Actor, shape: Shape, row: RowMapping) -> str:
    """A record's label in words, as far as the actor may know it."""
    label = shape.form.label
    if label is None or row["text"] is None:
        return ""
    its = shape.form.fields[label]
    value = shape.to_value(label, row["text"])
    if not row["whole"]:
        return its.mask(value) or ""
    if its.storage == "text" and its.options is None:
        return str(value)
    return its.show(value, actor.language, choices_of(session, its), ZoneInfo(actor.time_zone))


def offer(
    session: Session, actor: Actor, form_key: str, text: str, limit: int = 20
) -> list[tuple[int, str]]:
    """Records to pick for a link field: id and label, those that a search for the text finds."""
    shape = shape_of(session, form_key)
    asked = access(session, actor, form_key)
    if not asked.may("read"):
        return []
    query = (
        select(shape.table.c._id)
        .where(shape.table.c._retired_at.is_(None), asked.rows("read", shape.table))
        .order_by(shape.table.c._id.desc())
        .limit(limit)
    )
    if text.strip():
        query = query.where(search_clause(session, actor, asked, shape, text))
    ids = list(session.execute(query).scalars())
    named = labels(session, actor, form_key, set(ids))
    return [(at, named[at]) for at in ids if at in named]
