"""Checking and writing an uploaded file, beside the request that asked for it.

The note beside the file tells how far it is. A process that is killed leaves a note that goes
silent; starting again skips what is there already.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ...platform.identity.actor import Actor, actor_of
from ...platform.records.bring import Reading, RowProblem, bring, read_rows
from ...platform.records.sheet import Sheet, read_sheet
from ...platform.store.database import Database
from ...platform.store.errors import Refusal
from .uploads import Upload

log = logging.getLogger("careloom.import")

TELL_SECONDS = 0.5
MOST_PROBLEMS = 300
MOST_PREVIEW = 5

Mapped = Mapping[str, str | None]
Told = Callable[[int], None]


def begin(database: Database, upload: Upload, mapping: Mapped, write: bool, good: bool) -> None:
    """Start checking, or with `write` checking and writing. good: leave the faulty rows out."""
    note = {**upload.note(), "mapping": dict(mapping), "done": 0, "of": 0}
    note["state"] = "writing" if write else "checking"
    upload.tell(note)
    work = threading.Thread(
        target=_carry, args=(database, upload, note, write, good), name="import", daemon=True
    )
    work.start()
    work.join(1.5)  # a small file is done before anybody would see a progress bar


def _carry(
    database: Database, upload: Upload, note: dict[str, Any], write: bool, good: bool
) -> None:
    try:
        sheet = read_sheet(note["name"], upload.file.read_bytes())
        note["of"] = len(sheet.rows) * (2 if write else 1)
        reading = _check(database, upload, note, sheet)
        if not write:
            upload.tell({**note, "state": "checked", **_summary(reading)})
            return
        with database.read() as session:
            actor = actor_of(session, upload.person_id)
        outcome = bring(
            database,
            actor,
            reading,
            accept_good=good,
            source="import",
            progress=_progress(upload, note, len(sheet.rows)),
        )
        counts = {
            "rows": outcome.rows,
            "good": outcome.good,
            "bad": outcome.bad,
            "duplicates": outcome.duplicates,
        }
        state = "done" if outcome.written else "checked"
        upload.tell({**note, **_summary(reading), "state": state, "counts": counts})
    except Refusal as refusal:
        problems = [[p.path, p.code, p.params] for p in refusal.problems]
        refused = {"code": refusal.code, "params": refusal.params, "problems": problems}
        upload.tell({**note, "state": "refused", "refusal": refused})
    except Exception:
        log.exception("an import stopped")
        refused = {"code": "E_HTTP_500", "params": {}, "problems": []}
        upload.tell({**note, "state": "refused", "refusal": refused})


def _check(database: Database, upload: Upload, note: dict[str, Any], sheet: Sheet) -> Reading:
    with database.read() as session:
        actor: Actor = actor_of(session, upload.person_id)
        return read_rows(
            session,
            actor,
            note["form"],
            sheet,
            mapping=note["mapping"],
            progress=_progress(upload, note, 0),
        )


def _progress(upload: Upload, note: dict[str, Any], before: int) -> Told:
    last = time.monotonic()

    def tell(done: int) -> None:
        nonlocal last
        if time.monotonic() - last > TELL_SECONDS:
            last = time.monotonic()
            upload.tell({**note, "done": before + done})

    return tell


def _summary(reading: Reading) -> dict[str, Any]:
    problems = sorted(reading.problems, key=lambda problem: problem.row)
    return {
        "counts": {
            "rows": reading.rows,
            "good": len(reading.good),
            "bad": reading.bad,
            "duplicates": reading.duplicates,
        },
        "problem_count": len(problems),
        "row_problems": [_plain(problem) for problem in problems[:MOST_PROBLEMS]],
        "preview": [row.values for row in reading.good[:MOST_PREVIEW]],
    }


def _plain(problem: RowProblem) -> dict[str, Any]:
    return {
        "row": problem.row,
        "column": problem.column,
        "code": problem.code,
        "params": dict(problem.params),
    }
