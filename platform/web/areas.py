"""How an area plugs in.

The entry-point group `careloom.areas` names one Flask blueprint for each area. It may carry
`plug_in(app)`, called before its pages are registered (kinds, subscriptions, navigation), and it
may say there what runs beside the server: `beside(app, start)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any

from flask import Blueprint, Flask

from ..store.database import Database

GROUP = "careloom.areas"
BESIDE = "careloom.beside"

#: Starts something beside the server and returns what stops it.
Start = Callable[[Database], Callable[[], None]]


def areas() -> list[Blueprint]:
    """Every installed area, in order of its name."""
    found: list[Any] = [entry.load() for entry in sorted(entry_points(group=GROUP))]
    return found


def plug_in(app: Flask, blueprints: Iterable[Blueprint]) -> None:
    """Register the blueprints, each after its own `plug_in`."""
    for area in blueprints:
        prepare: Callable[[Flask], None] | None = getattr(area, "plug_in", None)
        if prepare is not None:
            prepare(app)
        app.register_blueprint(area)


def beside(app: Flask, start: Start, *, serving: bool = False) -> None:
    """Have this started in each serving process: serving, whenever it serves; else it is work,
    which a process with `--no-work` leaves to others."""
    app.extensions.setdefault(BESIDE, []).append((start, serving))


def start_beside(app: Flask, database: Database, work: bool = True) -> Callable[[], None]:
    """Start all of it, or without work the rest. Returns the call that stops it, last started
    first."""
    stops = [
        start(database) for start, serving in app.extensions.get(BESIDE, []) if work or serving
    ]

    def stop() -> None:
        for each in reversed(stops):
            each()

    return stop
