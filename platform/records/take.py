"""Take records out to a file: CSV or XLSX, every cell a value and none a formula.

A text that begins like a formula gets an apostrophe before it in CSV (`formula_cells`), and is
written as a plain string in XLSX. A workbook says on each printed page and in its properties who
took it out; a CSV cannot without harm to the programs that read it, so its name does.
"""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from ..definitions.fields import Field
from ..definitions.options import Choices, in_language
from ..events.log import append
from ..events.view_log import Looked, looked, note, watching
from ..identity.actor import Actor
from ..identity.many_seen import write_shown
from ..identity.permissions import access
from ..store.database import Database
from ..store.errors import Malformed
from .choices import choices_of, labels
from .formula_cells import kept_text
from .lists import MOST_ROWS, list_records
from .record import Record
from .shape import shape_of

ENDINGS = (".csv", ".xlsx")

#: (session) -> conditions over the form's table, in the asker's own eyes
Narrow = Callable[[Session], Sequence[ColumnElement[bool]]]

#: (session, rows in the file, what it shows): in the transaction that lets the file go
Settle = Callable[[Session, int, Sequence[Looked]], None]


@dataclass(frozen=True)
class Leaving:
    """What a file says of itself. at: `now` on the clock of whoever takes it out. reference: the
    number it is known by. counted: is told how many rows there are so far; raises to stop."""

    name: str
    login: str
    now: datetime
    at: str
    reference: int
    counted: Callable[[int], None]

    @property
    def words(self) -> str:
        return f"{self.name} ({self.login}) · {self.at} · {self.reference}"


def write_file(
    database: Database,
    actor: Actor,
    form_key: str,
    path: Path,
    *,
    where: str | None = None,
    sort: Sequence[str] = (),
    search: str = "",
    narrow: Narrow | None = None,
    address: str = "",
    columns: Collection[str] | None = None,
    leaving: Leaving | None = None,
    settle: Settle | None = None,
) -> int:
    """Write every record the actor may see and export (and the question finds); how many.

    Written beside and renamed, so the file is whole or not there; before it is there, who took
    which records out is written down. Raises NotAllowed, Malformed for another ending than .csv
    or .xlsx, Invalid for the expression.

    where, sort, search: as for `list_records`. narrow: further conditions, made in the session
    that reads. address: where the actor sits, for the view log. columns: no others. leaving: what
    the file says of itself. settle: judges and writes down, before the file is there, how it may
    leave; what it raises keeps the file from being.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise Malformed("E_FILE_KIND", ending=ending or path.name[:40])
    part = path.with_name(path.name + ".part")
    try:
        with watching() as notes, database.read() as session:
            access(session, actor, form_key).need("export")
            fields = _fields(session, actor, form_key, columns)
            more = narrow(session) if narrow else ()
            lines = _lines(session, actor, form_key, fields, where, sort, search, more)
            count = (_write_csv if ending == ".csv" else _write_xlsx)(part, lines, leaving)
        rows = looked(notes, database.clock.now(), actor.person_id, address, "export")

        def let_go(session: Session) -> None:
            if settle is not None:
                settle(session, count, rows)
            _tell(session, actor, form_key, count, rows, leaving)

        database.write(let_go)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def columns_of(session: Session, actor: Actor, form_key: str) -> dict[str, str]:
    """The fields this actor sees in some row at least; the others have no column at all.

    Each with how much they see at most: `read` or `masked`.
    """
    rules = access(session, actor, form_key).rules("read")
    found: dict[str, str] = {}
    for field in shape_of(session, form_key).form.ordered:
        rights = {rule.right(field.key, "change") for rule in rules} - {"hidden"}
        if actor.is_system or rights:
            found[field.key] = "masked" if rights == {"masked"} else "read"
    return found


def _fields(
    session: Session, actor: Actor, form_key: str, columns: Collection[str] | None
) -> list[Field]:
    seen = columns_of(session, actor, form_key)
    return [
        field
        for field in shape_of(session, form_key).form.ordered
        if field.key in seen and (columns is None or field.key in columns)
    ]


def _lines(
    session: Session,
    actor: Actor,
    form_key: str,
    fields: Sequence[Field],
    where: str | None,
    sort: Sequence[str],
    search: str,
    more: Sequence[ColumnElement[bool]],
) -> Iterator[list[Any]]:
    """The header's line, then one for each record."""
    language, zone = actor.language, ZoneInfo(actor.time_zone)
    yield [in_language(field.title, language) for field in fields]
    choices = {field.key: choices_of(session, field) for field in fields}
    exported = access(session, actor, form_key).rows("export", shape_of(session, form_key).table)
    cursor = None
    while True:
        page = list_records(
            session,
            actor,
            form_key,
            where=where,
            sort=sort,
            search=search,
            limit=MOST_ROWS,
            cursor=cursor,
            extra=[exported, *more],
        )
        linked = {
            field.key: labels(session, actor, field.link_form, _ids(page.items, field))
            for field in fields
            if field.link_form
        }
        note(form_key, (record.id for record in page.items), "export")
        for field in fields:
            if field.link_form:
                note(field.link_form, linked[field.key], "export")
        for record in page.items:
            yield [_cell(record, f, choices[f.key], linked, language, zone) for f in fields]
        cursor = page.next
        if cursor is None:
            return


