"""Serve with granian, by a loader: its own command line, run inside a checkout, would import the
package under the folder's name."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from sqlalchemy.engine import make_url

from .app import create_app
from .areas import start_beside
from .logs import write_lines
from .settings import Settings

THREADS = 16  # as many as the pool has connections
NO_WORK = "CARELOOM_NO_WORK"  # from the command to the processes it starts


def serve(settings: Settings, host: str, port: int, workers: int, work: bool) -> None:
    """Serve until stopped. workers: processes; with SQLite always one, the worker inside it.

    work: whether each process also does what is due (flows, timers, messages).
    """
    embedded = make_url(settings.database_url).get_backend_name() == "sqlite"
    if embedded and workers > 1:
        print("SQLite is served by one process.", file=sys.stderr)
        workers = 1
    os.environ[NO_WORK] = "" if work else "1"
    Granian(
        "careloom",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        backlog=1024,
        respawn_failed_workers=True,
        workers_kill_timeout=20,
        log_access=False,
        log_dictconfig=_quiet(),
    ).serve(target_loader=load)


def load(_target: str = "") -> Flask:
    """In the serving process: the application, and what runs beside it."""
    write_lines()
    app = create_app()
    work = not os.environ.get(NO_WORK)
    atexit.register(start_beside(app, app.extensions["careloom.database"], work))
    return app


def _quiet() -> dict[str, Any]:
    """Granian's own words go through our lines."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "careloom.platform.web.logs.Lines"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "loggers": {
            "_granian": {"handlers": ["console"], "level": "INFO", "propagate": False},
            "granian.access": {"handlers": [], "level": "WARNING", "propagate": False},
        },
    }
