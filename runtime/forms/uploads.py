"""Files waiting to be brought in: their bytes with the attached files, their state in the database.

So any process that serves can answer for one, and any may go on where another was killed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ...platform.records.sheet import Sheet, read_sheet
from ...platform.store.bodies import Bodies
from ...platform.store.database import Database
from ...platform.store.errors import NotFound
from ...platform.store.files import Body, add_file, file_rows, open_whole
from ...platform.store.session import moment
from .model import ImportJob

SILENT = timedelta(seconds=30)
REMEMBERED = timedelta(days=180)
UNDER_WAY = ("checking", "writing")


class Taken(Exception):
    """Another process carries the file by now."""


@dataclass(frozen=True)
class Upload:
    """One person's file. turn: of the one who carries it; 0 for those who only look."""

    database: Database
    bodies: Bodies
    token: str
    person_id: int
    turn: int = 0

    def note(self) -> dict[str, Any]:
        """What is known of it. Raises NotFound once it is gone."""
        with self.database.read() as session:
            row = _row(session, self.token, self.person_id)
            silent = row.state in UNDER_WAY and moment(session) - row.told_at > SILENT
            more = {"state": row.state, "place": row.place, "written": row.written}
            return {**row.note, **more, "form": row.form, "silent": silent}

    def sheet(self) -> Sheet:
        """The file's rows. Raises NotFound once it is swept, Malformed."""
        with self.database.read() as session:
            row = _row(session, self.token, self.person_id)
            kept = file_rows(session, [row.file_id]).get(row.file_id)
            name = row.note["name"]
        if kept is None:
            raise NotFound("E_UPLOAD_GONE")
        with open_whole(self.bodies, kept) as body:
            return read_sheet(name, body.read())

    def take(self, note: Mapping[str, Any], anew: bool) -> Upload:
        """Carry it from now on; anew: from the first row."""

        def deed(session: Session) -> int:
            row = _row(session, self.token, self.person_id)
            row.turn += 1
            row.state, row.note, row.told_at = note["state"], _kept(note), moment(session)
            if anew:
                row.place = row.written = 0
            return row.turn

        return replace(self, turn=self.database.write(deed))

    def tell(self, note: Mapping[str, Any]) -> None:
        """Say how far it is. Raises Taken when another carries it."""
        values = {"state": note["state"], "note": _kept(note)}
        self.database.write(lambda session: self._say(session, values))

    def settled(self, session: Session, place: int, written: int) -> None:
        """So far it is written, in the transaction that wrote it. Raises Taken."""
        self._say(session, {"place": place, "written": ImportJob.written + written})

    def _say(self, session: Session, values: Mapping[str, Any]) -> None:
        done = session.execute(
            update(ImportJob)
            .where(ImportJob.id == self.token, ImportJob.turn == self.turn)
            .values(**values, told_at=moment(session))
            .execution_options(synchronize_session=False)
        )
        if done.rowcount != 1:  # type: ignore[attr-defined]
            raise Taken


def _kept(note: Mapping[str, Any]) -> dict[str, Any]:
    return {key: note[key] for key in note if key not in ("state", "place", "written", "silent")}


def _row(session: Session, token: str, person_id: int) -> ImportJob:
    row = session.get(ImportJob, token, populate_existing=True)
    if row is None or row.person_id != person_id:
        raise NotFound("E_UPLOAD_GONE")
    return row


def headers_key(headers: Sequence[str]) -> str:
    """What tells files of the same columns from others."""
    return hashlib.sha256("\x1f".join(headers).encode()).hexdigest()


def keep(
    database: Database,
    bodies: Bodies,
    body: Body,
    person_id: int,
    unit_id: int | None,
    form_key: str,
    sheet: Sheet,
) -> Upload:
    """Keep a file that was taken in for its person."""
    token, key = secrets.token_hex(16), headers_key(sheet.headers)

    def deed(session: Session) -> None:
        file = add_file(session, body, person_id, unit_id)
        now = moment(session)
        session.execute(delete(ImportJob).where(ImportJob.told_at < now - REMEMBERED))
        row = ImportJob(id=token, form=form_key, person_id=person_id, file_id=file.id)
        row.headers, row.state, row.note = key, "new", {"name": body.name}
        row.place = row.written = row.turn = 0
        row.told_at = now
        session.add(row)

    database.write(deed)
    return Upload(database, bodies, token, person_id)


def find(database: Database, bodies: Bodies, person_id: int, token: str, form_key: str) -> Upload:
    """A person's own upload for this form. Raises NotFound for anybody else's."""
    found = Upload(database, bodies, token, person_id)
    if found.note()["form"] != form_key:
        raise NotFound("E_UPLOAD_GONE")
    return found


def remembered(session: Session, form_key: str, headers: Sequence[str]) -> dict[str, str | None]:
    """How the columns of such a file were mapped when one came in last; empty for the first."""
    query = (
        select(ImportJob.note)
        .where(
            ImportJob.form == form_key,
            ImportJob.headers == headers_key(headers),
            ImportJob.state == "done",
        )
        .order_by(ImportJob.told_at.desc())
        .limit(1)
    )
    note = session.scalar(query)
    found: dict[str, str | None] = (note or {}).get("mapping", {})
    return found


def stopped(database: Database, bodies: Bodies) -> list[Upload]:
    """Files under way of which nothing was heard for a while: whoever carried them is gone."""
    with database.read() as session:
        query = select(ImportJob.id, ImportJob.person_id).where(
            ImportJob.state.in_(UNDER_WAY), ImportJob.told_at < moment(session) - SILENT
        )
        rows = session.execute(query).all()
    return [Upload(database, bodies, row.id, row.person_id) for row in rows]
