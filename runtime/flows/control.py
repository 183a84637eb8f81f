"""Cancel, suspend, resume an instance; retry what failed in it, or go on without."""

from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import need
from ...platform.store.errors import Conflict, NotFound
from ...platform.store.session import moment
from ..actions.commands import Named
from ..channels.calls import drop_calls, hold_calls
from ..channels.model import CallState, calls
from ..steps.call import SKIPPED
from ..steps.graph import CallStep
from ..tasks.hold import cancel_tasks
from ..tasks.messages import drop_all_messages
from ..tasks.model import tasks
from ..timers.set import cancel_all, hold_timers, let_go
from .instance import Standing, lock, sight_of
from .load import flow
from .model import InstanceState, TokenState, incidents, instances, tokens, waits
from .seen import need_seen
from .transit import go_on
from .writing import note_case

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
    drop_calls(session, calls.c.instance_id == instance_id, CallState.WAITING, CallState.FAILED)
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
    _hold(session, actor, instance_id, True)


def resume(session: Session, actor: Actor, instance_id: int) -> None:
    """Let a suspended instance run on; timers that passed meanwhile fire at once.

    Resuming a running one changes nothing. Raises NotFound, NotAllowed, Conflict.
    """
    _hold(session, actor, instance_id, False)


def _hold(session: Session, actor: Actor, instance_id: int, held: bool) -> None:
    """Halt it with all that would move it on, or let it go."""
    state = InstanceState.SUSPENDED if held else InstanceState.RUNNING
    standing = _taken(session, actor, instance_id)
    if standing.state == state:
        return
    hold_timers(session, instance_id, held)
    hold_calls(session, instance_id, held)
    _stand(session, standing, state)
    _tell(session, actor, standing, "flow:suspended" if held else "flow:resumed")


def retry(session: Session, actor: Actor, incident_id: int) -> bool:
    """Try a failed step again; returns whether it went well this time.

    When it fails again, a new incident is opened in place of this one. A timer that could not be
    fired is due again, and True means that it is there. Raises NotFound,
    NotAllowed, Conflict when the incident is closed or the instance does not run.
    """
    row, standing = _open_one(session, actor, incident_id)
    _close(session, actor, incident_id, "retried")
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


def skip(session: Session, actor: Actor, incident_id: int) -> None:
    """Go on without a call that was given up: nobody sends it any more, and what would have been
    kept of its answer is blank.

    Raises NotFound, NotAllowed, Conflict when the incident is closed or of no call.
    """
    row, standing = _open_one(session, actor, incident_id)
    graph = flow(session, standing.flow_key, standing.flow_version)
    node = graph.nodes.get(row.step_key)
    if node is None or not isinstance(node.step, CallStep) or row.code == TIMER:
        raise Conflict("E_NOT_SKIPPED")
    _close(session, actor, incident_id, "skipped")
    drop_calls(session, calls.c.token_id == row.token_id, CallState.WAITING, CallState.FAILED)
    event = _tell(session, actor, standing, "incident:skipped", step=row.step_key)
    at = moment(session).isoformat()
    standing.run.names[row.step_key] = Named(outcome=SKIPPED, at=at, by=actor.person_id)
    note_case(session, row.token_id, row.step_key, SKIPPED)
    sight = sight_of(session, standing)
    go_on(sight, graph, standing, row.token_id, node.next, row.step_key, event)


def _open_one(session: Session, actor: Actor, incident_id: int) -> tuple[Row[Any], Standing]:
    """An incident, and its instance, locked, which runs."""
    query = select(incidents).where(incidents.c.id == incident_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound(incident=str(incident_id))
    standing = _taken(session, actor, row.instance_id)
    if standing.state != InstanceState.RUNNING:
        raise Conflict("E_FLOW_SUSPENDED")
    return row, standing


def _close(session: Session, actor: Actor, incident_id: int, how: str) -> None:
    closed = session.execute(
        update(incidents)
        .where(incidents.c.id == incident_id, incidents.c.closed_at.is_(None))
        .values(closed_at=moment(session), closed_by=actor.person_id, closed_how=how)
    )
    if closed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict("E_INCIDENT_CLOSED")


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
