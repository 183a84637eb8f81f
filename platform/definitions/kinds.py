"""The kinds of definition there are. Each is a table entry; areas add their own at start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ..store.errors import NotFound, Problem

Document = dict[str, Any]
#: (session, document) -> what is wrong with it, beyond its JSON Schema
Check = Callable[[Session, Document], list[Problem]]


@dataclass(frozen=True)
class Publishing:
    """What a kind's effect gets to know: the document going in force, and the one before it."""

    document: Document
    before: Document | None
    version: int


#: (session, publishing) -> the changes it made, as codes with params, for people to read
Effect = Callable[[Session, Publishing], list[Problem]]


@dataclass(frozen=True)
class Kind:
    """One kind: its JSON Schema, its own check, and what publishing one sets in motion."""

    name: str
    schema: Mapping[str, Any]
    check: Check
    effect: Effect | None = None
    #: kinds that a pack publishes first come first
    order: int = 50


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind. Saying the same again changes nothing."""
    KINDS[kind.name] = kind


def kind_of(name: str) -> Kind:
    """The kind of that name. Raises NotFound."""
    if name not in KINDS:
        raise NotFound(kind=name)
    return KINDS[name]
