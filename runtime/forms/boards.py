"""Records as cards on a board: a column for each value of a choice, counted, cards to be moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select

from ...platform.definitions.fields import Field
from ...platform.records.lists import Page, matching
from ...platform.records.live import seen_column
from ...platform.records.narrow import Condition
from ...platform.records.record import Record
from .asked import TABLE
from .drawn import Choice
from .filters import readable_fields
from .listing import Listing
from .show import choices_to_draw, link_labels, shown
from .table import to_be_named
from .view_kind import serves

CARDS = 20  # of a column; the rest is behind a link
COLUMNS = 16  # with more choices than these, empty columns are left out
MOST_COLUMNS = 60
FACTS = 3  # on a card, beside its name


@dataclass(frozen=True)
class Card:
    """One record. movable: its reader may give it another value here."""

    id: int
    url: str
    title: str
    facts: Sequence[str]
    revision: int
    movable: bool


@dataclass(frozen=True)
class Column:
    """One value; key is empty for none. more: the address of all of them, when not all are here."""

    key: str
    title: str
    count: int
    cards: Sequence[Card]
    more: str


def places(this: Listing) -> dict[str, str] | None:
    """By which field the cards are laid out; None when no field is fit for it."""
    fit = [its for its in readable_fields(this.form, this.asked) if serves(its, "board", "by")]
    if not fit:
        return None
    return {"by": _by(this, fit).key}


def _by(this: Listing, fit: Sequence[Field]) -> Field:
    """The one asked for; else what tells where a record stands."""
    asked = next((its for its in fit if its.key == this.wanted.places.get("by")), None)
    usual = sorted(fit, key=lambda its: (not its.index, its.by_people is False))
    return asked or usual[0]


def draw(this: Listing) -> dict[str, Any]:
    """`board`: columns, by (the fields to choose from), here (where a move leads back to)."""
    chosen = places(this)
    if chosen is None:
        return {"board": None}
    its = this.form.fields[chosen["by"]]
    counts = _counts(this, its)
    titles = {choice.key: choice.title for choice in choices_to_draw(this.reader, its, ())}
    keys = [*titles, *(key for key in counts if key and key not in titles)]
    if len(keys) > COLUMNS:
        keys = [key for key in keys if counts.get(key)][:MOST_COLUMNS]
    if counts.get(None):
        keys.insert(0, "")
    columns = [_column(this, its, key, titles.get(key, key), counts) for key in keys]
    fit = [f for f in readable_fields(this.form, this.asked) if serves(f, "board", "by")]
    url = this.wanted.url(this.url, places=chosen)
    return {
        "board": {
            "columns": columns,
            "field": its.key,
            "by": [Choice(f.key, this.reader.text(f.title), f is its) for f in fit],
            "carried": list(replace(this.wanted, places={}).pairs(("cursor", "add"))),
            "here": url,
            "total": sum(counts.values()),
            "targets": [Choice(key, titles[key]) for key in titles],
        }
    }


def _counts(this: Listing, its: Field) -> dict[str | None, int]:
    """How many records of each value there are, of all that is asked for."""
    wanted = this.wanted
    reader = this.reader
    column = seen_column(this.reader.session, this.reader.actor, this.asked, this.shape, its.key)
    where = matching(
        reader.session,
        reader.actor,
        this.form.key,
        where=wanted.formula or None,
        search=wanted.search,
        extra=this.clauses(),
    )
    query = select(column, func.count()).where(*where).group_by(column)
    return {key: count for key, count in reader.session.execute(query)}


def _column(
    this: Listing, its: Field, key: str, title: str, counts: Mapping[str | None, int]
) -> Column:
    only = Condition(its.key, "is", (key,)) if key else Condition(its.key, "blank")
    count = counts.get(key or None, 0)
    page = this.page(CARDS, only) if count else Page([], None, 0)
    narrowed = this.wanted.without(its.key)
    narrowed = replace(narrowed, conditions=(*narrowed.conditions, only))
    more = narrowed.url(this.url, shown_as=TABLE, places={}) if page.next else ""
    return Column(key, title or this.reader.say("page.blank"), count, _cards(this, its, page), more)


def _cards(this: Listing, by: Field, page: Page) -> list[Card]:
    named = link_labels(this.reader, this.form, page.items)
    first, *others = [its for its in this.fields if its.key != by.key]
    return [_card(this, record, by, first, others, named) for record in page.items]


def _card(
    this: Listing,
    record: Record,
    by: Field,
    first: Field,
    others: Sequence[Field],
    named: Mapping[str, Mapping[int, str]],
) -> Card:
    def words(its: Field) -> str:
        value = record.values.get(its.key)
        return shown(this.reader, its, value, record.rights[its.key], named)

    unsaid, colon = to_be_named(this.fields), this.reader.say("page.colon")
    facts = [
        f"{this.reader.text(its.title)}{colon}{said}" if its.key in unsaid else said
        for its in others
        if (said := words(its))
    ][:FACTS]
    title = words(first) or this.reader.say("page.blank")
    movable = record.rights[by.key] == "write"
    return Card(record.id, f"{this.url}/{record.id}", title, facts, record.revision, movable)
