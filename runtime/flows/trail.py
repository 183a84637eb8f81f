"""Which runs somebody may know of from the trail: those about records they may read."""

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from ...platform.events.model import Event
from ...platform.identity.actor import Actor
from ...platform.records.trail import records_seen
from .model import instances

SUBJECT = "instance"


def instances_seen(session: Session, actor: Actor) -> ColumnElement[bool]:
    """The events of instances whose record the actor may read."""
    ways = [
        and_(instances.c.subject_form == form, readable)
        for form, readable in records_seen(session, actor, instances.c.subject_id).items()
    ]
    return Event.subject_id.in_(select(instances.c.id).where(or_(false(), *ways)))
