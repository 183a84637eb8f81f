"""What an answer showed is written down after it, in a transaction of its own.

A serving process gathers these rows and writes them in batches beside the requests; a kill loses
at most the last second of them. Without that thread (another server, tests) each request's rows are
written as it ends. Exports do not come this way: they write before they hand out their file.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from flask import Flask, Response, current_app, g, request

from ..events.view_log import Looked, looked, watching
from ..identity.many_seen import write_shown
from ..store.database import Database
from .areas import beside
from .request import asker, close_reading, current_database

log = logging.getLogger("careloom.views")

KEY = "careloom.views"
PAUSE_SECONDS = 1.0
BATCH = 500
MOST_KEPT = 20_000


class ViewLog:
    """One process's rows that are not written yet. Threads share it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._rows: deque[Looked] = deque(maxlen=MOST_KEPT)
        self._leave = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, rows: Sequence[Looked]) -> None:
        """Take rows to write; at once when no thread does it."""
        if len(self._rows) + len(rows) > MOST_KEPT:
            log.error("views are not written down fast enough: the oldest are dropped")
        self._rows.extend(rows)
        if self._thread is None or not self._thread.is_alive():
            self.flush()

    def flush(self) -> None:
        """Write what there is. What cannot be written stays for the next time."""
        while self._rows:
            batch = [self._rows.popleft() for _ in range(min(BATCH, len(self._rows)))]
            try:
                self.database.write(partial(write_shown, rows=batch))
            except Exception:
                log.exception("views could not be written down yet")
                self._rows.extendleft(reversed(batch))
                return

    def start(self) -> Callable[[], None]:
        """Write beside the requests from now on; returns what stops it, with nothing left over."""
        self._leave.clear()
        self._thread = threading.Thread(target=self._run, name="careloom-views", daemon=True)
        self._thread.start()
        return self._stop

    def _run(self) -> None:
        while not self._leave.wait(PAUSE_SECONDS):
            self.flush()

    def _stop(self) -> None:
        self._leave.set()
        if self._thread is not None:
            self._thread.join(10)
        self.flush()


def view_log() -> ViewLog:
    """This process's."""
    found = current_app.extensions[KEY]
    assert isinstance(found, ViewLog)
    return found


def _begin() -> None:
    g.watching = watching()
    g.notes = g.watching.__enter__()


def _gather(response: Response) -> Response:
    """What this answer shows, if it shows anything."""
    notes = g.get("notes")
    if notes and response.status_code < 400:
        actor = asker().actor
        number = actor.person_id if actor else None
        now = current_database().clock.now()
        rows = looked(notes, now, number, request.remote_addr or "")
        close_reading()
        view_log().put(rows)
    return response


def _end(_error: BaseException | None = None) -> None:
    if (watched := g.pop("watching", None)) is not None:
        watched.__exit__(None, None, None)


def use(app: Flask) -> None:
    """Watch every request."""
    views = ViewLog(app.extensions["careloom.database"])
    app.extensions[KEY] = views
    beside(app, lambda _database: views.start(), serving=True)
    app.before_request(_begin)
    app.after_request(_gather)
    app.teardown_request(_end)
