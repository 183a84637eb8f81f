"""A message is due: it goes to those it is for."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import SYSTEM
from ...platform.store.session import moment
from ..steps.graph import NotifyStep
from ..tasks.actors import Offered
from ..tasks.messages import filled, readers_of
from ..tasks.model import MessageState, messages
from ..timers.due import Due
from .instance import Standing, sight_of
from .leave import drop_timers
from .load import flow
from .say import values_of
from .writing import told_actors


def send(session: Session, standing: Standing, timer: Due) -> None:
    """Its gaps are filled as things stand now. For a customer it goes into the log of messages,
    from which a channel will take it."""
    query = select(messages).where(messages.c.id == timer.owner_id)
    row = session.execute(query).one_or_none()
    if row is None or row.state != MessageState.SCHEDULED:
        return
    graph = flow(session, standing.flow_key, standing.flow_version)
    step = graph.nodes[row.step_key].step
    assert isinstance(step, NotifyStep)
    words = values_of(sight_of(session, standing), step, standing.run.names)
    session.execute(
        update(messages)
        .where(messages.c.id == row.id)
        .values(state=MessageState.SENT, sent_at=moment(session), text=filled(row.text, words))
    )
    drop_timers(session, row.id)
    readers = readers_of(session, [row.id])[row.id]
    to = told_actors([Offered(person=one.person_id) for one in readers])
    data = {"step": row.step_key, "message": str(row.id), "to": to}
    append(session, "message:sent", SYSTEM, ("instance", standing.id), standing.unit_id, data)
