"""The filters of a record table: what each offers, and those in use as chips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.identity.permissions import Access
from ...platform.records.narrow import BLANKS, ME, TAKES, Condition, operators
from ...platform.records.spans import SPANS
from .asked import Asked
from .drawn import Choice
from .show import Reader, choices_to_draw

AT_HAND = 5  # filters that are offered before any is added
INPUTS = {
    **dict.fromkeys(("number", "money", "percent"), "number"),
    **dict.fromkeys(("date", "datetime"), "date"),
    "time": "time",
}
PICKED = ("choice", "choices", "yesno", "person", "unit", "link")


@dataclass(frozen=True)
class Filter:
    """One filter as the page offers it.

    input: `pick` (choices), `text`, `number`, `date`, `time` (these three with two ends), or
    empty when it takes no value. values: what stands in the inputs.
    """

    key: str
    title: str
    input: str
    operators: Sequence[Choice]
    choices: Sequence[Choice]
    values: Sequence[str]

    @property
    def chosen(self) -> list[Choice]:
        return [choice for choice in self.choices if choice.chosen]


def readable_fields(form: Form, asked: Access) -> list[Field]:
    """The fields that the asker may read on some row and ask about, in the order of the form."""
    rules = asked.rules("read")
    return [
        its
        for its in form.ordered
        if operators(its)
        and (
            asked.actor.is_system
            or any(rule.right(its.key, "change") in ("read", "write") for rule in rules)
        )
    ]


def filters(reader: Reader, fields: Sequence[Field], wanted: Asked) -> list[Filter]:
    """Those in use, the one just added, and the few that are always at hand."""
    used = [its for its in fields if wanted.condition(its.key) or its.key == wanted.added]
    near = [its for its in fields if its not in used and _at_hand(its)]
    return [_filter(reader, its, wanted) for its in used + near[: max(AT_HAND - len(used), 1)]]


def others(reader: Reader, fields: Sequence[Field], offered: Sequence[Filter]) -> list[Choice]:
    """The fields that a filter may be added for."""
    there = {each.key for each in offered}
    return [Choice(its.key, reader.text(its.title)) for its in fields if its.key not in there]


def _at_hand(its: Field) -> bool:
    return its.type.name in ("choice", "person", "unit", "date", "datetime") and (
        its.required or its.index or its.written_by_flow
    )


def _filter(reader: Reader, its: Field, wanted: Asked) -> Filter:
    asks = wanted.condition(its.key)
    usual, *more = known = operators(its)
    chosen = asks.operator if asks else usual
    values = list(asks.values) if asks else []
    titles = [Choice(each, operator_words(reader, its, each), each == chosen) for each in known]
    kind = "" if known == BLANKS else "pick" if _picked(its) else INPUTS.get(its.type.name, "text")
    return Filter(
        its.key,
        reader.text(its.title),
        kind,
        titles if more else (),
        _choices(reader, its, values) if kind == "pick" else (),
        (values * 2 if chosen == "is" and kind != "text" else values),
    )


def _picked(its: Field) -> bool:
    return its.type.name in PICKED


def _choices(reader: Reader, its: Field, values: Sequence[str]) -> list[Choice]:
    """Those to pick from; of people and units first of all oneself and one's own."""
    found = choices_to_draw(reader, its, values)
    if its.type.name in ("person", "unit"):
        words = reader.say(f"page.filter.me_{its.type.name}")
        found.insert(0, Choice(ME, words, ME in values))
    return found


def operator_words(reader: Reader, its: Field, operator: str) -> str:
    """An operator as the page calls it."""
    if operator in SPANS:
        return reader.say(f"page.span.{operator}")
    key = "any" if operator == "is" and _picked(its) else operator
    return reader.say(f"page.filter.{key}")


@dataclass(frozen=True)
class Chip:
    """A filter in use, in words, and the address without it."""

    words: str
    url: str


def chips(reader: Reader, form: Form, wanted: Asked, base: str) -> list[Chip]:
    """The filters in use."""
    found = [
        Chip(
            condition_words(reader, form.fields[each.field], each),
            wanted.without(each.field).url(base),
        )
        for each in wanted.conditions
    ]
    if wanted.formula:
        words = reader.say("page.filter.formula", formula=wanted.formula[:80])
        found.append(Chip(words, wanted.url(base, formula="")))
    return found


def condition_words(reader: Reader, its: Field, asks: Condition) -> str:
    """A condition as a sentence: 渠道：美团、抖音."""
    title = reader.text(its.title)
    if TAKES.get(asks.operator) == 0:
        value = operator_words(reader, its, asks.operator)
        return reader.say("page.chip.is", title=title, value=value)
    if asks.operator == "between":
        first, last = (*asks.values, "", "")[:2]
        key = "between" if first and last else "from" if first else "to"
        return reader.say(f"page.chip.{key}", title=title, first=first, last=last)
    named = list(asks.values)
    if _picked(its):
        named = [choice.title for choice in _choices(reader, its, asks.values) if choice.chosen]
    value = reader.say("page.comma").join(named or asks.values)
    return reader.say(f"page.chip.{asks.operator}", title=title, value=value)
