"""Who looked at which records, and who took them out: apart from the events, which tell of changes.

Whatever reads records for somebody notes what it shows (`note`); whoever answers them gathers the
notes (`watching`) and writes them down once the answer is known. An export writes them before its
file is handed out.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, and_, cast, func, insert, or_, select, true
from sqlalchemy.orm import Session

from ..store.session import new_id
from .model import View, Viewed

PURPOSES = ("read", "list", "export", "print")
MOST_IDS = 200

#: what opens a list in JSON, by the database
EACH = {"postgresql": func.jsonb_array_elements_text, "sqlite": func.json_each}

Notes = list[tuple[str, str, tuple[int, ...]]]

_notes: ContextVar[Notes | None] = ContextVar("careloom views", default=None)


@contextmanager
def watching() -> Iterator[Notes]:
    """Gather what is noted meanwhile; whoever watches outside of this hears nothing of it."""
    notes: Notes = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def note(form: str, ids: Iterable[int], purpose: str = "read") -> None:
    """These records are shown to whoever is being answered; nothing when nobody watches."""
    notes = _notes.get()
    if notes is not None and (shown := tuple(ids)):
        notes.append((form, purpose, shown))


@dataclass(frozen=True)
class Looked:
    """Up to MOST_IDS records of one form, shown together. person_id: None is the system."""

    at: datetime
    person_id: int | None
    form: str
    purpose: str
    ids: tuple[int, ...]
    address: str


def looked(
    notes: Notes,
    at: datetime,
    person_id: int | None,
    address: str,
    purpose: str | None = None,
) -> list[Looked]:
    """What one request showed: a row for each form and purpose, and for each MOST_IDS records.

    purpose: says it for all, whatever was noted (an export reads lists).
    """
    seen: dict[tuple[str, str], dict[int, None]] = {}
    for form, noted, ids in notes:
        seen.setdefault((form, purpose or noted), {}).update(dict.fromkeys(ids))
    # What was read in full is not told again as part of a list.
    for (form, why), ids_of in seen.items():
        if why == "list":
            for number in seen.get((form, "read"), ()):
                ids_of.pop(number, None)
    rows = []
    for (form, why), ids_of in seen.items():
        all_ids = tuple(ids_of)
        for first in range(0, len(all_ids), MOST_IDS):
            part = all_ids[first : first + MOST_IDS]
            rows.append(Looked(at, person_id, form, why, part, address[:64]))
    return rows


def write_views(session: Session, rows: Collection[Looked]) -> None:
    """Write them down."""
    if not rows:
        return
    numbered = [(new_id(session), row) for row in rows]
    session.execute(
        insert(View),
        [
            {
                "id": number,
                "at": row.at,
                "person_id": row.person_id,
                "form": row.form,
                "purpose": row.purpose,
                "count": len(row.ids),
                "ids": [str(record_id) for record_id in row.ids],
                "address": row.address,
            }
            for number, row in numbered
        ],
    )
    shown = EACH[session.get_bind().dialect.name](View.ids).table_valued("value")
    each = (
        select(View.form, cast(shown.c.value, BigInteger), View.at, View.id)
        .join_from(View, shown, true())
        .where(View.id.in_([number for number, _ in numbered]))
    )
    session.execute(insert(Viewed).from_select(["form", "record_id", "at", "view_id"], each))


def views(
    session: Session,
    form: str,
    record_id: int | None,
    *,
    person_id: int | None = None,
    since: datetime | None = None,
    mark: str | None = None,
    limit: int = 50,
) -> tuple[list[View], str | None]:
    """Who saw or exported a record (or any of a form), the newest first, and where to go on.

    Asked of a record it begins at that record's own lines, however long the log is.
    """
    query = select(View)
    at, number = View.at, View.id
    if record_id is None:
        wanted: list[ColumnElement[bool]] = [View.form == form]
    else:
        query = query.join(Viewed, Viewed.view_id == View.id)
        wanted = [Viewed.form == form, Viewed.record_id == record_id]
        at, number = Viewed.at, Viewed.view_id
    if person_id is not None:
        wanted.append(View.person_id == person_id)
    if since is not None:
        wanted.append(at >= since)
    if mark is not None:
        text, _, last = mark.partition(" ")
        moment = datetime.fromisoformat(text)
        wanted.append(or_(at < moment, and_(at == moment, number < int(last))))
    query = query.where(*wanted).order_by(at.desc(), number.desc()).limit(limit + 1)
    found = list(session.scalars(query))
    if len(found) <= limit:
        return found, None
    end = found[limit - 1]
    return found[:limit], f"{end.at.isoformat()} {end.id}"
