"""Begin an instance of the version in force, once for each event that causes it."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from ...platform.events.model import Event
from ...platform.identity.actor import SYSTEM, Actor
from ...platform.identity.permissions import need
from ...platform.records.lists import get
from ...platform.records.submit import submit
from ...platform.store.errors import Conflict, Malformed, NotFound
from ...platform.store.hot import Hot
from ...platform.store.session import new_id
from ..actions.commands import Named, Run
from ..actions.sight import Sight
from ..steps.graph import Graph
from .instance import Standing
from .load import flow, started_by
from .model import InstanceState, instances
from .transit import begin

RIGHT = "flows.start"
_STARTED = Hot(
    select(instances.c.id).where(
        instances.c.flow_key == bindparam("flow"), instances.c.cause_event == bindparam("event")
    )
)


def start_for(session: Session, event: Event) -> list[int]:
    """Start each flow that the event sets off and that it has not started yet.

    Returns the new instances. The event's handoff is deleted in the same transaction.
    """
    kind, _, form_key = event.subject_kind.partition(":")
    if kind != "form":
        return []
    started = []
    for key in started_by(session, event.name, form_key):
        graph = flow(session, key)
        sight = Sight(session, graph.subject, event.subject_id)
        if _starts(graph, sight) and not _started(session, key, event.id):
            started.append(_begin(session, graph, sight, event.id, SYSTEM))
    return started


def start_called(session: Session, event: Event) -> int | None:
    """Start the flow that an action asked for, once; it may be that the record is gone."""
    graph = flow(session, event.data["flow"])
    sight = Sight(session, graph.subject, event.subject_id)
    if _gone(sight) or _started(session, graph.key, event.id):
        return None
    given = {key: Named(one["form"], int(one["id"])) for key, one in event.data["given"].items()}
    return _begin(session, graph, sight, event.id, SYSTEM, given, int(event.data["parent"]))


def may_start(session: Session, event_name: str, subject_kind: str) -> bool:
    """Whether any flow in force begins with such an event about such a thing."""
    kind, _, form_key = subject_kind.partition(":")
    return kind == "form" and bool(started_by(session, event_name, form_key))


def start(
    session: Session,
    actor: Actor,
    flow_key: str,
    *,
    record_id: int | None = None,
    values: dict[str, object] | None = None,
) -> int:
    """Start a flow by hand, about a record there is or about a new one; returns the instance's id.

    A new record of a flow that starts by itself starts it once: by this. Raises NotAllowed,
    NotFound, Malformed (neither or both given), Invalid (the values), Conflict (the flow's
    condition does not hold for the new record).
    """
    need(session, actor, RIGHT)
    graph = flow(session, flow_key)
    if (record_id is None) == (values is None):
        raise Malformed("E_RECORD_OR_VALUES")
    if record_id is not None:
        get(session, actor, graph.subject, record_id)
        return _begin(session, graph, Sight(session, graph.subject, record_id), None, actor)
    record = submit(session, actor, graph.subject, dict(values or {}))
    sight = Sight(session, graph.subject, record.id)
    if graph.start_on is None:
        return _begin(session, graph, sight, None, actor)
    if not _starts(graph, sight):
        raise Conflict("E_FLOW_NOT_FOR_THIS")
    return _begin(session, graph, sight, _submitted(session, graph.subject, record.id), actor)


def _begin(
    session: Session,
    graph: Graph,
    sight: Sight,
    cause_event: int | None,
    actor: Actor,
    given: dict[str, Named] | None = None,
    parent_id: int | None = None,
) -> int:
    standing = Standing(
        id=new_id(session),
        flow_key=graph.key,
        flow_version=graph.version,
        subject_form=graph.subject,
        subject_id=sight.record_id,
        unit_id=sight.subject.unit_id,
        state=InstanceState.RUNNING,
        revision=1,
        run=Run(names=dict(given or {})),
    )
    begin(sight, graph, standing, new_id(session), cause_event, actor, parent_id)
    return standing.id


def _starts(graph: Graph, sight: Sight) -> bool:
    """Whether the flow's own condition holds for the record; only `true` counts as true."""
    if _gone(sight):
        return False
    return graph.start_when is None or graph.start_when.run(sight.env({})) is True


def _gone(sight: Sight) -> bool:
    """Whether the record is out of use, or not there at all."""
    try:
        return sight.subject.retired_at is not None
    except NotFound:
        return True


def _started(session: Session, flow_key: str, event_id: int) -> bool:
    return _STARTED.first(session, {"flow": flow_key, "event": event_id}) is not None


def _submitted(session: Session, form_key: str, record_id: int) -> int:
    """The event that a record just submitted left."""
    session.flush()
    query = select(Event.id).where(
        Event.subject_kind == f"form:{form_key}",
        Event.subject_id == record_id,
        Event.name == "record:submitted",
    )
    return session.execute(query).scalar_one()
