"""The ways by which somebody learns of records: what each tells, and what can be asked by it.

`TELLS`: answers given without a question; all of an answer is searched for planted values.
`ASKS`: questions that name a field and a guess; the answer is the records that it finds.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import load_workbook
from sqlalchemy.orm import Session

import careloom.runtime.reports.behind  # noqa: F401  tells which records are behind a number
from careloom.platform.definitions.published import entries
from careloom.platform.exports.make import take_allowed, take_freely
from careloom.platform.exports.model import Export, State, Way
from careloom.platform.exports.question import Question
from careloom.platform.expressions.errors import ExpressionError
from careloom.platform.identity.actor import Actor
from careloom.platform.identity.permissions import access
from careloom.platform.records.behind import behind
from careloom.platform.records.choices import labels, offer
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.narrow import Condition, narrowed
from careloom.platform.records.past import history
from careloom.platform.records.shape import shape_of
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid, Malformed, NotAllowed, NotFound
from careloom.platform.store.session import new_id
from careloom.runtime.forms.api import _line, shown
from careloom.runtime.forms.show import Reader
from careloom.runtime.printouts.pages import printouts_of
from careloom.runtime.printouts.paper import lay_out
from careloom.runtime.reports.question import question_of
from careloom.runtime.reports.run import run_report

from .planted import GROUPED

ALL = 200


@dataclass(frozen=True)
class Looker:
    """Somebody, before one form's records."""

    database: Database
    session: Session
    actor: Actor
    form: str
    ids: tuple[int, ...]
    folder: Path


