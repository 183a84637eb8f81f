"""A document in force that this version cannot read is told so, in words, wherever it is needed.

A later release may have published it before a downgrade, or its row is damaged. Publishing keeps
such documents out, so whoever reads one reads it as if it were right, and says by `misread` what
went wrong when it is not.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from ..store.errors import NotFound, NotUnderstood, Problem, Refusal
from ..store.model import DAMAGED
from .check import shape_problems
from .kinds import KINDS
from .published import Entry, entries, published

T = TypeVar("T")
FOREIGN = ("E_ONE_OF", "E_UNKNOWN_KEY")
#: What reading a document that is not as its check wants it may raise.
MISREAD = (KeyError, TypeError, ValueError, AttributeError, IndexError)


def misread(
    kind: str, key: str, version: int, document: Mapping[str, Any], error: Exception
) -> NotUnderstood:
    """The refusal for a document that could not be read, with every place where its shape is not
    what this version knows. error: what reading it raised."""
    if DAMAGED in document:
        problems = [Problem("", "E_DOCUMENT_DAMAGED")]
    else:
        problems = shape_problems(kind, document) or [Problem("", *_said(error))]
    return NotUnderstood(problems=problems, kind=kind, key=key, version=version)


def _said(error: Exception) -> tuple[str, Mapping[str, Any]]:
    """A formula's fault is said as its check says it."""
    code = getattr(error, "code", None)
    if code is not None:
        return str(code), getattr(error, "params", {})
    return "E_SCHEMA", {"detail": f"{type(error).__name__} {error}"[:200]}


def understood(session: Session, kind: str, key: str, read: Callable[[Mapping[str, Any]], T]) -> T:
    """What the definition in force is read into. Raises NotFound, and NotUnderstood also for a word
    that its schema does not know: a later release's."""
    its = published(session, kind, key)
    try:
        found = read(its.document)
    except MISREAD as error:
        raise misread(kind, key, its.version, its.document, error) from error
    foreign = [each for each in shape_problems(kind, its.document) if each.code in FOREIGN]
    if foreign:
        raise NotUnderstood(problems=foreign, kind=kind, key=key, version=its.version)
    return found


def not_understood(session: Session) -> list[NotUnderstood]:
    """The definitions in force that this version cannot read, each with what is wrong; what only
    rests on one of them is not among them."""
    return [fault for entry in entries(session) if (fault := _fault(session, entry)) is not None]


def _fault(session: Session, entry: Entry) -> NotUnderstood | None:
    its = KINDS.get(entry.kind)
    if its is None or its.read is None:
        return None
    try:
        document = published(session, entry.kind, entry.key).document
    except NotFound:
        return None  # it is missing: another check tells
    try:
        its.read(session, entry.key, document)
    except NotUnderstood as fault:
        if (fault.params["kind"], fault.params["key"]) != (entry.kind, entry.key):
            return None
        its_own = {**fault.params, "version": entry.version}
        return NotUnderstood(problems=fault.problems, **its_own)
    except (Refusal, *MISREAD) as error:
        return misread(entry.kind, entry.key, entry.version, document, error)
    return None
