"""Set, cancel, hold and move timers, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from ...platform.store.hot import Hot
from ...platform.store.session import after_commit, moment, new_id
from .model import timers, watches
from .wake import wake

# Built once: building a statement costs as much as sending it.
_SET = Hot(insert(timers))
_WATCH = Hot(insert(watches))
_CANCEL = Hot(
    delete(timers).where(timers.c.owner_id == bindparam("owner")).returning(timers.c.incident_id)
)

_WATCHED = Hot(
    select(watches.c.id)
    .where(watches.c.form_key == bindparam("form"), watches.c.record_id == bindparam("record"))
    .limit(1)
)


@dataclass(frozen=True)
class NewTimer:
    """What falls due: see `model.Timer` for each part."""

    due_at: datetime
    purpose: str
    instance_id: int
    owner_id: int
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewWatch:
    """What is worked out from a record: see `model.Watch` for each part."""

    form_key: str
    record_id: int
    instance_id: int
    owner_id: int
    purpose: str
    key: str = ""


def set_timers(session: Session, wanted: Sequence[NewTimer]) -> None:
    """Set them all, with one statement; the worker learns of it after the commit."""
    if not wanted:
        return
    _SET(
        session,
        [
            {
                "id": new_id(session),
                "due_at": timer.due_at,
                "purpose": timer.purpose,
                "instance_id": timer.instance_id,
                "owner_id": timer.owner_id,
                "data": timer.data,
                "held": False,
            }
            for timer in wanted
        ],
    )
    soonest = min(timer.due_at for timer in wanted)
    after_commit(session, lambda: wake(soonest))


def set_watches(session: Session, wanted: Sequence[NewWatch]) -> None:
    """Have these worked out again whenever their records change."""
    if wanted:
        _WATCH(session, [{"id": new_id(session), **one.__dict__} for one in wanted])


def unwatch(session: Session, owner_id: int, purpose: str, key: str = "") -> bool:
    """It is worked out no more; False when nobody watched for it."""
    gone = session.execute(
        delete(watches).where(
            watches.c.owner_id == owner_id, watches.c.purpose == purpose, watches.c.key == key
        )
    )
    return bool(gone.rowcount)  # type: ignore[attr-defined]


def cancel_timers(session: Session, owner_id: int, *, watched: bool = True) -> list[int]:
    """None of the owner's timers will fire; returns the open incidents they had.

    watched: whether its moments may move with a record.
    """
    if watched:
        session.execute(delete(watches).where(watches.c.owner_id == owner_id))
    gone = _CANCEL.all(session, {"owner": owner_id})
    return [incident for (incident,) in gone if incident is not None]


def cancel_all(session: Session, instance_id: int) -> None:
    """None of the instance's timers will fire."""
    session.execute(delete(timers).where(timers.c.instance_id == instance_id))
    session.execute(delete(watches).where(watches.c.instance_id == instance_id))


def hold_timers(session: Session, instance_id: int, held: bool) -> None:
    """Held timers are not due, however late; let go, those past fire at once. One with an
    incident stays held until that is retried."""
    session.execute(
        update(timers)
        .where(timers.c.instance_id == instance_id, timers.c.incident_id.is_(None))
        .values(held=held)
    )


def retime(
    session: Session, new: NewTimer | None, owner_id: int, purpose: str, key: str = ""
) -> None:
    """The owner's timer for this falls due at another moment: one that is there is moved, one
    that is not is set, and without `new` none is left."""
    query = select(timers.c.id, timers.c.data).where(
        timers.c.owner_id == owner_id, timers.c.purpose == purpose
    )
    there = [row.id for row in session.execute(query) if not key or row.data.get("limit") == key]
    if new is None:
        session.execute(delete(timers).where(timers.c.id.in_(there)))
    elif not there:
        set_timers(session, [new])
    else:
        due_at = new.due_at
        session.execute(update(timers).where(timers.c.id.in_(there)).values(due_at=due_at))
        after_commit(session, lambda: wake(due_at))


def watched(session: Session, form_key: str, record_id: int) -> bool:
    """Whether anything is worked out from the record."""
    given = {"form": form_key, "record": record_id}
    return _WATCHED.first(session, given) is not None


def have_moved(session: Session, form_key: str, record_id: int) -> int:
    """The record has changed: whatever is worked out from it falls due to be worked out again.
    Returns how many things that is."""
    query = select(watches).where(watches.c.form_key == form_key, watches.c.record_id == record_id)
    now = moment(session)
    found = {
        (row.owner_id, row.purpose, row.key): NewTimer(
            now, "move", row.instance_id, row.owner_id, {"of": row.purpose, "key": row.key}
        )
        for row in session.execute(query)
    }
    set_timers(session, list(found.values()))
    return len(found)


def let_go(session: Session, incident_id: int) -> bool:
    """The incident's timer fires once more, now; False when it is not there any more."""
    query = select(timers.c.id, timers.c.data).where(timers.c.incident_id == incident_id)
    row = session.execute(query).one_or_none()
    if row is None:
        return False
    now = moment(session)
    data = {key: value for key, value in row.data.items() if key != "tries"}
    session.execute(
        update(timers)
        .where(timers.c.id == row.id)
        .values(incident_id=None, held=False, due_at=now, data=data)
    )
    after_commit(session, lambda: wake(now))
    return True
