"""The home of uploaded files in this application, and taking one in from a request."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import BinaryIO, cast

from flask import Flask, current_app
from werkzeug.datastructures import FileStorage

from ..store.bodies import Bodies
from ..store.database import Database
from ..store.files import Body, put_body, sweep
from ..store.open_bodies import open_bodies
from ..store.scratch import sweep_scratch
from .areas import beside
from .settings import BadSetting

log = logging.getLogger("careloom.files")

KEY = "careloom.files"
AN_HOUR = 3600.0


def bodies() -> Bodies:
    """Where this application's files are."""
    found: Bodies = current_app.extensions[KEY]
    return found


def take_in(upload: FileStorage) -> Body:
    """Judge an uploaded file and put its bytes; the row is the caller's to write.

    Slow, so never inside a write. Raises Invalid with one problem at `/file`, Unavailable.
    """
    return put_body(bodies(), upload.filename, cast(BinaryIO, upload.stream))


def use(app: Flask) -> None:
    """Open the home the settings name. Raises BadSetting."""
    url = app.extensions["careloom.settings"].files_url
    try:
        app.extensions[KEY] = open_bodies(url, app.extensions["careloom.database"].home)
    except ValueError as error:
        raise BadSetting(f"CARELOOM_FILES_URL: {error}") from error
    beside(app, lambda database: start_sweeping(database, app.extensions[KEY]))


def start_sweeping(database: Database, home: Bodies) -> Callable[[], None]:
    """Sweep once an hour beside the server, the first time an hour from now; returns what stops
    it."""
    leave = threading.Event()

    def run() -> None:
        while not leave.wait(AN_HOUR):
            try:
                sweep_scratch()
                sweep(database, home)
            except Exception:
                log.exception("files could not be swept; an hour from now again")

    threading.Thread(target=run, name="careloom-files", daemon=True).start()
    return leave.set
