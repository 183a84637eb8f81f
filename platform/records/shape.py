"""A form together with its table: what every deed on a record begins with."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from ..definitions.form import Form, form_of, read_form
from ..definitions.kinds import Publishing
from ..definitions.model import VersionRow
from ..definitions.published import published
from ..store.change import NotUnique, carry_out, plan
from ..store.columns import ColumnSpec, give, keep
from ..store.errors import Invalid, Problem
from ..store.kept import kept
from ..store.tables import form_table


@dataclass(frozen=True, eq=False)
class Shape:
    """A form's version, its table and its columns."""

    form: Form
    table: Table
    specs: dict[str, ColumnSpec]

    def to_columns(self, values: dict[str, Any]) -> dict[str, Any]:
        """Python values -> as kept."""
        return {key: keep(self.specs[key], value) for key, value in values.items()}

    def to_value(self, key: str, kept_value: Any) -> Any:
        """One field as kept -> its Python value."""
        return give(self.specs[key], kept_value)

    def to_values(self, row: Any) -> dict[str, Any]:
        """A row as kept -> Python values of the fields that are not blank."""
        return {
            key: give(spec, row[key]) for key, spec in self.specs.items() if row[key] is not None
        }


def specs_of(form: Form) -> tuple[ColumnSpec, ...]:
    """The columns of a form's fields, in the order of its properties."""
    return tuple(
        ColumnSpec(
            field.key,
            field.storage,
            field.scale if field.storage == "scaled" else 0,
            () if field.unique else None,
            field.index,
        )
        for field in form.fields.values()
    )


def shape_of(session: Session, form_key: str, version: int | None = None) -> Shape:
    """The form in force (or one of its versions) with its table. Raises NotFound."""
    return kept(session, ("shape", form_key, version), lambda: _shape(session, form_key, version))


def _shape(session: Session, form_key: str, version: int | None) -> Shape:
    form = form_of(published(session, "form", form_key, version))
    specs = specs_of(form)
    return Shape(form, form_table(form.key, specs), {spec.key: spec for spec in specs})


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
    try:
        carry_out(session, after.key, changes, specs_of(after))
    except NotUnique as error:
        at = f"/properties/{error}/x-column"
        raise Invalid(problems=[Problem(at, "E_NOT_UNIQUE_YET")]) from error
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
