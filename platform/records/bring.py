"""Bring records in from a file: headers, rows, every problem by row and column, then the records.

Everything is checked before anything is written, through the same door as a single record. What
is there already (by the form's match rule) is skipped, so a file brought twice, or again after a
kill, adds only what is missing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ..definitions.faults import Fault
from ..definitions.fields import Field
from ..definitions.form import Form
from ..definitions.options import folded
from ..definitions.schema_check import nearest
from ..events.log import append
from ..identity.actor import Actor
from ..identity.permissions import access
from ..identity.tree import intake_of, tree
from ..store.database import Database
from ..store.errors import Invalid, Malformed, Problem
from ..store.locks import exclusive
from .choices import choices_of
from .match import Key, existing, match_key
from .shape import Shape, shape_of
from .sheet import Sheet
from .submit import _home, prepare, write_prepared

#: (session, the last row that is written, how many records it made)
Settled = Callable[[Session, int, int], None]
CHUNK = 10  # rows committed together: so few that other writers hardly wait


@dataclass(frozen=True)
class RowProblem:
    """What is wrong in one cell. row: as the spreadsheet numbers it; column: the file's header."""

    row: int
    column: str
    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class GoodRow:
    """A row that may become a record."""

    row: int
    values: dict[str, Any]
    key: Key | None


