"""Which definitions a check may count on: those in force, and those that come in its pack."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy.orm import Session

from ..store.errors import NotFound
from .published import published

Document = Mapping[str, Any]
Coming = Mapping[tuple[str, str], Document]

_COMING: ContextVar[Coming] = ContextVar("coming")


@contextmanager
def coming(documents: Coming) -> Iterator[None]:
    """While this lasts, checks also know `{(kind, key): document}`.

    A pack's forms may link to one another in a circle; whichever is published first, it is checked
    against the others as they are about to be.
    """
    before = _COMING.set({**_COMING.get({}), **documents})
    try:
        yield
    finally:
        _COMING.reset(before)


def known(session: Session, kind: str, key: str) -> Document | None:
    """The document that will be in force once the pack at hand is in, or None."""
    found = _COMING.get({}).get((kind, key))
    if found is not None:
        return found
    try:
        return published(session, kind, key).document
    except NotFound:
        return None
