"""Checking and writing an uploaded file, beside the request that asked for it.

Its row in the database tells how far it is, in the transactions that write the records. A process
that is killed leaves a row that goes silent; whoever goes on begins after the last row written.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ...platform.identity.actor import Actor, actor_of
from ...platform.records.bring import Reading, RowProblem, bring, read_rows
from ...platform.records.sheet import Sheet
from ...platform.store.away import of_the_store
from ...platform.store.bodies import Bodies
from ...platform.store.database import Database
from ...platform.store.errors import Refusal, Unavailable, without_data
from .uploads import Taken, Upload, stopped

log = logging.getLogger("careloom.import")

TELL_SECONDS = 0.5
LOOK_SECONDS = 10.0
MOST_PROBLEMS = 2_000
MOST_PREVIEW = 5

Mapped = Mapping[str, str | None]
Told = Callable[[int], None]


def begin(upload: Upload, mapping: Mapped, write: bool, good: bool, anew: bool = True) -> None:
    """Start checking, or with `write` checking and writing. good: leave the faulty rows out.

    anew: False goes on after the last row that was written.
    """
    note = {**upload.note(), "mapping": dict(mapping), "done": 0, "of": 0, "good": good}
    note["state"] = "writing" if write else "checking"
    carried = upload.take(note, anew)
    work = threading.Thread(
        target=_carry, args=(carried, note, write, good), name="import", daemon=True
    )
    work.start()
    work.join(1.5)  # a small file is done before anybody would see a progress bar


def resume(upload: Upload) -> None:
    """Go on with a file whose carrier is gone."""
    note = upload.note()
    writing = note["state"] == "writing"
    begin(upload, note.get("mapping", {}), writing, bool(note.get("good")), anew=False)


def _carry(upload: Upload, note: dict[str, Any], write: bool, good: bool) -> None:
    database = upload.database
    try:
        sheet = upload.sheet()
        note["of"] = len(sheet.rows) * (2 if write else 1)
        reading = _check(database, upload, note, sheet)
        if not write:
            upload.tell({**note, "state": "checked", **_summary(reading)})
            return
        with database.read() as session:
            actor = actor_of(session, upload.person_id)
        place = upload.note()["place"]
        reading.good = [row for row in reading.good if row.row > place]
        outcome = bring(
            database,
            actor,
            reading,
            accept_good=good,
            source="import",
            progress=_progress(upload, note, len(sheet.rows)),
            settled=upload.settled,
        )
        written = upload.note()["written"]
        counts = {
            "rows": outcome.rows,
            "good": written,
            "bad": outcome.bad,
            "duplicates": outcome.rows - outcome.bad - written,
        }
        state = "done" if outcome.written else "checked"
        told = _summary(reading)
        if outcome.written:
            told["counts"] = counts
        upload.tell({**note, **told, "state": state})
    except Taken:
        log.info("an import is carried by another process")
    except Unavailable as away:
        _leave(away)
    except Refusal as refusal:
        problems = [[p.path, p.code, p.params] for p in refusal.problems]
        refused = {"code": refusal.code, "params": refusal.params, "problems": problems}
        _refuse(upload, note, refused)
    except Exception as error:
        if of_the_store(error):
            return _leave(error)
        log.exception("an import stopped")
        _refuse(upload, note, {"code": "E_HTTP_500", "params": {}, "problems": []})


def _leave(error: Exception) -> None:
    """Of a database that is away, or full: the file goes silent, and is gone on with after the last
    row that is written (see `start_resuming`)."""
    log.warning("an import waits for the database: %s", without_data(error))


def _refuse(upload: Upload, note: dict[str, Any], refused: dict[str, Any]) -> None:
    try:
        upload.tell({**note, "state": "refused", "refusal": refused})
    except Taken:
        log.info("an import is carried by another process")


def start_resuming(database: Database, bodies: Bodies) -> Callable[[], None]:
    """Look now and then for files whose carrier is gone, and go on with them; returns what stops
    it."""
    leave = threading.Event()

    def run() -> None:
        while not leave.wait(LOOK_SECONDS):
            try:
                for upload in stopped(database, bodies):
                    resume(upload)
            except Exception:
                log.exception("stopped imports could not be resumed; they are looked for again")

    threading.Thread(target=run, name="careloom-imports", daemon=True).start()
    return leave.set


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