@dataclass
class Reading:
    """A file, read and checked; nothing is written yet."""

    form_key: str
    unit_id: int
    rows: int
    bad: int
    good: list[GoodRow]
    duplicates: int
    problems: list[RowProblem] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What became of the file; the counts add up to `rows`."""

    rows: int
    good: int
    bad: int
    duplicates: int
    problems: list[RowProblem]
    written: bool


def columns_of(
    form: Form, headers: Sequence[str], mapping: Mapping[str, str | None]
) -> dict[int, Field]:
    """Column number -> field, by key or by a label in either language, or as mapped.

    A header mapped to null is left out. Raises Malformed naming each header that fits nothing.
    """
    known: dict[str, str] = {}
    for key, its in form.fields.items():
        titles = [its.title] if isinstance(its.title, str) else list(its.title.values())
        for name in (key, *titles):
            known.setdefault(folded(name), key)
    found: dict[int, Field] = {}
    problems = []
    for number, header in enumerate(headers):
        if not header or (header in mapping and mapping[header] is None):
            continue
        key = mapping.get(header) or known.get(folded(header)) or ""
        if key not in form.fields:
            near = nearest(folded(header), list(known))
            title = form.fields[known[near]].title if near else ""
            code = "E_HEADER_NEAR" if near else "E_HEADER"
            named = {"header": header[:40], "nearest": title}
            problems.append(Problem(f"/headers/{number}", code, named))
        elif form.fields[key] in found.values():
            problems.append(Problem(f"/headers/{number}", "E_HEADER_TWICE", {"header": header}))
        else:
            found[number] = form.fields[key]
    if problems or not found:
        raise Malformed("E_HEADER", problems)
    return found


def read_rows(
    session: Session,
    actor: Actor,
    form_key: str,
    sheet: Sheet,
    *,
    mapping: Mapping[str, str | None] | None = None,
    unit_id: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Reading:
    """Check every row of a file as if it were to be written. Raises Malformed for the headers."""
    access(session, actor, form_key).need("import")
    shape = shape_of(session, form_key)
    unit = intake_of(session, unit_id or _home(session, actor))
    if unit is None:
        raise Invalid(problems=[Problem("", "E_NO_UNIT")])
    zone = ZoneInfo(tree(session).places[unit].time_zone)
    columns = columns_of(shape.form, sheet.headers, mapping or {})
    reading = Reading(form_key, unit, len(sheet.rows), 0, [], 0)
    for done, (number, cells) in enumerate(sheet.rows, start=1):
        values, problems = _values(session, columns, cells, zone)
        said = {problem.path for problem in problems}
        try:
            prepared = prepare(session, actor, form_key, values, unit, "import")
        except Invalid as refusal:
            problems += [problem for problem in refusal.problems if problem.path not in said]
        if problems:
            reading.bad += 1
            reading.problems += _row_problems(shape.form, sheet, columns, number, problems)
        else:
            key = match_key(shape, prepared.values, zone)
            reading.good.append(GoodRow(number, values, key))
        if progress is not None:
            progress(done)
    _leave_out_duplicates(session, shape, reading, zone)
    return reading


def _values(
    session: Session, columns: Mapping[int, Field], cells: Sequence[Any], zone: ZoneInfo
) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    for number, its in columns.items():
        cell = cells[number] if number < len(cells) else None
        try:
            value = its.bring(cell, choices_of(session, its), zone)
        except Fault as fault:
            problems.append(Problem(f"/{its.key}", fault.code, fault.params))
        else:
            if value is not None:
                values[its.key] = value
    return values, problems


def _row_problems(
    form: Form,
    sheet: Sheet,
    columns: Mapping[int, Field],
    row: int,
    problems: Sequence[Problem],
) -> list[RowProblem]:
    headers = {its.key: sheet.headers[number] for number, its in columns.items()}
    found = []
    for problem in problems:
        key = problem.path.removeprefix("/")
        column = headers.get(key)
        if column is None and key in form.fields:
            title = form.fields[key].title
            column = title if isinstance(title, str) else title["zh-CN"]
        found.append(RowProblem(row, column or "", problem.code, problem.params))
    return found


def _leave_out_duplicates(session: Session, shape: Shape, reading: Reading, zone: ZoneInfo) -> None:
    """Of rows that match one another only the first stays; what is there already stays away."""
    there = set(existing(session, shape, [r.key for r in reading.good if r.key], zone))
    fresh = []
    for row in reading.good:
        if row.key is not None and row.key in there:
            reading.duplicates += 1
            continue
        if row.key is not None:
            there.add(row.key)
        fresh.append(row)
    reading.good = fresh


def bring(
    database: Database,
    actor: Actor,
    reading: Reading,
    *,
    accept_good: bool = False,
    dry_run: bool = False,
    source: str = "import",
    progress: Callable[[int], None] | None = None,
    settled: Settled | None = None,
) -> Outcome:
    """Write the good rows, in chunks. With a faulty row nothing is written unless accepted.

    settled: told in each chunk's own transaction how far it goes, so that it is known exactly.
    """
    problems = sorted(reading.problems, key=lambda problem: problem.row)
    good, duplicates = len(reading.good), reading.duplicates
    write = not dry_run and (accept_good or not reading.bad)
    if write:
        good = 0
        for start in range(0, len(reading.good), CHUNK):
            chunk = reading.good[start : start + CHUNK]
            good += database.write(
                partial(
                    _chunk,
                    actor=actor,
                    reading=reading,
                    rows=chunk,
                    source=source,
                    settled=settled,
                )
            )
            if progress is not None:
                progress(start + len(chunk))
        duplicates += len(reading.good) - good
    outcome = Outcome(reading.rows, good, reading.bad, duplicates, problems, write)
    if write:
        database.write(lambda session: _tell(session, actor, reading, outcome))
    return outcome


def _chunk(
    session: Session,
    actor: Actor,
    reading: Reading,
    rows: Sequence[GoodRow],
    source: str,
    settled: Settled | None,
) -> int:
    """Write some rows in one transaction, leaving out what came in meanwhile; how many it wrote."""
    exclusive(session, f"import:{reading.form_key}")
    shape = shape_of(session, reading.form_key)
    zone = ZoneInfo(tree(session).places[reading.unit_id].time_zone)
    there = existing(session, shape, [row.key for row in rows if row.key], zone)
    written = 0
    for row in rows:
        if row.key is None or row.key not in there:
            prepared = prepare(
                session, actor, reading.form_key, row.values, reading.unit_id, "import"
            )
            write_prepared(session, actor, prepared, cause=None, source=source)
            written += 1
    if settled is not None:
        settled(session, rows[-1].row, written)
    return written


def _tell(session: Session, actor: Actor, reading: Reading, outcome: Outcome) -> None:
    data = {
        "form": reading.form_key,
        "rows": outcome.rows,
        "good": outcome.good,
        "bad": outcome.bad,
        "duplicates": outcome.duplicates,
    }
    subject = (f"form:{reading.form_key}", 0)
    append(session, "records:imported", actor, subject, reading.unit_id, data)
