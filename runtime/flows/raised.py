"""Raise an event about a record: flows that wait for it go on."""

import re

from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.records.lists import get, may_do
from ...platform.store.errors import Malformed, NotAllowed

EVENT = re.compile(r"[a-z][a-z0-9_]{0,19}\.[a-z][a-z0-9_]{0,19}\Z")


def raise_event(session: Session, actor: Actor, form_key: str, record_id: int, event: str) -> int:
    """Whoever may change the record may raise an event about it; returns the event's id.

    event: a name the flows agree on, `lead.reactivated`. Raises NotFound, NotAllowed, Malformed.
    """
    if EVENT.match(event) is None:
        raise Malformed("E_EVENT_NAME")
    record = get(session, actor, form_key, record_id)
    if not may_do(session, actor, form_key, record_id, "change"):
        raise NotAllowed(form=form_key, action="change")
    subject = (f"form:{form_key}", record_id)
    return append(session, "flow:raised", actor, subject, record.unit_id, {"event": event})
