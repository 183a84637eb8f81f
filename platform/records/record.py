"""A record as somebody may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from ..definitions.form import Form
from ..identity.permissions import Access
from .shape import Shape

#: the rights by which a field's value is seen as it is
READABLE = ("read", "write")


@dataclass(frozen=True)
class Record:
    """One record, cut to its reader's rights.

    values: Python values of the fields that are not blank; hidden fields are not in it, masked
    ones are masked texts. rights: hidden, masked, read or write for every field of the form.
    """

    id: int
    form: Form
    revision: int
    version: int
    unit_id: int
    owner_id: int | None
    state: str
    created_at: datetime
    created_by: int | None
    updated_at: datetime
    updated_by: int | None
    retired_at: datetime | None
    values: Mapping[str, Any]
    rights: Mapping[str, str]

    def json(self) -> dict[str, Any]:
        """The values as JSON: what the API answers and what `submit` takes."""
        rights, form = self.rights, self.form
        return {
            key: value
            if key in form.plain or rights[key] == "masked"
            else form.fields[key].give(value)
            for key, value in self.values.items()
        }

    @property
    def read(self) -> dict[str, Any]:
        """The values that its reader sees unmasked: what a formula of theirs may go by."""
        return {key: value for key, value in self.values.items() if self.rights[key] in READABLE}

    @property
    def label(self) -> str:
        """What the record is called, as far as its reader may know."""
        value = self.values.get(self.form.label or "")
        return "" if value is None else str(value)


def may(asked: Access, shape: Shape, action: str, row: Mapping[str, Any]) -> bool:
    """Whether the asker may do this to a row of the form's table."""
    return asked.may_with(action, row["_owner"], row["_unit"], partial(shape.look, row))


def rights_on(asked: Access, shape: Shape, row: Mapping[str, Any]) -> Mapping[str, str]:
    """The asker's rights on the fields of a row of the form's table. A person never writes what
    is computed, numbered or the flow's."""
    form, look = shape.form, partial(shape.look, row)
    return asked.rights_with(
        row["_owner"], row["_unit"], form.fields, "change", look, form.by_machine
    )


def record_of(shape: Shape, row: Mapping[str, Any], asked: Access) -> Record:
    """A row as the asker may see it; only rows that `asked.rows` lets through come here."""
    rights = rights_on(asked, shape, row)
    values = {}
    for key, value in shape.to_values(row).items():
        if rights[key] == "masked":
            values[key] = shape.form.fields[key].mask(value)
        elif rights[key] != "hidden":
            values[key] = value
    return Record(
        id=row["_id"],
        form=shape.form,
        revision=row["_revision"],
        version=row["_version"],
        unit_id=row["_unit"],
        owner_id=row["_owner"],
        state=row["_state"],
        created_at=row["_created_at"],
        created_by=row["_created_by"],
        updated_at=row["_updated_at"],
        updated_by=row["_updated_by"],
        retired_at=row["_retired_at"],
        values=values,
        rights=rights,
    )
