"""A form together with its table: what every deed on a record begins with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, FromClause, RowMapping, Table
from sqlalchemy.orm import Session

from ..definitions.faults import Fault
from ..definitions.fields import settle
from ..definitions.form import Form, form_of
from ..definitions.published import published
from ..store.child_rows import child_table
from ..store.columns import ColumnSpec, give, is_plain, keep, revive
from ..store.encrypted import Keyring, keyring
from ..store.found_by import COLUMN as FOUND_BY
from ..store.found_by import found_by
from ..store.kept import kept
from ..store.locks import Again, shared, shared_from_the_first
from ..store.rows import Row, read_row, with_children
from ..store.session import database_of, epoch_stands, transaction
from ..store.tables import form_table


@dataclass(frozen=True, eq=False)
class Shape:
    """A form's version, its table and its columns; its sub-forms' shapes by their keys."""

    form: Form
    table: Table
    specs: dict[str, ColumnSpec]
    keys: Keyring
    rows: Mapping[str, "Shape"] = field(default_factory=dict)
    live: Mapping[str, ColumnSpec] = field(default_factory=dict)  # of fields that have no column

    @cached_property
    def children(self) -> dict[str, Table]:
        """The tables of its sub-forms."""
        return {key: each.table for key, each in self.rows.items()}

    @cached_property
    def plain(self) -> frozenset[str]:
        """The fields whose values are kept as they are."""
        return frozenset(key for key, spec in self.specs.items() if is_plain(spec))

    def read(self, session: Session, record_id: int, *, for_update: bool = False) -> Row | None:
        """One row as kept, retired or not, with its sub-forms' rows; or None."""
        return read_row(
            session, self.table, record_id, for_update=for_update, children=self.children
        )

    def whole(self, session: Session, rows: Iterable[Row | RowMapping]) -> Sequence[Row]:
        """Rows of the table, each with its sub-forms' rows."""
        return with_children(session, [dict(row) for row in rows], self.children)

    def to_columns(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Python values -> as kept; beside an encrypted one goes its entry in the blind index,
        beside the label what the record is found by."""
        columns: dict[str, Any] = {}
        for key, value in values.items():
            if key in self.rows:
                columns[key] = [self.rows[key].to_columns(row) for row in value or ()] or None
                continue
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
        if key in self.rows:
            return [self.rows[key].to_values(row) for row in kept_value or ()]
        if kept_value is not None and self.specs[key].encrypted:
            return self.keys.decrypt(self._place(key), kept_value)
        return give(self.specs[key], kept_value)

    def to_values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row as kept -> Python values of the fields that are not blank; of live ones where the
        row has them (see `live`)."""
        values = {
            key: value if key in self.plain else self.to_value(key, value)
            for key in (*self.specs, *self.rows)
            if (value := row.get(key)) is not None
        }
        for key in self.live:
            found = row.get(key)
            if found is not None and (own := self._live_value(key, found)) is not None:
                values[key] = own
        return values

    def _live_value(self, key: str, found: Any) -> Any:
        """What was worked out, fitted to its field; blank where it does not fit."""
        its, value = self.form.fields[key], give(self.live[key], found)
        if its.type.has_options:
            return value
        try:
            return settle(its, value, UTC)
        except Fault:
            return None

    def look(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What a role's rule may ask of a row: its values, and which row it is."""
        return {**self.to_values(row), "_id": row["_id"]}

    def from_history(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """What a history row holds -> Python values of the fields of this version."""
        found: dict[str, Any] = {
            key: self.to_value(key, kept[key]) if spec.encrypted else revive(spec, kept[key])
            for key, spec in self.specs.items()
            if kept.get(key) is not None
        }
        for key, each in self.rows.items():
            if kept.get(key):
                found[key] = [each.from_history(row) for row in kept[key]]
        return found

    def equals(self, key: str, value: Any, table: FromClause | None = None) -> ColumnElement[bool]:
        """The rows in which a field has this Python value, by the blind index when encrypted.

        table: the form's table under another name, when it is joined.
        """
        source, spec = self.table if table is None else table, self.specs[key]
        if spec.encrypted:
            entries = self.keys.blinds(self._place(key), value)
            found: ColumnElement[bool] = source.c[spec.blind].in_(entries)
        else:
            found = source.c[key] == keep(spec, value)
        return found

    def encrypt_anew(self, key: str, kept_value: str) -> dict[str, str]:
        """An encrypted field's columns by the newest keys, from its ciphertext by an older one."""
        plain = self.to_value(key, kept_value)
        columns: dict[str, str] = self.to_columns({key: plain})
        return columns

    def _place(self, key: str) -> str:
        return f"{self.form.key}.{key}"


def steady(session: Session, form_key: str) -> None:
    """Hold off every publishing of the form until this transaction ends: what is written by the
    version in force is written while it is. Raises Again when another may have come in force.

    Deeds on SQLite take turns, publishing among them; a session that only reads holds nobody off.
    """
    facts = transaction(session)
    if not facts.writing or facts.database.dialect == "sqlite":
        return
    held = session.info.setdefault("steady", set())
    if form_key in held:
        return
    name = publishing(form_key)
    if not shared_from_the_first(session, name):
        # What this deed has read of the form it may have read before the lock was had, and whoever
        # read it may hold it still: so the whole epoch is to stand, though a grant moves it too.
        shared(session, name)
        if not epoch_stands(session):
            raise Again()
    held.add(form_key)


def publishing(form_key: str) -> str:
    """The name of the lock between those who publish a form and those who write by it."""
    return f"publishing form {form_key}"


def specs_of(form: Form, live: bool = False) -> tuple[ColumnSpec, ...]:
    """The columns of a form's fields, in the order of its properties; or, `live`, those of fields
    that are worked out when read, which no table has."""
    return tuple(
        ColumnSpec(
            its.key,
            its.storage,
            its.scale if its.storage == "scaled" else 0,
            its.unique,
            its.index,
            its.encrypted,
        )
        for its in form.fields.values()
        if its.rows is None and its.live == live
    )


def shape_of(session: Session, form_key: str, version: int | None = None) -> Shape:
    """The form in force (or one of its versions) with its table. Raises NotFound."""
    return kept(session, ("shape", form_key, version), lambda: _shape(session, form_key, version))


def _shape(session: Session, form_key: str, version: int | None) -> Shape:
    form = form_of(published(session, "form", form_key, version))
    specs = specs_of(form)
    keys = keyring(database_of(session).home)
    rows = {key: _rows_shape(form, its.rows, keys) for key, its in form.fields.items() if its.rows}
    table = form_table(form.key, specs)
    live = {spec.key: spec for spec in specs_of(form, live=True)}
    return Shape(form, table, {spec.key: spec for spec in specs}, keys, rows, live)


def _rows_shape(form: Form, rows: Form, keys: Keyring) -> Shape:
    specs = specs_of(rows)
    table = child_table(form.key, rows.key.removeprefix(form.key + "."), specs)
    return Shape(rows, table, {spec.key: spec for spec in specs}, keys)
