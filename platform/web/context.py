"""What every template is given.

say(key, **params) · text(label) · language · actor (or None) · unit_title · csrf · nonce · theme
(`light`, `dark` or empty) · here (path and query, to come back to) · navigation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, request

from ..definitions.field_time import MINUTE
from ..identity.actor import TIME_ZONE
from ..identity.tree import tree
from .csrf import token
from .navigation import navigation
from .request import language, nonce, reading, who_or_nobody
from .words import say, text

THEME_COOKIE = "careloom_theme"


def everywhere() -> dict[str, Any]:
    """The context of every template."""
    tongue = language()
    actor = who_or_nobody()
    theme = request.cookies.get(THEME_COOKIE, "")
    return {
        "say": lambda key, **params: say(tongue, key, **params),
        "text": lambda label: text(label, tongue),
        "language": tongue,
        "actor": actor,
        "unit_title": _unit_title(actor.unit_id, tongue) if actor else "",
        "csrf": token(),
        "nonce": nonce(),
        "theme": theme if theme in ("light", "dark") else "",
        "here": request.full_path.rstrip("?"),
        "navigation": navigation(),
    }


def _unit_title(unit_id: int | None, tongue: str) -> str:
    place = tree(reading()).places.get(unit_id) if unit_id is not None else None
    return text(place.title, tongue) if place else ""


_clock: ContextVar[tzinfo | None] = ContextVar("careloom clock", default=None)


@contextmanager
def on_the_clock_of(zone: tzinfo) -> Iterator[None]:
    """Meanwhile `local` tells moments on this clock, whoever asks."""
    before = _clock.set(zone)
    try:
        yield
    finally:
        _clock.reset(before)


def local(moment: datetime, form: str = MINUTE) -> str:
    """An instant on the clock of the asker's branch."""
    actor = who_or_nobody()
    zone = _clock.get() or ZoneInfo(actor.time_zone if actor else TIME_ZONE)
    return moment.astimezone(UTC).astimezone(zone).strftime(form)


def use(app: Flask) -> None:
    """Give it to every template."""
    app.context_processor(everywhere)
    app.jinja_env.filters["local"] = local
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
