"""The filter bar above a report or a dashboard: what it offers, what is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from ...platform.definitions.fields import Field
from ...platform.definitions.options import Options
from ...platform.identity.tree import tree
from ...platform.records.choices import choices_of
from ...platform.records.visible import known_fields
from ...platform.web.words import say, text
from .lens import Lens
from .periods import PERIODS
from .question import CUSTOM, FILTER, Question

MOST_PEOPLE = 200


@dataclass(frozen=True)
class Choice:
    """One choice of a filter."""

    key: str
    title: str
    chosen: bool


@dataclass(frozen=True)
class Offer:
    """A filter: the argument it goes by, its title, and what may be chosen beside anything."""

    name: str
    title: str
    choices: Sequence[Choice]


@dataclass(frozen=True)
class FilterBar:
    """periods: none for what has no date. kept: arguments that go on as they are, beside a period
    or beside days. clear: the address without any filter, "" when none is in use."""

    url: str
    periods: Sequence[Choice]
    offers: Sequence[Offer]
    since: str
    until: str
    is_custom: bool
    kept: Mapping[str, str]
    filters: Mapping[str, str]
    clear: str


def filter_bar(
    lens: Lens,
    question: Question,
    url: str,
    *,
    period: str,
    fields: Sequence[str],
    days: tuple[date | None, date | None],
    language: str,
) -> FilterBar:
    """The bar for a question. lens: any report it filters. period: the one meant by none chosen;
    days: those of the period in force."""
    chosen = question.period or period
    periods = [Choice(key, say(language, f"report.period.{key}"), key == chosen) for key in PERIODS]
    is_custom = chosen == CUSTOM
    if is_custom:
        periods.append(Choice(CUSTOM, say(language, "report.period.custom"), True))
    seen = known_fields(lens.asked, lens.shape)
    offers = [
        _offer(lens, lens.field(key), question.filters.get(key, ""), language)
        for key in fields
        if key in seen
    ]
    since, until = (day.isoformat() if day else "" for day in days)
    kept = {"by": question.by} if question.by else {}
    custom = {"from": since, "until": until} if is_custom else {}
    bare = replace(question, period="", since=None, until=None, filters={})
    return FilterBar(
        url,
        periods if lens.report.date is not None else (),
        offers,
        since,
        until,
        is_custom,
        {**kept, **custom},
        {**kept, **{FILTER + key: value for key, value in question.filters.items()}},
        address(url, bare) if question.filters or question.period else "",
    )


def address(url: str, question: Question) -> str:
    """Where a question is asked."""
    arguments = question.arguments()
    return f"{url}?{urlencode(arguments)}" if arguments else url


def _offer(lens: Lens, its: Field, value: str, language: str) -> Offer:
    pairs = [(key, title) for key, title in _pairs(lens, its, language)]
    return Offer(
        FILTER + its.key,
        text(its.title, language),
        [Choice(key, title, key == value) for key, title in pairs],
    )


def _pairs(lens: Lens, its: Field, language: str) -> list[tuple[str, str]]:
    if its.type.name == "yesno":
        return [
            ("true", say(language, "page.field.yes")),
            ("false", say(language, "page.field.no")),
        ]
    if its.type.name == "unit":
        return _units(lens, language)
    known = choices_of(lens.session, its)
    titles: Mapping[str, Any] = known.titles if isinstance(known, Options) else {}
    if its.type.name == "person":
        there = _people(lens, its.key)
        return [(key, text(titles[key], language)) for key in titles if key in there]
    return [(key, text(title, language)) for key, title in titles.items()]


def _units(lens: Lens, language: str) -> list[tuple[str, str]]:
    """The units within the reader's grants, each below the one it belongs to."""
    places = tree(lens.session).places.values()
    paths = [grant.unit_path for grant in lens.actor.grants]
    within = [
        place
        for place in places
        if lens.actor.is_system or any(place.path.startswith(path) for path in paths)
    ]
    least = min((place.path.count("/") for place in within), default=0)
    return [
        (
            str(place.id),
            "　" * ((place.path.count("/") - least) // 2) + text(place.title, language),
        )
        for place in within
    ]


def _people(lens: Lens, key: str) -> set[str]:
    """The people that stand in the field in records the reader may read."""
    table, column = lens.shape.table, lens.column(key)
    rows = lens.asked.rows("read", table)
    query = select(column).where(table.c._retired_at.is_(None), rows, column.is_not(None))
    return {str(found) for found in lens.session.scalars(query.distinct().limit(MOST_PEOPLE))}
