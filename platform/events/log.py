"""Append an event, and a handoff for each consumer that wants it, in the caller's transaction."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from ..store.errors import Refusal
from ..store.hot import Hot
from ..store.session import after_commit, moment, new_id
from .model import Event, Handoff
from .names import EVENTS

#: Rules that set one another off stop here.
DEEPEST = 10

#: (session, event's name, subject, data) -> whether a consumer has anything to do about it.
Wants = Callable[[Session, str, tuple[str, int], Mapping[str, Any]], bool]

_wants: dict[str, Wants] = {}
_consumers: dict[str, list[str]] = defaultdict(list)
#: Called after a commit that left handoffs behind; the runtime's nudge puts itself here.
wake: list[Callable[[], None]] = []


EVENT = Hot(insert(Event.__table__))  # type: ignore[arg-type]
HANDOFF = Hot(insert(Handoff.__table__))  # type: ignore[arg-type]
DEPTH = select(Event.depth).where(Event.id == bindparam("id"))


class Who(Protocol):
    """Whoever does something: a person, or nobody (`None`) for what runs by itself."""

    @property
    def person_id(self) -> int | None: ...


def subscribe(consumer: str, names: Collection[str], wants: Wants | None = None) -> None:
    """Hand these events to a consumer from now on. Saying it again changes nothing.

    wants: asked of each, in the transaction that writes it; what the consumer would pass over
    anyway is then not handed on at all.
    """
    if wants is not None:
        _wants[consumer] = wants
    for name in names:
        if name not in EVENTS:
            raise ValueError(f"no event is called {name}")
        if consumer not in _consumers[name]:
            _consumers[name].append(consumer)


def append(
    session: Session,
    name: str,
    actor: Who,
    subject: tuple[str, int],
    unit_id: int | None,
    data: dict[str, Any],
    cause: int | None = None,
    on_behalf_id: int | None = None,
) -> int:
    """Write down what happened; returns the event's id.

    subject: (kind, id), e.g. ("form:lead_intake", 7). cause: id of the event this one follows
    from; a chain deeper than DEEPEST is refused with E_TOO_DEEP.
    """
    if name not in EVENTS:
        raise ValueError(f"no event is called {name}")
    if unknown := set(data) - set(EVENTS[name]):
        raise ValueError(f"{name} has no {', '.join(sorted(unknown))}")
    depth = 0
    if cause is not None:
        depth = depth_of(session, cause) + 1
    if depth > DEEPEST:
        raise Refusal("E_TOO_DEEP", depth=DEEPEST)
    event_id, now = new_id(session), moment(session)
    about = {"subject_kind": subject[0], "subject_id": subject[1]}
    EVENT.later(
        session,
        {
            "id": event_id,
            "name": name,
            **about,
            "unit_id": unit_id,
            "actor_id": actor.person_id,
            "on_behalf_id": on_behalf_id,
            "cause_id": cause,
            "depth": depth,
            "at": now,
            "data": data,
        },
    )
    consumers = [
        consumer
        for consumer in _consumers.get(name, ())
        if consumer not in _wants or _wants[consumer](session, name, subject, data)
    ]
    known_depths(session)[event_id] = depth
    if consumers:
        due = {**about, "due_at": now, "tries": 0}
        for consumer in consumers:
            HANDOFF.later(session, {"event_id": event_id, "consumer": consumer, **due})
        after_commit(session, _wake)
    return event_id


def known_depths(session: Session) -> dict[int, int]:
    """How deep in their chains the events are that this transaction has met."""
    found: dict[int, int] = session.info.setdefault("event depths", {})
    return found


def depth_of(session: Session, event_id: int | None) -> int:
    """How many events this one follows from, one another; 0 for what is not there."""
    known = known_depths(session)
    if event_id is not None and event_id not in known:
        known[event_id] = session.execute(DEPTH, {"id": event_id}).scalar() or 0
    return known.get(event_id or 0, 0)


def _wake() -> None:
    for call in wake:
        call()
