"""What areas have to show about a person, as links on that person's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ..identity.actor import Actor
from ..identity.model import Person


@dataclass(frozen=True)
class Link:
    """Where it leads, in words, beside an icon of the sprite."""

    url: str
    words: str
    icon: str


#: (session, who looks, the person) -> what they may follow; areas add their own at start
PERSON_LINKS: list[Callable[[Session, Actor, Person], Sequence[Link]]] = []
