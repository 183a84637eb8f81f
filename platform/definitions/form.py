"""A form as the house reads it: its fields, layout, rules and what its records match by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Protocol

from .fields import FIELD_TYPES, Field, as_is, encrypted
from .live import live_keys
from .options import Text
from .understood import MISREAD, misread


class Defined(Protocol):
    """A published definition, or anything shaped like one."""

    @property
    def key(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def document(self) -> Any: ...


@dataclass(frozen=True)
class Section:
    """A part of the layout: fields under one title in 1 to 4 columns."""

    key: str
    title: Text | None
    help: Text | None
    columns: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """`condition` must hold when a record is saved; `level` error refuses, warn only says so."""

    key: str
    condition: str
    message: Text
    level: str
    field: str | None
    code: str


@dataclass(frozen=True, eq=False)
class Form:
    """A form's version. `match`: groups of (field, "day" or "") that tell records apart."""

    key: str
    version: int
    title: Text
    fields: Mapping[str, Field]
    layout: tuple[Section, ...]
    rules: tuple[Rule, ...]
    match: tuple[tuple[tuple[str, str], ...], ...]
    label: str | None
    unit_field: str | None
    owner_field: str | None
    document: Mapping[str, Any]

    @cached_property
    def ordered(self) -> tuple[Field, ...]:
        """Fields in the order of the layout."""
        return tuple(self.fields[key] for part in self.layout for key in part.fields)

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """The first columns of a list of its records; empty where the form does not say."""
        return tuple(self.document.get("x-listed", ()))

    @cached_property
    def by_machine(self) -> frozenset[str]:
        """The fields that no person writes: computed, numbered or the flow's."""
        return frozenset(key for key, field in self.fields.items() if not field.by_people)

    @cached_property
    def plain(self) -> frozenset[str]:
        """The fields whose values are the same in Python and in JSON."""
        return frozenset(key for key, field in self.fields.items() if field.type.give is as_is)

    @cached_property
    def links(self) -> Mapping[str, str]:
        """Link field -> the form it leads to."""
        return {key: field.link_form for key, field in self.fields.items() if field.link_form}


class _Same:
    """A document as a cache key: by identity, and kept alive so that the identity stays its own."""

    __slots__ = ("document",)

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def __hash__(self) -> int:
        return id(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.document is self.document


def form_of(definition: Defined) -> Form:
    """The form of a published definition; the same object while the definition stays cached.

    Raises NotUnderstood.
    """
    try:
        return _form(_Same(definition.document), definition.version)
    except MISREAD as error:
        its = definition
        raise misread("form", its.key, its.version, its.document, error) from error


@lru_cache(maxsize=512)
def _form(same: _Same, version: int) -> Form:
    return read_form(same.document, version)


def read_form(document: Mapping[str, Any], version: int = 0) -> Form:
    """A form from its document, which has passed `check_form`."""
    required = frozenset(document.get("required", ()))
    name = (document["key"], version)
    fields = {
        key: read_field(key, schema, key in required, name)
        for key, schema in document["properties"].items()
    }
    _mark_live(fields)
    return Form(
        key=document["key"],
        version=version,
        title=document["x-title"],
        fields=fields,
        layout=tuple(_section(part) for part in document["x-layout"]),
        rules=tuple(_rule(rule) for rule in document.get("x-rules", ())),
        match=tuple(_match(group) for group in document.get("x-match", ())),
        label=document.get("x-label"),
        unit_field=document.get("x-unit"),
        owner_field=document.get("x-owner"),
        document=document,
    )


def read_partly(key: str, document: Mapping[str, Any], version: int) -> Form:
    """What this version understands of a version's fields, and nothing else: enough to tell which
    columns there are, of whatever document."""
    fields: dict[str, Field] = {}
    its = document.get("properties")
    for name, schema in its.items() if isinstance(its, Mapping) else ():
        try:
            fields[name] = read_field(name, schema, False, (key, version))
        except MISREAD:
            continue
    _mark_live(fields)
    return Form(key, version, key, fields, (), (), (), None, None, None, document)


def _mark_live(fields: dict[str, Field]) -> None:
    for key in live_keys(fields):
        fields[key] = replace(fields[key], live=True)


def read_field(
    key: str, schema: Mapping[str, Any], required: bool = False, of: tuple[str, int] = ("", 0)
) -> Field:
    """One field from its property. of: key and version of its form, after which rows are named."""
    kind = FIELD_TYPES[schema["x-widget"]]
    options = schema.get("x-options")
    column = schema.get("x-column", {})
    return Field(
        key=key,
        type=kind,
        title=schema["x-title"],
        help=schema.get("x-help"),
        required=required,
        required_when=schema.get("x-required"),
        visible_when=schema.get("x-visible"),
        enabled_when=schema.get("x-enabled"),
        value=schema.get("x-value"),
        default=schema.get("x-default"),
        options=options,
        scale=schema.get("x-scale", 0 if schema["type"] == "integer" else kind.scale),
        sensitive=schema.get("x-sensitive", "none"),
        encrypted=encrypted(schema),
        keep_hidden=schema.get("x-keep-hidden", False),
        written_by_flow=schema.get("x-written-by") == "flow",
        link_form=options["form"] if options and options["source"] == "form" else None,
        unique=_unique(column.get("unique", False)),
        index=column.get("index", False),
        schema=schema,
        rows=_rows(f"{of[0]}.{key}", of[1], schema) if kind.storage == "rows" else None,
    )


def _unique(said: Any) -> tuple[str, ...] | None:
    """`true`, or what it is unique within: `["unit", "doctor"]`."""
    return tuple(said) if isinstance(said, list) else () if said else None


def _rows(key: str, version: int, schema: Mapping[str, Any]) -> Form:
    """What a row of a sub-form is: a form that stands in another, so with no rules or places."""
    items = schema["items"]
    required = frozenset(items.get("required", ()))
    fields = {
        each: read_field(each, its, each in required) for each, its in items["properties"].items()
    }
    layout = (Section("rows", None, None, 1, tuple(items["x-layout"])),)
    return Form(key, version, schema["x-title"], fields, layout, (), (), None, None, None, items)


def _section(part: Mapping[str, Any]) -> Section:
    return Section(
        part["key"],
        part.get("title"),
        part.get("help"),
        part.get("columns", 1),
        tuple(part["fields"]),
    )


def _rule(rule: Mapping[str, Any]) -> Rule:
    return Rule(
        rule["key"],
        rule["if"],
        rule["message"],
        rule.get("level", "error"),
        rule.get("field"),
        rule.get("code", "E_RULE"),
    )


def _match(group: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """["channel", "received_at:day"] -> (("channel", ""), ("received_at", "day"))."""
    parts = (name.partition(":") for name in group)
    return tuple((field, unit) for field, _, unit in parts)


def values_schema(form: Form) -> dict[str, Any]:
    """The plain JSON Schema that a record's JSON values satisfy: static keywords, no x- ones.

    Blank values are left out of what is validated, so null is no type here.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_object_schema(form),
        "required": [key for key, field in form.fields.items() if field.required],
    }


def _object_schema(form: Form) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _field_schema(field) for key, field in form.fields.items()},
    }


def _field_schema(field: Field) -> dict[str, Any]:
    words = {word: value for word, value in field.schema.items() if _judged(field, word)}
    if field.rows is not None:
        words["items"] = _object_schema(field.rows)
    return words


def _judged(field: Field, word: str) -> bool:
    """Limits of a decimal, which is a text in JSON, are `take`'s to judge."""
    return not word.startswith(("x-", "$"))
