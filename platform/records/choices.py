"""What may be chosen in a field: a list's items, units, people, another form's records."""

from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from ..definitions.fields import Field
from ..definitions.options import Choices, Options
from ..definitions.published import published
from ..identity.actor import Actor
from ..identity.model import Person
from ..identity.permissions import access
from ..identity.tree import tree
from ..store.kept import kept
from .shape import shape_of


def choices_of(session: Session, field: Field) -> Choices | None:
    """The choices of a field that are kept in memory: lists, units and people; else None."""
    options = field.options
    if options is not None and options["source"] == "list":
        return list_options(session, options["list"])
    if field.type.name == "unit":
        return kept(session, "unit options", lambda: _units(session))
    if field.type.name == "person":
        return kept(session, "person options", lambda: _people(session))
    return field.fixed


def list_options(session: Session, key: str) -> Options:
    """The items of a published list. Raises NotFound."""
    return kept(
        session,
        ("options", key),
        lambda: Options.of_items(published(session, "list", key).document["items"]),
    )


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
    shape = shape_of(session, form_key)
    asked = access(session, actor, form_key)
    columns: list[Any] = [shape.table.c._id, shape.table.c._owner, shape.table.c._unit]
    label = shape.form.label
    if label is not None:
        columns.append(shape.table.c[label])
    query = select(*columns).where(shape.table.c._id.in_(ids), asked.rows("read", shape.table))
    found = {}
    for row in session.execute(query).mappings():
        text = "" if label is None else row[label]
        if label is not None and text is not None:
            right = asked.rights_with(row["_owner"], row["_unit"], [label])[label]
            if right == "hidden":
                text = ""
            elif right == "masked":
                text = shape.form.fields[label].mask(text)
        found[row["_id"]] = str(text or f"#{row['_id']}")
    return found


def offer(
    session: Session, actor: Actor, form_key: str, text: str, limit: int = 20
) -> list[tuple[int, str]]:
    """Records to pick for a link field: id and label, those whose label holds the text."""
    shape = shape_of(session, form_key)
    asked = access(session, actor, form_key)
    if not asked.may("read") or shape.form.label is None:
        return []
    query = (
        select(shape.table.c._id)
        .where(shape.table.c._retired_at.is_(None), asked.rows("read", shape.table))
        .order_by(shape.table.c._id.desc())
        .limit(limit)
    )
    if text.strip():
        query = query.where(_holds(shape.table, shape.form.label, text))
    ids = list(session.execute(query).scalars())
    named = labels(session, actor, form_key, set(ids))
    return [(at, named[at]) for at in ids if at in named]


def _holds(table: Table, label: str, text: str) -> Any:
    return func.lower(table.c[label]).contains(text.strip().lower(), autoescape=True)