def _or_nothing(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (NotFound, NotAllowed) as refusal:
        return str(refusal)


def tell_get(its: Looker) -> str:
    """Each record by its id."""
    found = [
        _or_nothing(lambda at=at: shown(get(its.session, its.actor, its.form, at)))  # type: ignore[misc]
        for at in its.ids
    ]
    return repr(found)


def tell_list(its: Looker) -> str:
    """The list, page by page, with its marks."""
    said, cursor = [], None
    while True:
        try:
            page = list_records(
                its.session, its.actor, its.form, limit=5, cursor=cursor, count=cursor is None
            )
        except NotAllowed:
            return ""
        said.append(([shown(record) for record in page.items], page.next, page.total))
        cursor = page.next
        if cursor is None:
            return repr(said)


def tell_history(its: Looker) -> str:
    """What became of each record."""
    found = [
        _or_nothing(
            lambda at=at: [_line(x) for x in history(its.session, its.actor, its.form, at)]  # type: ignore[misc]
        )
        for at in its.ids
    ]
    return repr(found)


def tell_labels(its: Looker) -> str:
    """What the records are called where something links to them."""
    return repr(labels(its.session, its.actor, its.form, set(its.ids)))


def tell_offer(its: Looker) -> str:
    """The records there are to link to."""
    return repr(offer(its.session, its.actor, its.form, "", ALL))


def tell_csv(its: Looker) -> str:
    """The export as CSV."""
    path = its.folder / "out.csv"
    if not _exported(its, path):
        return ""
    return repr(list(csv.reader(io.StringIO(path.read_text("utf-8-sig")))))


def tell_xlsx(its: Looker) -> str:
    """The export as XLSX."""
    path = its.folder / "out.xlsx"
    if not _exported(its, path):
        return ""
    return repr(list(load_workbook(path).worksheets[0].values))


def tell_by_a_yes(its: Looker) -> str:
    """An export that was allowed when the asker saw every field of every row, taken now."""
    path, now = its.folder / "allowed.csv", its.database.clock.now()

    def deed(session: Session) -> int:
        question = Question(its.form, "csv")
        row = Export(
            id=new_id(session),
            form=its.form,
            kind="csv",
            way=Way.ASKED,
            state=State.ALLOWED,
            person_id=its.actor.person_id,
            asked_at=now,
            until=now + timedelta(hours=1),
            question=question.stored(),
            columns=dict.fromkeys(shape_of(session, its.form).form.fields, "read"),
            most=ALL,
            reason="proof",
            words="",
        )
        session.add(row)
        return row.id

    number = its.database.write(deed)
    try:
        take_allowed(its.database, its.actor, number, path)
    except NotAllowed:
        return ""
    return repr(list(csv.reader(io.StringIO(path.read_text("utf-8-sig")))))


def _exported(its: Looker, path: Path) -> bool:
    question = Question(its.form, path.suffix.removeprefix("."))
    try:
        take_freely(its.database, its.actor, question, path, free=ALL)
    except NotAllowed:
        return False
    return True


def tell_reports(its: Looker) -> str:
    """Every report there is on the form, with its groups' names and totals."""
    said = []
    for entry in entries(its.session, "report"):
        if entry.key.startswith("all_"):
            continue  # an average of one's own rows may by chance be what another row holds
        answer = _or_nothing(lambda key=entry.key: run_report(its.session, its.actor, key))  # type: ignore[misc]
        if not isinstance(answer, str) and answer.report.form == its.form:
            said.append((answer.rows, answer.names, answer.totals))
    return repr(said)


def tell_print(its: Looker) -> str:
    """Each record printed, by every printout of its form: what the page and the PDF are made of."""
    reader = Reader(its.session, its.actor, "en", ZoneInfo("Asia/Shanghai"))
    said = []
    for printout in printouts_of(its.session, its.form):
        for at in its.ids:
            try:
                record = get(its.session, its.actor, its.form, at)
                said.append(repr(lay_out(reader, record, printout)))
            except (NotFound, NotAllowed):
                continue
    return "".join(said)


TELLS: dict[str, Callable[[Looker], str]] = {
    "get": tell_get,
    "list": tell_list,
    "history": tell_history,
    "link label": tell_labels,
    "offer": tell_offer,
    "export CSV": tell_csv,
    "export XLSX": tell_xlsx,
    "export by a yes": tell_by_a_yes,
    "report": tell_reports,
    "print": tell_print,
}


def literal(value: Any) -> str:
    """A JSON value as a formula writes it; dates are told from texts by their shape."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not _number(value):
        parts = value.split("-")
        if len(parts) == 3 and all(part.isdigit() for part in parts):
            return "DATE({}, {}, {})".format(*(int(part) for part in parts))
        return f'"{value}"'
    return str(value)


def _number(text: str) -> bool:
    return "." in text and text.replace(".", "", 1).isdigit()


def found_by_filter(its: Looker, field: str, value: Any) -> set[int]:
    """The records for which a filter on the field holds, and as many as it counts."""
    return _filtered(its, f"{field} = {literal(value)}")


def found_by_order(its: Looker, field: str, value: Any) -> set[int]:
    """The same by comparing, as in a search for the value by halves."""
    text = literal(value)
    kind = shape_of(its.session, its.form).form.fields[field].storage
    if kind not in ("whole", "scaled", "date"):
        return _filtered(its, f"CONTAINS({field}, {text})") if text[0] == '"' else set()
    return _filtered(its, f"{field} >= {text} AND {field} <= {text}")


def _filtered(its: Looker, where: str) -> set[int]:
    try:
        page = list_records(its.session, its.actor, its.form, where=where, limit=ALL, count=True)
    except NotAllowed:
        return set()
    except Invalid as refusal:
        assert {p.code for p in refusal.problems} == {"E_NOT_SQL"}, (where, refusal)
        return set()
    assert page.total == len(page.items), "the count is of what is listed"
    return {record.id for record in page.items}


def conditioned(its: Looker, field: str, operator: str, values: tuple[str, ...]) -> set[int]:
    """The records that a list's own filter finds: a field, an operator, values."""
    shape = shape_of(its.session, its.form)
    asked = access(its.session, its.actor, its.form)
    asks = [Condition(field, operator, values)]
    try:
        clauses = narrowed(its.session, its.actor, asked, shape, asks)
        page = list_records(its.session, its.actor, its.form, extra=clauses, limit=ALL, count=True)
    except NotAllowed:
        return set()
    assert page.total == len(page.items), "the count is of what is listed"
    return {record.id for record in page.items}


def found_by_search(its: Looker, field: str, value: Any) -> set[int]:
    """The records that a search for the value finds."""
    try:
        page = list_records(its.session, its.actor, its.form, search=str(value), limit=ALL)
    except NotAllowed:
        return set()
    return {record.id for record in page.items}


def found_by_offer(its: Looker, field: str, value: Any) -> set[int]:
    """The records offered for a link when the value is typed."""
    return {at for at, _ in offer(its.session, its.actor, its.form, str(value), ALL)}


def found_by_group(its: Looker, field: str, value: Any) -> set[int]:
    """The records behind the group of a report that the value would be in."""
    return _behind(its, f"all_{field}", {f"g.{field}": str(value)}) if field in GROUPED else set()


def found_by_report_filter(its: Looker, field: str, value: Any) -> set[int]:
    """The records behind a report's number under a filter, or within the value's own day."""
    if field == "grade":
        return _behind(its, "all_state", {"f.grade": str(value)})
    if field == "day":
        return _behind(its, "all_state", {"from": str(value), "until": str(value)})
    return set()


def _behind(its: Looker, report: str, arguments: dict[str, str]) -> set[int]:
    """As many as the report's own count says, where that can be asked."""
    told = {"of": f"report:{report}", "of.number": "m0"}
    told |= {f"of.{name}": value for name, value in arguments.items()}
    try:
        number = behind(its.session, its.actor, its.form, told, "en")
        assert number is not None
        page = list_records(
            its.session, its.actor, its.form, extra=number.conditions, limit=ALL, count=True
        )
    except NotAllowed:
        return set()
    found = {record.id for record in page.items}
    if not any(name.startswith("g.") for name in arguments):
        question = question_of(arguments)
        counted = run_report(its.session, its.actor, report, question).total.count
        assert counted == len(found) == page.total
    return found


ASKS: dict[str, Callable[[Looker, str, Any], set[int]]] = {
    "filter": found_by_filter,
    "compare": found_by_order,
    "search": found_by_search,
    "offer text": found_by_offer,
    "report group": found_by_group,
    "report filter": found_by_report_filter,
}


def sorted_by(its: Looker, field: str, down: bool) -> list[int] | None:
    """The records' order by a field, gathered over small pages; None where it cannot be asked."""
    found: list[int] = []
    cursor = None
    while True:
        try:
            page = list_records(
                its.session,
                its.actor,
                its.form,
                sort=["-" + field if down else field],
                limit=4,
                cursor=cursor,
            )
        except (Malformed, NotAllowed, ExpressionError):
            return None
        found += [record.id for record in page.items]
        cursor = page.next
        if cursor is None:
            return found
