"""What follows from an event: flows that begin, waits that are over, moments that move."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from ...platform.events.model import Event
from ..timers.set import watched
from . import arrive
from .start import may_start, start_called, start_for

CONSUMER = "flows"
"""Under this name events are handed to what flows do about them."""


def wants(session: Session, name: str, subject: tuple[str, int], data: Mapping[str, Any]) -> bool:
    """Whether anything may follow; asked before the event is handed on.

    For a change this is exact: whoever works a moment out from a record has locked it.
    """
    form = _form(subject[0])
    if form is None:
        return False
    if name == "record:submitted":
        return may_start(session, name, subject[0]) or bool(arrive.awaited_links(session, form))
    if name == "record:changed":
        fields = data.get("fields", ())
        return arrive.may_move(session, fields) and watched(session, form, subject[1])
    return True


def follow(session: Session, event: Event) -> None:
    """Do all of it, in the transaction that deletes the event's handoff."""
    form = _form(event.subject_kind)
    if form is None:
        return
    if event.name == "record:submitted":
        if may_start(session, event.name, event.subject_kind):
            start_for(session, event)
        arrive.submitted(session, event, form)
    elif event.name == "record:changed":
        arrive.changed(session, event, form)
    elif event.name == "flow:raised":
        arrive.raised(session, event, form)
    elif event.name == "flow:called":
        start_called(session, event)


def _form(subject_kind: str) -> str | None:
    kind, _, form = subject_kind.partition(":")
    return form if kind == "form" else None
