"""A report and its reader -> its answer. Row scope and field rights stand in the select itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from ...platform.definitions.options import Text
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import need
from ...platform.store.session import moment
from .bounds import bounded
from .definition import Dimension, Report, report_of
from .groups import called, key_of
from .lens import Condition, Lens, lens_of
from .measures import Counted, Number, Numbers, counted, finished
from .periods import days_before
from .question import Question

MOST_GROUPS = 1_000


@dataclass(frozen=True)
class Column:
    """A column of the answer; kind is `dimension` or `measure`."""

    key: str
    title: Text
    kind: str


@dataclass(frozen=True)
class Group:
    """Records that agree in the report's dimensions. keys: texts (ids and dates too), booleans or
    None; count: how many records; rank: in a leaderboard, None for who is not ranked."""

    keys: tuple[Any, ...]
    count: int
    numbers: Mapping[str, Number]
    rank: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a report came to.

    names: for each dimension, what its keys are called. total: all groups together, counted anew
    and never summed up. before: the same of the period before, when asked for, which lasted over
    `compared`. more: groups beyond the limit were left out. as_of: when the records were read.
    """

    report: Report
    question: Question
    dimensions: tuple[Dimension, ...]
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    total: Group
    since: date | None
    until: date | None
    as_of: datetime
    names: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    more: bool = False
    before: Group | None = None
    compared: tuple[date | None, date | None] = (None, None)

    @property
    def rows(self) -> list[list[Any]]:
        """The groups as JSON: keys, then numbers."""
        return [[*group.keys, *map(plain, group.numbers.values())] for group in self.groups]

    @property
    def totals(self) -> list[Any]:
        """The total's numbers as JSON."""
        return [plain(number) for number in self.total.numbers.values()]


def plain(number: Number) -> int | str | None:
    """A number as JSON: a whole one as it is, others as decimal text, unrounded."""
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else format(number.normalize(), "f")


def run_report(
    session: Session,
    actor: Actor,
    key: str,
    question: Question | None = None,
    *,
    language: str = "zh-CN",
) -> Answer:
    """Answer a report as its reader may know it.

    Raises NotFound, NotAllowed (needs the right `reports.read:KEY`, and reading the form),
    Malformed for a question the report does not answer, NotUnderstood, Unavailable when it takes
    too long.
    """
    need(session, actor, f"reports.read:{key}")
    report = report_of(session, key)
    lens = lens_of(session, actor, report)
    asked = question or Question()
    with bounded(session):
        return _answer(lens, asked, language)


def _answer(lens: Lens, question: Question, language: str) -> Answer:
    report, today = lens.report, lens.today()
    wanted = lens.wanted(question)
    measures = counted(lens, wanted)
    total = _groups(lens, (), measures, wanted)[0]
    total = _finished(report, total, total.numbers)
    dimensions = question.dimensions(report)
    groups = _groups(lens, dimensions, measures, wanted) if dimensions else []
    kept = [_finished(report, group, total.numbers) for group in groups[:MOST_GROUPS]]
    since, until = question.days(report, today)
    before, compared = _before(lens, question, since, until, today)
    return Answer(
        report,
        question,
        dimensions,
        _columns(lens, dimensions),
        tuple(_ordered(report, dimensions, kept)),
        total,
        since,
        until,
        moment(lens.session),
        _names(lens, dimensions, kept, language),
        len(groups) > MOST_GROUPS,
        before,
        compared,
    )


def _before(
    lens: Lens, question: Question, since: date | None, until: date | None, today: date
) -> tuple[Group | None, tuple[date | None, date | None]]:
    """The total of the period before, where the report compares."""
    report = lens.report
    days = days_before(question.period or report.period, since, until, today)
    if not report.compare or days is None:
        return None, (None, None)
    wanted = lens.wanted(Question("all", filters=question.filters)) + lens.within(*days)
    total = _groups(lens, (), counted(lens, wanted), wanted)[0]
    return _finished(report, total, total.numbers), days


def _groups(
    lens: Lens,
    dimensions: Sequence[Dimension],
    measures: Sequence[Counted],
    wanted: Sequence[Condition],
) -> list[Group]:
    """One select: the groups with the most records, one more than the limit."""
    keys: list[ColumnElement[Any]] = [lens.group(dimension) for dimension in dimensions]
    # Measures may share a part; it is the same object then, and asked for once.
    parts = {id(part): part for measure in measures for part in measure.parts}
    query = (
        select(*keys, func.count(), *parts.values()).select_from(lens.shape.table).where(*wanted)
    )
    if keys:
        # By position: PostgreSQL takes no two expressions with parameters for the same.
        places = [text(str(number + 1)) for number in range(len(keys))]
        query = query.group_by(*places).order_by(func.count().desc(), *places)
    rows = lens.session.execute(query.limit(MOST_GROUPS + 1)).all()
    found = []
    for row in map(tuple, rows):
        values = dict(zip(parts, row[len(keys) + 1 :], strict=True))
        numbers = {
            measure.key: measure.read([values[id(part)] for part in measure.parts])
            for measure in measures
        }
        found.append(Group(tuple(map(key_of, row[: len(keys)])), int(row[len(keys)]), numbers))
    return found


def _finished(report: Report, group: Group, totals: Numbers) -> Group:
    return Group(group.keys, group.count, finished(report, group.numbers, totals))


def _ordered(
    report: Report, dimensions: Sequence[Dimension], groups: Sequence[Group]
) -> Sequence[Group]:
    """In time's order by dates and hours; in a leaderboard by rank; else the most first."""
    by_key = sorted(groups, key=lambda group: [_sortable(key) for key in group.keys])
    if dimensions and dimensions[0].grain is not None:
        return by_key
    first = report.rank or report.measures[0].key
    ordered = sorted(by_key, key=lambda group: _most(group.numbers[first]))
    return ranked(ordered, report.rank) if report.chart == "leaderboard" else ordered


def _sortable(key: Any) -> tuple[bool, str]:
    text = str(key)
    return key is None, text.zfill(4) if text.isdigit() else text


def _most(number: Number) -> tuple[bool, Decimal]:
    return number is None, -(number or Decimal(0))


def ranked(groups: Sequence[Group], measure: str) -> list[Group]:
    """With their ranks: who ties shares a rank, and the next one is skipped.

    Records that belong to nobody have no rank and stand last.
    """
    found: list[Group] = []
    named = [group for group in groups if None not in group.keys]
    for place, group in enumerate(named):
        number = group.numbers[measure]
        ties = found and found[-1].numbers[measure] == number
        rank = found[-1].rank if ties else place + 1
        rank = None if number is None else rank
        found.append(Group(group.keys, group.count, group.numbers, rank))
    return found + [group for group in groups if None in group.keys]


def _columns(lens: Lens, dimensions: Sequence[Dimension]) -> tuple[Column, ...]:
    fields = lens.shape.form.fields
    return (
        *(Column(d.key, d.title or fields[d.field].title, "dimension") for d in dimensions),
        *(Column(m.key, m.title, "measure") for m in lens.report.measures),
    )


def _names(
    lens: Lens, dimensions: Sequence[Dimension], groups: Sequence[Group], language: str
) -> dict[str, dict[Any, str]]:
    """What the groups' keys are called, as far as the reader may know."""
    return {
        dimension.key: called(
            lens, dimension, {group.keys[number] for group in groups} - {None}, language
        )
        for number, dimension in enumerate(dimensions)
    }
