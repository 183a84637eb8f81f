"""Set, cancel and hold timers, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.orm import Session

from ...platform.store.session import after_commit, new_id
from .model import timers
from .wake import wake

# Built once: building a statement costs as much as sending it.
_SET = insert(timers)
_CANCEL = delete(timers).where(timers.c.owner_id == bindparam("owner"))


@dataclass(frozen=True)
class NewTimer:
    """What falls due: see `model.Timer` for each part."""

    due_at: datetime
    purpose: str
    instance_id: int
    owner_id: int
    data: dict[str, Any] = field(default_factory=dict)


def set_timers(session: Session, wanted: Sequence[NewTimer]) -> None:
    """Set them all, with one statement; the worker learns of it after the commit."""
    if not wanted:
        return
    session.execute(
        _SET,
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


def cancel_timers(session: Session, owner_id: int) -> None:
    """None of the owner's timers will fire."""
    session.execute(_CANCEL, {"owner": owner_id})


def cancel_all(session: Session, instance_id: int) -> None:
    """None of the instance's timers will fire."""
    session.execute(delete(timers).where(timers.c.instance_id == instance_id))


def hold_timers(session: Session, instance_id: int, held: bool) -> None:
    """Held timers are not due, however late; let go, those past fire at once."""
    session.execute(update(timers).where(timers.c.instance_id == instance_id).values(held=held))
