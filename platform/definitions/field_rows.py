"""Sub-forms: a list of rows, each with the fields of a small form of its own.

A value is a list of mappings, field key -> value, blank ones left out, in the order of the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, NoReturn

from .faults import Fault
from .options import Choices, in_language

if TYPE_CHECKING:
    from .fields import Field
    from .form import Form

MOST = 200
"""Rows in one field, when the form does not say less."""

Row = Mapping[str, Any]


def rows_of(field: "Field") -> "Form":
    """What a row of the field is."""
    assert field.rows is not None, f"{field.key} is no sub-form"
    return field.rows


def take_rows(field: "Field", value: Any, zone: tzinfo) -> list[dict[str, Any]]:
    """JSON rows -> Python rows, for those who trust their shape; the door reads them one by one
    and says what is wrong where. Raises Fault."""
    return [
        {
            key: taken
            for key, its in rows_of(field).fields.items()
            if (taken := its.take(row.get(key), None, zone)) is not None
        }
        for row in checked(field, value)
    ]


def checked(field: "Field", value: Any) -> Sequence[Row]:
    """The value as a list of mappings. Raises Fault for anything else, and for too many."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise Fault("E_SHAPE")
    if not all(isinstance(row, Mapping) for row in value):
        raise Fault("E_SHAPE")
    if len(value) > (most := most_rows(field)):
        raise Fault("E_ROWS_MOST", most=most)
    return value


def most_rows(field: "Field") -> int:
    """How many rows the field holds."""
    limit: int = min(MOST, field.schema.get("maxItems", MOST))
    return limit


def give_rows(field: "Field", value: Sequence[Row]) -> list[dict[str, Any]]:
    fields = rows_of(field).fields
    return [{key: fields[key].give(one) for key, one in row.items()} for row in value]


def bring_rows(cell: Any) -> NoReturn:
    """A spreadsheet's cell is no table."""
    raise Fault("E_ROWS_CELL")


@dataclass(frozen=True)
class RowChoices:
    """The choices of a sub-form: those of each field of its rows. The whole chooses nothing."""

    parts: Mapping[str, Choices | None]

    def has(self, key: str) -> bool:
        return False

    def find(self, text: str) -> str | None:
        return None

    def nearest(self, text: str) -> str:
        return ""

    def label(self, key: str, language: str) -> str:
        return key


def show_rows(
    field: "Field", value: Sequence[Row], language: str, choices: Choices | None, zone: tzinfo
) -> str:
    """All rows on one line, for a cell of a list: `牙冠 数量 2；洁牙 数量 1`."""
    parts = choices.parts if isinstance(choices, RowChoices) else {}
    between, after = ("；", " ") if language == "zh-CN" else ("; ", " ")
    shown = []
    for row in value:
        words = []
        for its in rows_of(field).ordered:
            if row.get(its.key) is not None:
                text = its.show(row[its.key], language, parts.get(its.key), zone)
                named = its.type.storage in ("scaled", "bool")
                words.append(f"{in_language(its.title, language)} {text}" if named else text)
        shown.append(after.join(words))
    return between.join(shown)
