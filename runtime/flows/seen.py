"""Who may see an instance: whoever may read its record and holds `flows.read`."""

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access, allowed, need
from ...platform.records.shape import shape_of
from ...platform.store.errors import NotFound
from .model import instances

READ = "flows.read"


def need_seen(session: Session, actor: Actor, instance_id: int) -> Row[tuple[object, ...]]:
    """The instance's row. Raises NotFound unless the actor may see it."""
    row = session.execute(select(instances).where(instances.c.id == instance_id)).one_or_none()
    if row is None or not allowed(session, actor, READ):
        raise NotFound(instance=str(instance_id))
    table = shape_of(session, row.subject_form).table
    seen = select(table.c._id).where(
        table.c._id == row.subject_id,
        access(session, actor, row.subject_form).rows("read", table),
    )
    if session.execute(seen).one_or_none() is None:
        raise NotFound(instance=str(instance_id))
    return row


def need_right(session: Session, actor: Actor) -> None:
    """Raises NotAllowed unless the actor may see instances at all."""
    need(session, actor, READ)
