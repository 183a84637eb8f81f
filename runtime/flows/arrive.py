"""Something happened: the flows that wait for it are woken, and moments that hang on it move.

A wake is a timer that is due now: it is fired like any other, so that an instance is locked by
one transition at a time and a suspended one stands still.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...platform.definitions.model import VersionRow
from ...platform.events.model import Event
from ...platform.identity.actor import SYSTEM
from ...platform.records.lists import get
from ...platform.records.shape import shape_of
from ...platform.store.errors import NotFound
from ...platform.store.kept import kept
from ...platform.store.session import moment
from ..timers.set import NewTimer, have_moved, set_timers
from .model import waits

WORD = re.compile(r"\w+|\{")


def awaited_links(session: Session, form_key: str) -> frozenset[str]:
    """The link fields by which some version of some flow waits for a record of this form."""
    return kept(session, "flow awaits", lambda: _awaited(session)).get(form_key, frozenset())


def _awaited(session: Session) -> dict[str, frozenset[str]]:
    """Of every version there was: an instance stays on the one it began with."""
    found: dict[str, set[str]] = {}
    for one in _parts(session):
        came = one.get("submitted")
        if isinstance(came, Mapping) and "link" in came and "form" in came:
            found.setdefault(str(came["form"]), set()).add(str(came["link"]))
    return {form: frozenset(links) for form, links in found.items()}


def _parts(session: Session) -> Iterator[Mapping[str, Any]]:
    """Every object in every version of every flow."""
    query = select(VersionRow.document).where(VersionRow.kind == "flow")
    open_ends: list[Any] = list(session.scalars(query))
    while open_ends:
        one = open_ends.pop()
        if isinstance(one, Mapping):
            yield one
            open_ends += one.values()
        elif isinstance(one, list):
            open_ends += one


def may_move(session: Session, fields: Collection[str]) -> bool:
    """Whether a change of these fields may move anything, for all that the flows' texts say."""
    words = kept(session, "flow moves", lambda: _moving_words(session))
    return "{" in words or not words.isdisjoint(fields)


def _moving_words(session: Session) -> frozenset[str]:
    """Every word in an expression that a moment is worked out from, in any version of any flow;
    a brace for a field that is named by its label."""
    words: set[str] = set()
    for one in _parts(session):
        for key in ("until", "after"):
            if isinstance(one.get(key), str):
                words.update(WORD.findall(one[key]))
    return frozenset(words)


def submitted(session: Session, event: Event, form_key: str) -> None:
    """A record came: whoever waits for one that leads where it leads is woken."""
    links = awaited_links(session, form_key)
    if not links:
        return
    try:
        record = get(session, SYSTEM, form_key, event.subject_id)
    except NotFound:
        return
    for link in sorted(links):
        field, target = record.form.fields.get(link), record.values.get(link)
        if field is not None and field.link_form is not None and target is not None:
            _wake(
                session,
                "record",
                f"{form_key}.{link}",
                (field.link_form, int(target)),
                {"record": record.id},
            )


def raised(session: Session, event: Event, form_key: str) -> None:
    """An event was raised about a record: whoever waits for it is woken."""
    _wake(session, "event", str(event.data["event"]), (form_key, event.subject_id), {})


def changed(session: Session, event: Event, form_key: str) -> None:
    """A record changed: what was worked out from it is worked out again."""
    have_moved(session, form_key, event.subject_id)


def _wake(
    session: Session, kind: str, what: str, about: tuple[str, int], data: dict[str, Any]
) -> None:
    """End the waits for this. The record it is about is locked, as whoever begins to wait locks
    it too: either they find what came, or they are found here."""
    form, record = about
    table = shape_of(session, form).table
    row = select(table.c._id).where(table.c._id == record)
    session.execute(row.with_for_update(key_share=True))
    query = select(waits.c.id, waits.c.instance_id).where(
        waits.c.form_key == form,
        waits.c.record_id == record,
        waits.c.kind == kind,
        waits.c.what == what,
    )
    now = moment(session)
    found = [
        NewTimer(now, "wait", wait.instance_id, wait.id, data) for wait in session.execute(query)
    ]
    set_timers(session, found)
