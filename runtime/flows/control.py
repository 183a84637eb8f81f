"""Cancel, suspend, resume an instance; retry what failed in it."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import need
from ...platform.store.errors import Conflict, NotFound
from ...platform.store.session import moment
from ..tasks.hold import cancel_tasks
from ..tasks.messages import drop_all_messages
from ..tasks.model import tasks
from ..timers.set import cancel_all, hold_timers, let_go
from .instance import Standing, lock, sight_of
from .load import flow
from .model import InstanceState, TokenState, incidents, instances, tokens, waits
from .seen import need_seen
from .transit import go_on

RIGHT = "flows.write"
TIMER = "E_TIMER"
"""The incident of a timer; its token is not stuck."""


def cancel(session: Session, actor: Actor, instance_id: int) -> None:
    """Stop an instance for good: no task, timer or wait of it is left. Records stay as they are.

    Raises NotFound, NotAllowed, Conflict when it has ended.
    """
    standing = _taken(session, actor, instance_id)
    now = moment(session)
    cancel_tasks(session, tasks.c.instance_id == instance_id)
    drop_all_messages(session, instance_id)
    cancel_all(session, instance_id)
    session.execute(waits.delete().where(waits.c.instance_id == instance_id))
    session.execute(
        update(tokens)
        .where(tokens.c.instance_id == instance_id, tokens.c.state != TokenState.ENDED)
        .values(state=TokenState.CANCELLED, since=now)
    )
    session.execute(
        update(incidents)
        .where(incidents.c.instance_id == instance_id, incidents.c.closed_at.is_(None))
        .values(closed_at=now, closed_by=actor.person_id, closed_how="cancelled")
    )
    _stand(session, standing, InstanceState.CANCELLED, ended=True)
    _tell(session, actor, standing, "flow:cancelled")


def suspend(session: Session, actor: Actor, instance_id: int) -> None:
    """Halt an instance: its tasks cannot be completed, its timers are held.

    Suspending a suspended one changes nothing. Raises NotFound, NotAllowed, Conflict.
    """
    standing = _taken(session, actor, instance_id)
    if standing.state == InstanceState.SUSPENDED:
        return
    hold_timers(session, instance_id, True)
    _stand(session, standing, InstanceState.SUSPENDED)
    _tell(session, actor, standing, "flow:suspended")


def resume(session: Session, actor: Actor, instance_id: int) -> None:
    """Let a suspended instance run on; timers that passed meanwhile fire at once.

    Resuming a running one changes nothing. Raises NotFound, NotAllowed, Conflict.
    """
    standing = _taken(session, actor, instance_id)
    if standing.state == InstanceState.RUNNING:
        return
    hold_timers(session, instance_id, False)
    _stand(session, standing, InstanceState.RUNNING)
    _tell(session, actor, standing, "flow:resumed")


def retry(session: Session, actor: Actor, incident_id: int) -> bool:
    """Try a failed step again; returns whether it went well this time.

    When it fails again, a new incident is opened in place of this one. A timer that could not be
    fired is due again, and True means that it is there. Raises NotFound,
    NotAllowed, Conflict when the incident is closed or the instance does not run.
    """
    query = select(incidents).where(incidents.c.id == incident_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound(incident=str(incident_id))
    standing = _taken(session, actor, row.instance_id)
    if standing.state != InstanceState.RUNNING:
        raise Conflict("E_FLOW_SUSPENDED")
    closed = session.execute(
        update(incidents)
        .where(incidents.c.id == incident_id, incidents.c.closed_at.is_(None))
        .values(closed_at=moment(session), closed_by=actor.person_id, closed_how="retried")
    )
    if closed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict("E_INCIDENT_CLOSED")
    event = _tell(session, actor, standing, "incident:retried", step=row.step_key)
    if row.code == TIMER:
        return let_go(session, incident_id)
    graph = flow(session, standing.flow_key, standing.flow_version)
    go_on(
        sight_of(session, standing),
        graph,
        standing,
        row.token_id,
        row.step_key,
        row.step_key,
        event,
    )
    again = select(incidents.c.id).where(
        incidents.c.token_id == row.token_id, incidents.c.closed_at.is_(None)
    )
    return session.execute(again).first() is None


def _taken(session: Session, actor: Actor, instance_id: int) -> Standing:
    """The instance, locked, for somebody who may act on it; it has not ended."""
    need_seen(session, actor, instance_id)
    need(session, actor, RIGHT)
    standing = lock(session, instance_id)
    if standing is None:
        raise NotFound(instance=str(instance_id))
    if standing.state in (InstanceState.ENDED, InstanceState.CANCELLED):
        raise Conflict("E_FLOW_OVER", state=str(standing.state))
    return standing


def _stand(session: Session, standing: Standing, state: InstanceState, ended: bool = False) -> None:
    standing.state = state
    session.execute(
        update(instances)
        .where(instances.c.id == standing.id)
        .values(state=state, ended_at=moment(session) if ended else None)
    )


def _tell(session: Session, actor: Actor, standing: Standing, name: str, **data: str) -> int:
    subject = ("instance", standing.id)
    return append(session, name, actor, subject, standing.unit_id, data)
