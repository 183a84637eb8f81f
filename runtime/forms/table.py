"""A form's record table: its columns, the sorts it offers, its rows in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...platform.definitions.fields import MANY, Field
from ...platform.definitions.form import Form
from ...platform.identity.permissions import Access
from ...platform.records.record import Record
from .asked import MOST_COLUMNS, Asked
from .drawn import Choice
from .show import Reader, link_labels, shown

AT_FIRST = 8  # columns, where nobody has chosen others
UNLISTED = ("longtext", "id_card", "url", "file", "image")


def seen_fields(form: Form, asked: Access) -> list[Field]:
    """The fields the asker sees on some row, masked perhaps: what may be a column."""
    rules = asked.rules("read")
    return [
        its
        for its in form.ordered
        if its.storage != "rows"
        and (
            asked.actor.is_system
            or any(rule.right(its.key, "change") != "hidden" for rule in rules)
        )
    ]


def listed(form: Form, asked: Access, chosen: Sequence[str] = ()) -> list[Field]:
    """The columns: those chosen; else those the form names; else the record's name, then what
    tells most about it."""
    seen = seen_fields(form, asked)
    picked = [form.fields[key] for key in chosen or form.listed if form.fields[key] in seen]
    if picked:
        return picked[:MOST_COLUMNS]
    names = [its for its in seen if its.key == form.label]
    others = [
        its
        for its in seen
        if its.key != form.label and its.type.name not in UNLISTED and not its.encrypted
    ]
    nameless = not names or names[0].type.generated
    others.sort(key=lambda its: _whom(its) if nameless else _weight(its))
    return (names + others)[:AT_FIRST]


def _whom(its: Field) -> int:
    """Of a record without a name of its own: whom it is about, and when."""
    if its.link_form and its.required:
        return -2
    return -1 if its.required and its.storage in ("moment", "date") else _weight(its)


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
    """One value in words. badge: the style of what a flow has set, which stands out. named:
    whether a line of values has to say what it is."""

    title: str
    words: str
    number: bool
    badge: str
    named: bool


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


def to_be_named(fields: Sequence[Field]) -> set[str]:
    """The fields whose values do not tell by themselves what they are, in a line without headings:
    numbers, a yes or no, and every time but the first."""
    times = [its.key for its in fields if its.storage in ("moment", "date")]
    plain = [its.key for its in fields if its.type.storage in ("scaled", "bool")]
    return {*plain, *times[1:]}


def rows(
    reader: Reader, form: Form, fields: Sequence[Field], records: Sequence[Record], base: str
) -> list[TableRow]:
    """The records in words."""
    named, unsaid = link_labels(reader, form, records), to_be_named(fields)
    return [
        TableRow(
            f"{base}/{record.id}",
            [
                Cell(
                    reader.text(its.title),
                    shown(reader, its, record.values.get(its.key), record.rights[its.key], named),
                    its.type.storage == "scaled",
                    "badge-info" if its.written_by_flow and its.type.name == "choice" else "",
                    its.key in unsaid,
                )
                for its in fields
            ],
        )
        for record in records
    ]
