"""A form together with its table: what every deed on a record begins with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, select
from sqlalchemy.orm import Session

from ..definitions.form import Form, form_of, read_form
from ..definitions.kinds import Publishing
from ..definitions.model import DefinitionRow, VersionRow
from ..definitions.published import published
from ..store import jobs
from ..store.change import NotUnique, carry_out, plan
from ..store.columns import ColumnSpec, give, keep, revive
from ..store.encrypted import Keyring, keyring
from ..store.errors import Invalid, Problem
from ..store.found_by import COLUMN as FOUND_BY
from ..store.found_by import found_by
from ..store.kept import kept
from ..store.locks import Again, exclusive, shared, wait_shortly
from ..store.session import database_of, transaction
from ..store.tables import form_table


@dataclass(frozen=True, eq=False)
class Shape:
    """A form's version, its table and its columns."""

    form: Form
    table: Table
    specs: dict[str, ColumnSpec]
    keys: Keyring

    def to_columns(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Python values -> as kept; beside an encrypted one goes its entry in the blind index,
        beside the label what the record is found by."""
        columns: dict[str, Any] = {}
        for key, value in values.items():
            spec = self.specs[key]
            columns[key] = keep(spec, value)
            if spec.encrypted:
                place = self._place(key)
                columns[spec.blind] = None if value is None else self.keys.blind(place, value)
                columns[key] = None if value is None else self.keys.encrypt(place, value)
            elif key == self.form.label:
                columns[FOUND_BY] = found_by(value) if isinstance(value, str) else None
        return columns

    def to_value(self, key: str, kept_value: Any) -> Any:
        """One field as kept -> its Python value."""
        if kept_value is not None and self.specs[key].encrypted:
            return self.keys.decrypt(self._place(key), kept_value)
        return give(self.specs[key], kept_value)

    def to_values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row as kept -> Python values of the fields that are not blank."""
        return {key: self.to_value(key, row[key]) for key in self.specs if row[key] is not None}

    def from_history(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """What a history row holds -> Python values of the fields of this version."""
        return {
            key: self.to_value(key, kept[key]) if spec.encrypted else revive(spec, kept[key])
            for key, spec in self.specs.items()
            if kept.get(key) is not None
        }

    def equals(self, key: str, value: Any, table: FromClause | None = None) -> ColumnElement[bool]:
        """The rows in which a field has this Python value, by the blind index when encrypted.

        table: the form's table under another name, when it is joined.
        """
        spec = self.specs[key]
        if spec.encrypted:
            column, kept_value = spec.blind, self.keys.blind(self._place(key), value)
        else:
            column, kept_value = key, keep(spec, value)
        named = self.table if table is None else table
        found: ColumnElement[bool] = named.c[column] == kept_value
        return found

    def _place(self, key: str) -> str:
        return f"{self.form.key}.{key}"


def steady(session: Session, shape: Shape) -> None:
    """Hold off every publishing of the form until this transaction ends: what is written by this
    version is written while it is in force. Raises Again when another has just come in force.

    Deeds on SQLite take turns, publishing among them; a session that only reads holds nobody off.
    """
    facts, key = transaction(session), shape.form.key
    if not facts.writing or session.get_bind().dialect.name == "sqlite":
        return
    held = session.info.setdefault("steady", set())
    if (key, shape.form.version) in held:
        return
    shared(session, _publishing(key))
    in_force = select(DefinitionRow.version).where(
        DefinitionRow.kind == "form", DefinitionRow.key == key
    )
    if session.scalar(in_force) != shape.form.version:
        raise Again()
    held.add((key, shape.form.version))


def _publishing(form_key: str) -> str:
    return f"publishing form {form_key}"


def specs_of(form: Form) -> tuple[ColumnSpec, ...]:
    """The columns of a form's fields, in the order of its properties."""
    return tuple(
        ColumnSpec(
            field.key,
            field.storage,
            field.scale if field.storage == "scaled" else 0,
            () if field.unique else None,
            field.index,
            field.encrypted,
        )
        for field in form.fields.values()
    )


def shape_of(session: Session, form_key: str, version: int | None = None) -> Shape:
    """The form in force (or one of its versions) with its table. Raises NotFound."""
    return kept(session, ("shape", form_key, version), lambda: _shape(session, form_key, version))


def _shape(session: Session, form_key: str, version: int | None) -> Shape:
    form = form_of(published(session, "form", form_key, version))
    specs = specs_of(form)
    keys = keyring(database_of(session).home)
    return Shape(form, form_table(form.key, specs), {spec.key: spec for spec in specs}, keys)


def shape_table(session: Session, publishing: Publishing) -> list[Problem]:
    """The effect of publishing a form: its table takes the new shape; nothing is dropped.

    Returns what changed, one entry for each column. Raises Invalid for a change that would lose
    data, naming the field.
    """
    after = read_form(publishing.document, publishing.version)
    before = read_form(publishing.before) if publishing.before is not None else None
    changes, refused = plan(
        None if before is None else specs_of(before),
        specs_of(after),
        _ever(session, after.key),
    )
    if refused:
        raise Invalid(
            problems=[
                Problem(
                    f"/properties/{no.key}/x-widget",
                    "E_COLUMN_CHANGE",
                    {"was": no.was.storage, "now": no.now.storage},
                )
                for no in refused
            ]
        )
    wait_shortly(session)
    exclusive(session, _publishing(after.key))
    try:
        carry_out(session, after.key, changes, specs_of(after))
    except NotUnique as error:
        at = f"/properties/{error}/x-column"
        raise Invalid(problems=[Problem(at, "E_NOT_UNIQUE_YET")]) from error
    if before is not None and before.label != after.label:
        jobs.ask(session, "found_by", after.key)
    return [Problem(f"/properties/{c.key}", f"C_{c.kind.upper()}") for c in changes if c.key]


def _ever(session: Session, form_key: str) -> list[ColumnSpec]:
    """Every column any version of the form had, as its newest version had it."""
    query = (
        select(VersionRow.document)
        .where(VersionRow.kind == "form", VersionRow.key == form_key)
        .order_by(VersionRow.version)
    )
    specs: dict[str, ColumnSpec] = {}
    for document in session.execute(query).scalars():
        specs |= {spec.key: spec for spec in specs_of(read_form(document))}
    return list(specs.values())