def _ids(records: Iterable[Record], field: Field) -> set[int]:
    return {
        record.values[field.key]
        for record in records
        if field.key in record.values and record.rights[field.key] != "masked"
    }


def _cell(
    record: Record,
    field: Field,
    choices: Choices | None,
    linked: dict[str, dict[int, str]],
    language: str,
    zone: ZoneInfo,
) -> Any:
    value = record.values.get(field.key)
    if value is None or record.rights[field.key] == "masked":
        return value
    if field.key in linked:
        return linked[field.key].get(value, "")
    if field.type.storage == "scaled":
        return value
    return field.show(value, language, choices, zone)


def _counted(lines: Iterable[list[Any]], leaving: Leaving | None) -> Iterator[list[Any]]:
    """The lines, each told of as it goes by; the header's is the row 0."""
    for number, line in enumerate(lines):
        if leaving is not None:
            leaving.counted(number)
        yield line


def _write_csv(path: Path, lines: Iterable[list[Any]], leaving: Leaving | None) -> int:
    # The mark at the start tells spreadsheets that this is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        count = -1
        for line in _counted(lines, leaving):
            writer.writerow([kept_text(cell) for cell in line])
            count += 1
    return count


def _write_xlsx(path: Path, lines: Iterable[list[Any]], leaving: Leaving | None) -> int:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    if leaving is not None:
        _mark(book, sheet, leaving)
    count = -1
    for line in _counted(lines, leaving):
        cells = []
        for value in line:
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
        count += 1
    book.save(path)
    return count


def _mark(book: Workbook, sheet: Any, leaving: Leaving) -> None:
    """Who took it out: at the head of each printed page, and in the file's properties."""
    words = leaving.words.replace("&", "&&")  # one alone is a command there
    sheet.oddHeader.right.text = words
    sheet.oddHeader.right.size = 8
    sheet.oddFooter.left.text = words
    sheet.oddFooter.left.size = 8
    sheet.oddFooter.right.text = "&P / &N"
    properties = book.properties
    properties.creator = properties.lastModifiedBy = f"{leaving.name} ({leaving.login})"
    properties.created = properties.modified = leaving.now.astimezone(UTC).replace(tzinfo=None)
    properties.identifier = str(leaving.reference)
    properties.description = leaving.words


def _tell(
    session: Session,
    actor: Actor,
    form_key: str,
    count: int,
    rows: Sequence[Looked],
    leaving: Leaving | None,
) -> None:
    write_shown(session, rows)
    subject = (f"form:{form_key}", 0)
    data: dict[str, Any] = {"form": form_key, "rows": count}
    if leaving is not None:
        data["export"] = str(leaving.reference)
    append(session, "records:exported", actor, subject, actor.unit_id, data)
