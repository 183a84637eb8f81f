"""Every field type, one table entry each: storage, and the way of a value in and out.

A type's four ways:
  take   JSON, or a Python value that is already of the type -> the Python value; raises Fault
  give   the Python value -> JSON
  bring  a spreadsheet's cell -> JSON for `take`; raises Fault
  show   the Python value -> text for people; `bring` reads it back
Blank (None, "", blanks only, []) is None everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..identity.masks import mask
from . import field_file, field_number, field_rows, field_text, field_time
from .cells import bring_choice, bring_choices, bring_reference, bring_yesno, yesno_label
from .faults import Fault
from .options import Choices, Options, Text

if TYPE_CHECKING:
    from .form import Form

LARGEST_ID = 2**63 - 1
MANY = ("json", "rows")
"""Storages of more than one value, which no column compares, sorts or matches by."""


@dataclass(frozen=True, eq=False)
class Field:
    """One field of a form, read from its property. Expressions are texts, or None.

    unique: what no two records share its value within (() is the form, `unit` the record's own; of
    a row's field `parent`, its record).
    rows: what each row of a sub-form is, as a form called `form.field`. live: see `live`.
    """

    key: str
    type: "FieldType"
    title: Text
    help: Text | None
    required: bool
    required_when: str | None
    visible_when: str | None
    enabled_when: str | None
    value: str | None
    default: str | None
    options: Mapping[str, Any] | None
    scale: int
    sensitive: str  # none, personal or medical
    encrypted: bool
    keep_hidden: bool
    written_by_flow: bool
    link_form: str | None
    unique: tuple[str, ...] | None
    index: bool
    schema: Mapping[str, Any]
    rows: "Form | None" = None
    live: bool = False

    @property
    def storage(self) -> str:
        """The type's storage; a number without decimals is whole."""
        return "whole" if self.type.storage == "scaled" and self.scale == 0 else self.type.storage

    @property
    def by_people(self) -> bool:
        """People may write it: it is neither computed, nor numbered, nor the flow's."""
        return not (self.value or self.type.generated or self.written_by_flow)

    @cached_property
    def fixed(self) -> Options | None:
        """The options written in the field itself, if they are."""
        if self.options is None or self.options["source"] != "fixed":
            return None
        return Options.of_items(self.options["items"])

    def take(self, value: object, choices: Choices | None = None, zone: tzinfo = UTC) -> Any:
        return None if is_blank(value) else self.type.take(self, value, choices, zone)

    def give(self, value: Any) -> Any:
        return None if value is None else self.type.give(self, value)

    def bring(self, cell: object, choices: Choices | None = None, zone: tzinfo = UTC) -> Any:
        return None if is_blank(cell) else self.type.bring(self, cell, choices, zone)

    def show(
        self,
        value: Any,
        language: str = "zh-CN",
        choices: Choices | None = None,
        zone: tzinfo = UTC,
    ) -> str:
        return "" if value is None else self.type.show(self, value, language, choices, zone)

    def mask(self, value: Any) -> str:
        """What people see who may not see all of it; "" when it shows nothing."""
        return mask(value, self.type.name) or ""


Take = Callable[[Field, Any, Choices | None, tzinfo], Any]
Give = Callable[[Field, Any], Any]
Bring = Callable[[Field, Any, Choices | None, tzinfo], Any]
Show = Callable[[Field, Any, str, Choices | None, tzinfo], str]


def is_blank(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip().strip(field_text.UNSEEN).strip()
    return value is None or value == []


@dataclass(frozen=True, eq=False)
class FieldType:
    """`storage` is text, scaled, bool, date, time, moment, json, reference, or rows: a table.

    `json` is the JSON type a value has; `expression` the type formulas see; `longest` caps a text.
    A generated type is filled in by the door alone; values of one that holds_files are file ids.
    """

    name: str
    storage: str
    json: str
    expression: str
    take: Take
    give: Give
    bring: Bring
    show: Show
    longest: int = 0
    scale: int = 0
    generated: bool = False
    has_options: bool = False
    holds_files: bool = False


def read_text(lines: bool, form_of_text: Callable[[str], str] | None = None) -> Take:
    def take(field: Field, value: Any, choices: Choices | None, zone: tzinfo) -> str | None:
        if not isinstance(value, str):
            raise Fault("E_SHAPE")
        text = field_text.clean(value, lines)
        if form_of_text is not None:
            text = form_of_text(text)
        most = min(field.type.longest, field.schema.get("maxLength", field.type.longest))
        if len(text) > most:
            raise Fault("E_TOO_LONG", most=most)
        if len(text) < field.schema.get("minLength", 0):
            raise Fault("E_TOO_SHORT", least=field.schema["minLength"])
        return text or None

    return take


def bring_text(field: Field, cell: Any, choices: Choices | None, zone: tzinfo) -> str:
    if isinstance(cell, float):  # an account number a spreadsheet took for a quantity
        return format(cell, ".0f") if cell.is_integer() else repr(cell)
    return str(cell)


def take_number(field: Field, value: Any, choices: Choices | None, zone: tzinfo) -> int | Decimal:
    number = field_number.read_number(value, field.scale)
    field_number.check_range(number, field.schema.get("minimum"), field.schema.get("maximum"))
    return number


def bring_number(field: Field, cell: Any, choices: Choices | None, zone: tzinfo) -> int | str:
    return field_number.bring_number(cell, field.scale, field.type.name == "percent")


def take_choice(field: Field, value: Any, choices: Choices | None, zone: tzinfo) -> str:
    if not isinstance(value, str):
        raise Fault("E_SHAPE")
    return _option(field_text.clean(value), choices or field.fixed)


def take_choices(field: Field, value: Any, choices: Choices | None, zone: tzinfo) -> list[str]:
    if isinstance(value, str):  # what a formula gives for one choice alone
        value = [value]
    if not isinstance(value, Sequence):
        raise Fault("E_SHAPE")
    keys = [take_choice(field, item, choices, zone) for item in value]
    if len(set(keys)) < len(keys):
        raise Fault("E_TWICE")
    if len(keys) > (most := field.schema.get("maxItems", 100)):
        raise Fault("E_MOST_CHOICES", most=most)
    if len(keys) < (least := field.schema.get("minItems", 0)):
        raise Fault("E_LEAST_CHOICES", least=least)
    return keys


def _option(key: str, choices: Choices | None) -> str:
    if choices is not None and not choices.has(key):
        raise Fault("E_OPTION", value=key[:80], nearest=choices.nearest(key[:80]))
    return key


def take_yesno(field: Field, value: Any, choices: Choices | None, zone: tzinfo) -> bool:
    if not isinstance(value, bool):
        raise Fault("E_YESNO")
    return value


def take_reference(field: Field, value: Any, choices: Choices | None, zone: tzinfo) -> int:
    """An id: a text of digits in JSON. Whether the person, unit or record exists, the door asks."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        raise Fault("E_REFERENCE")
    return value


def as_is(field: Field, value: Any) -> Any:
    return value


def show_choice(
    field: Field, value: Any, language: str, choices: Choices | None, zone: tzinfo
) -> str:
    """The labels of one choice or several; of a person, unit or record where labels are known."""
    known = choices or field.fixed
    keys = value if isinstance(value, list) else [str(value)]
    separator = "；" if language == "zh-CN" else "; "
    return separator.join(known.label(key, language) if known else key for key in keys)


def _text(name: str, longest: int, *, lines: bool = False, **more: Any) -> FieldType:
    form_of_text = more.pop("form_of_text", None)
    return FieldType(
        name,
        "text",
        "string",
        "text",
        take=read_text(lines, form_of_text),
        give=as_is,
        bring=bring_text,
        show=lambda field, value, language, choices, zone: str(value),
        longest=longest,
        **more,
    )


def _number(name: str, show: Callable[[Any, int], str], scale: int = 0) -> FieldType:
    return FieldType(
        name,
        "scaled",
        "string",
        "money" if name == "money" else "number",
        take=take_number,
        give=lambda field, value: field_number.write_number(value, field.scale),
        bring=bring_number,
        show=lambda field, value, language, choices, zone: show(value, field.scale),
        scale=scale,
    )


def _reference(name: str, expression: str) -> FieldType:
    return FieldType(
        name,
        "reference",
        "string",
        expression,
        take=take_reference,
        give=lambda field, value: str(value),
        bring=lambda field, cell, choices, zone: bring_reference(cell, choices),
        show=show_choice,
    )


def _option_type(name: str, storage: str, json: str, expression: str, take: Take) -> FieldType:
    bring = bring_choices if name == "choices" else bring_choice
    return FieldType(
        name,
        storage,
        json,
        expression,
        take=take,
        give=as_is,
        bring=lambda field, cell, choices, zone: bring(cell, choices or field.fixed),
        show=show_choice,
        has_options=True,
    )


def _file_type(name: str) -> FieldType:
    """Files by their ids; `choices` are their names."""
    return FieldType(
        name,
        "json",
        "array",
        "list",
        take=lambda field, value, choices, zone: field_file.read_files(
            value, field.schema.get("minItems", 0), field.schema.get("maxItems", field_file.MOST)
        ),
        give=as_is,
        bring=lambda field, cell, choices, zone: field_file.bring_files(cell),
        show=show_choice,
        holds_files=True,
    )


YESNO = FieldType(
    "yesno",
    "bool",
    "boolean",
    "bool",
    take=take_yesno,
    give=as_is,
    bring=lambda field, cell, choices, zone: bring_yesno(cell),
    show=lambda field, value, language, choices, zone: yesno_label(value, language),
)
DATE = FieldType(
    "date",
    "date",
    "string",
    "date",
    take=lambda field, value, choices, zone: field_time.read_date(value),
    give=lambda field, value: value.isoformat(),
    bring=lambda field, cell, choices, zone: field_time.bring_date(cell),
    show=lambda field, value, language, choices, zone: value.isoformat(),
)
TIME = FieldType(
    "time",
    "time",
    "string",
    "text",
    take=lambda field, value, choices, zone: field_time.read_time(value),
    give=lambda field, value: field_time.write_time(value),
    bring=lambda field, cell, choices, zone: field_time.bring_time(cell),
    show=lambda field, value, language, choices, zone: field_time.write_time(value),
)
DATETIME = FieldType(
    "datetime",
    "moment",
    "string",
    "datetime",
    take=lambda field, value, choices, zone: field_time.read_moment(value, zone),
    give=lambda field, value: field_time.write_moment(value),
    bring=lambda field, cell, choices, zone: field_time.bring_moment(cell, zone),
    show=lambda field, value, language, choices, zone: field_time.show_moment(value, zone),
)

FIELD_TYPES: dict[str, FieldType] = {
    type.name: type
    for type in (
        _text("text", 500),
        _text("longtext", 20_000, lines=True),
        _number("number", field_number.show_plain),
        _number("money", field_number.show_money, scale=2),
        _number("percent", field_number.show_percent, scale=4),
        _option_type("choice", "text", "string", "text", take_choice),
        _option_type("choices", "json", "array", "list", take_choices),
        YESNO,
        DATE,
        TIME,
        DATETIME,
        _reference("person", "person"),
        _reference("unit", "row"),
        _text("phone", 20, form_of_text=field_text.phone),
        _text("id_card", 18, form_of_text=field_text.id_card),
        _text("email", 254, form_of_text=field_text.email),
        _text("url", 2_000, form_of_text=field_text.url),
        _reference("link", "row"),
        _text("serial", 40, generated=True),
        _file_type("file"),
        _file_type("image"),
        FieldType(
            "subform",
            "rows",
            "array",
            "list",
            take=lambda field, value, choices, zone: field_rows.take_rows(field, value, zone),
            give=lambda field, value: field_rows.give_rows(field, value),
            bring=lambda field, cell, choices, zone: field_rows.bring_rows(cell),
            show=lambda field, value, language, choices, zone: field_rows.show_rows(
                field, value, language, choices, zone
            ),
        ),
    )
}


def encrypted(schema: Mapping[str, Any]) -> bool:
    """Whether a property's values are kept encrypted; identity cards are unless it says not."""
    return bool(schema.get("x-encrypted", schema["x-widget"] == "id_card"))


def settle(field: Field, value: Any, zone: tzinfo) -> Any:
    """What a formula gave, fitted to its field: numbers rounded, a moment's day in `zone`."""
    if value is None:
        return None
    if field.type.storage == "scaled" and isinstance(value, int | Decimal):
        return field_number.settle(value, field.scale)
    if field.type.name == "date" and isinstance(value, datetime):
        return value.astimezone(zone).date()
    whole_day = isinstance(value, date) and not isinstance(value, datetime)
    if field.type.name == "datetime" and whole_day:
        return datetime.combine(value, time(), zone).astimezone(UTC)
    return field.take(value, zone=zone)
