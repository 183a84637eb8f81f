"""A form's record table: which columns, filters and sorts it offers, and what was asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, func

from ...platform.definitions.fields import MANY, Field
from ...platform.definitions.form import Form
from ...platform.identity.permissions import Access
from ...platform.records.behind import arguments_of
from ...platform.records.record import Record
from ...platform.records.shape import Shape
from ...platform.records.visible import visible
from .drawn import Choice
from .show import Reader, choices_to_draw, link_labels, shown

MOST_COLUMNS = 8
MOST_FILTERS = 8
UNLISTED = ("longtext", "id_card", "url")
ONE_OF = ("choice", "person", "unit", "yesno")
PREFIX = "w."


@dataclass(frozen=True)
class Asked:
    """What the address asks for: search words, one sort, filters by field; behind: which number
    of another room it asks the records of."""

    search: str
    sort: str
    cursor: str
    filters: Mapping[str, str]
    behind: Mapping[str, str] = field(default_factory=dict)

    def url(self, base: str, **changed: str) -> str:
        """The address with something changed; another sort or filter begins at the first page."""
        parts = {"q": self.search, "sort": self.sort}
        parts |= {PREFIX + key: value for key, value in self.filters.items()}
        parts |= self.behind
        parts |= {key.replace("__", "."): value for key, value in changed.items()}
        kept = {key: value for key, value in parts.items() if value}
        return f"{base}?{urlencode(kept)}" if kept else base


def asked_of(form: Form, arguments: Mapping[str, str]) -> Asked:
    """Read the address. A filter on a field that is not there is left out."""
    filters = {
        key: value.strip()[:200]
        for key in form.fields
        if (value := arguments.get(PREFIX + key, "")).strip()
    }
    return Asked(
        arguments.get("q", "").strip()[:200],
        arguments.get("sort", "").strip()[:60],
        arguments.get("cursor", ""),
        filters,
        arguments_of(arguments),
    )


def listed(form: Form, asked: Access) -> list[Field]:
    """The columns: the record's name first, then as the form is laid out."""
    rules = asked.rules("read")
    names = [its for its in form.ordered if its.key == form.label]
    others = [
        its
        for its in form.ordered
        if its.key != form.label and its.type.name not in UNLISTED and not its.encrypted
    ]
    others.sort(key=_weight)
    return [
        its
        for its in names + others
        if asked.actor.is_system or any(rule.right(its.key, "change") != "hidden" for rule in rules)
    ][:MOST_COLUMNS]


def _weight(its: Field) -> int:
    """Whom and how to reach them, what stands, what is due; what is asked for next."""
    kind = its.type.name
    if kind == "phone":
        return 0
    if kind == "yesno":
        return 5
    if its.written_by_flow:
        return 1 if kind == "choice" else 4
    if its.options is not None and its.options["source"] == "list":
        return 2 if its.required else 3
    return 3 if its.required or kind == "person" else 4


@dataclass(frozen=True)
class Filter:
    """One filter as the page offers it. choices: None for one that is typed; kind: date or text."""

    key: str
    title: str
    kind: str
    value: str
    choices: Sequence[Choice] | None


def filters(reader: Reader, form: Form, asked: Access, wanted: Asked) -> list[Filter]:
    """The filters a form offers, those in use first."""
    fields = [its for its in listed_all(form, asked) if _filterable(its)]
    fields.sort(key=lambda its: (its.key not in wanted.filters, its.type.name not in ONE_OF))
    return [_filter(reader, its, wanted.filters.get(its.key, "")) for its in fields[:MOST_FILTERS]]


def listed_all(form: Form, asked: Access) -> list[Field]:
    """Fields the asker may read on some row."""
    rules = asked.rules("read")
    return [
        its
        for its in form.ordered
        if asked.actor.is_system
        or any(rule.right(its.key, "change") in ("read", "write") for rule in rules)
    ]


def _filterable(its: Field) -> bool:
    kind = its.type.name
    return not its.encrypted and (
        kind in ONE_OF or kind in ("choices", "date", "datetime", "text", "phone")
    )


def _filter(reader: Reader, its: Field, value: str) -> Filter:
    kind = its.type.name
    choices = choices_to_draw(reader, its, [value]) if kind in (*ONE_OF, "choices") else None
    dated = kind in ("date", "datetime")
    return Filter(its.key, reader.text(its.title), "date" if dated else "text", value, choices)


