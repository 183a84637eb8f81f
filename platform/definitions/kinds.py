"""The kinds of definition there are. Each is a table entry; areas add their own at start."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from ..store.errors import NotFound, Problem

if TYPE_CHECKING:
    from .leaving import Leaving
    from .powers import Power

Document = dict[str, Any]
Named = TypeVar("Named")
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


class Use(NamedTuple):
    """That a document names another definition, or a field of it. path: where, as JSON pointer."""

    kind: str
    key: str
    field: str | None
    path: str


#: (document, form by its key) -> what the document names; formulas are read by their parsed names
Uses = Callable[[Mapping[str, Any], Callable[[str], Any]], Iterable[Use]]


#: (session, document) -> what it lets happen that nobody's own rights stand behind
Powers = Callable[[Session, Mapping[str, Any]], Iterable["Power"]]
#: (session, document) -> the fields whose values it takes out of the reach of rights
Leaves = Callable[[Session, Mapping[str, Any]], Iterable["Leaving"]]


@dataclass(frozen=True)
class Kind:
    """One kind: its JSON Schema, its own check, what publishing one sets in motion, what it names.

    A document is asked what it names only when its JSON Schema holds.
    """

    name: str
    schema: Mapping[str, Any]
    check: Check
    effect: Effect | None = None
    #: what a definition rests on comes before it in a plan
    order: int = 50
    #: its effect keeps others from writing until the transaction ends: a pack does it last
    holds: bool = False
    uses: Uses | None = None
    #: reads a document in force, (session, key, document), to see whether it is understood
    read: Callable[[Session, str, Mapping[str, Any]], object] | None = None
    #: without, all that it does is done and seen with the rights of whoever is there
    powers: Powers | None = None
    leaves: Leaves | None = None


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind. Saying the same again changes nothing."""
    KINDS[kind.name] = kind


def holding_last(names: Iterable[Named], name: Callable[[Named], str]) -> list[Named]:
    """In the same order, but for those whose effect keeps others from writing; these come last.

    name: the kind of one of them.
    """
    return sorted(names, key=lambda each: (its := KINDS.get(name(each))) is not None and its.holds)


def kind_of(name: str) -> Kind:
    """The kind of that name. Raises NotFound."""
    if name not in KINDS:
        raise NotFound(kind=name)
    return KINDS[name]
