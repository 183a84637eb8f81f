"""The places a person can go to from every page. Each area says which are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request
from sqlalchemy.orm import Session

from ..identity.actor import Actor
from ..identity.permissions import allowed
from .request import reading, who_or_nobody
from .routes import PUBLIC, SIGNED_IN

KEY = "careloom.navigation"


@dataclass(frozen=True)
class Place:
    """One place. words: its key in the catalogue; icon: its name in the sprite.

    needs: as of a route, or a call `(session, actor) -> bool`; order: low first.
    """

    url: str
    icon: str
    words: str
    needs: str | Callable[[Session, Actor], bool] = SIGNED_IN
    order: int = 50


def add_places(app: Flask, places: Iterable[Place]) -> None:
    """Offer places, to those who may go there."""
    known = app.extensions.setdefault(KEY, [])
    known.extend(places)
    known.sort(key=lambda place: place.order)


def navigation() -> list[dict[str, Any]]:
    """What the signed-in person is offered: `{"url","icon","words","current"}` each."""
    actor = who_or_nobody()
    if actor is None:
        return []
    session = reading()
    return [
        {
            "url": place.url,
            "icon": place.icon,
            "words": place.words,
            "current": _is_here(place.url),
        }
        for place in current_app.extensions.get(KEY, [])
        if _may(session, actor, place.needs)
    ]


def _may(session: Session, actor: Actor, needs: str | Callable[[Session, Actor], bool]) -> bool:
    if callable(needs):
        return needs(session, actor)
    return needs in (PUBLIC, SIGNED_IN) or allowed(session, actor, needs)


def _is_here(url: str) -> bool:
    return request.path == url or (url != "/" and request.path.startswith(f"{url}/"))
