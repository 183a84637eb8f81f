"""A token goes on: whatever else it waited for is dropped."""

from sqlalchemy.orm import Session

from ..tasks.hold import cancel_tasks
from ..tasks.model import tasks
from ..timers.set import cancel_timers
from . import writing


def drop_rest(session: Session, token_id: int) -> None:
    """No wait, task or timer is left of what the token waited for."""
    owners = writing.drop_waits(session, token_id)
    owners += cancel_tasks(session, tasks.c.token_id == token_id)
    drop_timers(session, *owners)


def drop_timers(session: Session, *owners: int, watched: bool = True) -> None:
    """The timers of these go, and the incidents of those that could not be fired are over."""
    for owner in owners:
        stuck = cancel_timers(session, owner, watched=watched)
        writing.close_incidents(session, stuck, "passed")