def conditions(
    reader: Reader, shape: Shape, asked: Access, wanted: Asked
) -> tuple[list[ColumnElement[bool]], str | None]:
    """What the filters come to: conditions on columns, and a formula for several choices.

    A value that fits no field is a filter that nothing passes, not an error.
    """
    extra: list[ColumnElement[bool]] = []
    formulas = []
    for key, value in wanted.filters.items():
        its = shape.form.fields[key]
        if its.type.name == "choices":
            formulas.append('"{}" in {}'.format(value.replace('"', '""'), key))
        else:
            extra.append(_condition(reader, shape, its, visible(asked, shape, key), value))
    return extra, " and ".join(formulas) or None


def _condition(
    reader: Reader, shape: Shape, its: Field, column: ColumnElement[Any], value: str
) -> ColumnElement[bool]:
    kind = its.type.name
    if kind in ("date", "datetime"):
        return _on_day(reader, shape, its, column, value)
    if kind == "yesno":
        return column.is_(value == "true")
    if kind in ("person", "unit"):
        return column == (int(value) if value.isdecimal() and len(value) < 19 else 0)
    if kind == "choice":
        return column == value
    return func.lower(column).contains(value.lower(), autoescape=True)


def _on_day(
    reader: Reader, shape: Shape, its: Field, column: ColumnElement[Any], value: str
) -> ColumnElement[bool]:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return column.is_(None) & column.is_not(None)
    if its.type.name == "date":
        return column == day
    begin = datetime.combine(day, time(), reader.zone)
    end = datetime.combine(day + timedelta(days=1), time(), reader.zone)
    return (column >= begin) & (column < end)


@dataclass(frozen=True)
class Chip:
    """A filter in use, in words, and the address without it."""

    words: str
    url: str


def chips(reader: Reader, form: Form, wanted: Asked, base: str) -> list[Chip]:
    """The filters in use."""
    found = []
    for key, value in wanted.filters.items():
        its = form.fields[key]
        choices = choices_to_draw(reader, its, [value]) if _chosen(its) else ()
        words = next((choice.title for choice in choices if choice.chosen), value)
        words = reader.text(its.title) + reader.say("page.colon") + words
        found.append(Chip(words, wanted.url(base, **{f"w__{key}": ""})))
    return found


def _chosen(its: Field) -> bool:
    return its.type.name in (*ONE_OF, "choices")


@dataclass(frozen=True)
class Column:
    """A heading. sorted: `ascending`, `descending` or empty, as aria-sort says it."""

    title: str
    number: bool
    sorted: str
    sort_url: str


def columns(reader: Reader, fields: Sequence[Field], wanted: Asked, base: str) -> list[Column]:
    """The headings, each leading to its own sort, the other way round when it is sorted by."""
    found = []
    for its in fields:
        sortable = its.storage not in MANY and not its.encrypted and not its.link_form
        down = wanted.sort == "-" + its.key
        direction = "descending" if down else "ascending" if wanted.sort == its.key else ""
        other = its.key if down or not direction else "-" + its.key
        url = wanted.url(base, sort=other) if sortable else ""
        number = its.type.storage == "scaled"
        found.append(Column(reader.text(its.title), number, direction, url))
    return found


def sorts(reader: Reader, fields: Sequence[Field], wanted: Asked) -> list[Choice]:
    """The same for phones, where there are no headings."""
    found = [Choice("", reader.say("page.records.newest"), not wanted.sort)]
    for its in fields:
        if its.storage in MANY or its.encrypted or its.link_form:
            continue
        title = reader.text(its.title)
        for key, words in (
            (its.key, "page.records.sort_up"),
            ("-" + its.key, "page.records.sort_down"),
        ):
            found.append(Choice(key, reader.say(words, title=title), wanted.sort == key))
    return found


@dataclass(frozen=True)
class Cell:
    """One value in words. badge: the style of what a flow has set, which stands out."""

    title: str
    words: str
    number: bool
    badge: str


@dataclass(frozen=True)
class TableRow:
    """One record of the table."""

    url: str
    cells: Sequence[Cell]

    @property
    def badge(self) -> Mapping[str, str] | None:
        """The one badge a card has room for."""
        stands = next((cell for cell in self.cells if cell.badge and cell.words), None)
        return {"words": stands.words, "colour": stands.badge} if stands else None


def rows(
    reader: Reader, form: Form, fields: Sequence[Field], records: Sequence[Record], base: str
) -> list[TableRow]:
    """The records in words."""
    named = link_labels(reader, form, records)
    return [
        TableRow(
            f"{base}/{record.id}",
            [
                Cell(
                    reader.text(its.title),
                    shown(reader, its, record.values.get(its.key), record.rights[its.key], named),
                    its.type.storage == "scaled",
                    "badge-info" if its.written_by_flow and its.type.name == "choice" else "",
                )
                for its in fields
            ],
        )
        for record in records
    ]
