"""A report and its reader -> rows. Row scope and field rights stand in the select itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from ...platform.definitions.form_scope import form_scope
from ...platform.definitions.options import Text
from ...platform.definitions.published import published
from ...platform.expressions import check
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import Access, access, need
from ...platform.records.choices import choices_of, labels
from ...platform.records.filters import filter_clause
from ...platform.records.lowered import lowered
from ...platform.records.shape import Shape, shape_of
from ...platform.records.visible import visible
from ...platform.store.errors import Malformed
from ...platform.store.session import moment
from .definition import Report, measure_scope, read_report

MOST_GROUPS = 1_000


@dataclass(frozen=True)
class Column:
    """A column of the answer; kind is `dimension` or `measure`."""

    key: str
    title: Text
    kind: str


@dataclass(frozen=True)
class Answer:
    """What a report came to.

    rows: for each group its keys as the API gives them and its numbers (None: not to be said).
    names: for each dimension, what its keys are called. more: groups beyond the limit were left
    out. as_of: the moment the rows were read.
    """

    report: Report
    columns: tuple[Column, ...]
    rows: list[list[Any]]
    names: dict[str, dict[Any, str]] = field(default_factory=dict)
    totals: list[Any] = field(default_factory=list)
    more: bool = False
    as_of: datetime | None = None
    since: date | None = None
    until: date | None = None


def run_report(
    session: Session,
    actor: Actor,
    key: str,
    *,
    since: date | None = None,
    until: date | None = None,
    language: str = "zh-CN",
) -> Answer:
    """Answer a report as its reader may know it.

    since, until: days of the reader's zone, `until` included, by the report's date field.
    Raises NotFound, NotAllowed (needs the right `reports.read:KEY`, and reading the form).
    """
    need(session, actor, f"reports.read:{key}")
    report = read_report(published(session, "report", key).document)
    shape = shape_of(session, report.form)
    asked = access(session, actor, report.form)
    asked.need("read")
    if since and until and until < since:
        raise Malformed("E_DATE_RANGE")
    groups = [visible(asked, shape, dimension.field) for dimension in report.dimensions]
    measures = _measures(session, actor, asked, shape, report)
    wanted = _wanted(session, actor, asked, shape, report, since, until)
    query: Select[Any] = select(*groups, *measures).where(*wanted)
    if groups:
        query = query.group_by(*groups).order_by(measures[0].desc().nulls_last(), *groups)
    rows = session.execute(query.limit(MOST_GROUPS + 1)).all()
    totals = session.execute(select(*measures).where(*wanted)).one()
    names = _names(session, actor, shape, report, [row[: len(groups)] for row in rows], language)
    return Answer(
        report,
        _columns(shape, report),
        [
            [*(_key(value) for value in row[: len(groups)]), *map(_number, row[len(groups) :])]
            for row in rows[:MOST_GROUPS]
        ],
        names,
        [_number(value) for value in totals],
        len(rows) > MOST_GROUPS,
        moment(session),
        since,
        until,
    )


def _columns(shape: Shape, report: Report) -> tuple[Column, ...]:
    fields = shape.form.fields
    return (
        *(Column(d.key, d.title or fields[d.field].title, "dimension") for d in report.dimensions),
        *(Column(m.key, m.title, "measure") for m in report.measures),
    )


def _measures(
    session: Session, actor: Actor, asked: Access, shape: Shape, report: Report
) -> list[ColumnElement[Any]]:
    scope = measure_scope(form_scope(session, report.form))
    return [
        lowered(session, actor, asked, shape, check(measure.formula, scope))
        for measure in report.measures
    ]


def _wanted(
    session: Session,
    actor: Actor,
    asked: Access,
    shape: Shape,
    report: Report,
    since: date | None,
    until: date | None,
) -> list[ColumnElement[bool]]:
    wanted = [shape.table.c._retired_at.is_(None), asked.rows("read", shape.table)]
    if report.where is not None:
        wanted.append(filter_clause(session, actor, asked, shape, report.where))
    if report.date is not None and (since or until):
        column = visible(asked, shape, report.date)
        by_moment = shape.form.fields[report.date].storage == "moment"
        zone = ZoneInfo(actor.time_zone)
        if since is not None:
            wanted.append(column >= (datetime.combine(since, time(), zone) if by_moment else since))
        if until is not None:
            after = until + timedelta(days=1)
            wanted.append(column < (datetime.combine(after, time(), zone) if by_moment else after))
    return wanted


def _names(
    session: Session,
    actor: Actor,
    shape: Shape,
    report: Report,
    keys: Sequence[Sequence[Any]],
    language: str,
) -> dict[str, dict[Any, str]]:
    """What the groups' keys are called, as far as the reader may know."""
    found: dict[str, dict[Any, str]] = {}
    for number, dimension in enumerate(report.dimensions):
        its = shape.form.fields[dimension.field]
        values = {row[number] for row in keys if row[number] is not None}
        if its.link_form is not None:
            called: Mapping[Any, str] = labels(session, actor, its.link_form, values)
        else:
            choices = choices_of(session, its)
            zone = ZoneInfo(actor.time_zone)
            called = {
                v: its.show(shape.to_value(its.key, v), language, choices, zone) for v in values
            }
        found[dimension.key] = {_key(value): name for value, name in called.items()}
    return found


def _key(value: Any) -> Any:
    """A group's key as JSON: ids and dates are texts."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _number(value: Any) -> Any:
    """A measure as JSON: whole numbers are numbers, others decimal texts."""
    if value is None or isinstance(value, int):
        return value
    number = Decimal(str(value))
    return int(number) if number == number.to_integral_value() else str(number.normalize())
