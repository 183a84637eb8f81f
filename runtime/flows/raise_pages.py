"""What people may say has happened to a record, on its page: the events that its runs wait for."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.records.lists import may_do
from ...platform.records.record import Record
from ...platform.store.errors import Conflict
from ...platform.web.request import language, who, write
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.told import said
from ...platform.web.words import say
from ..forms.asides import Aside
from ..forms.show import Reader
from ..steps.graph import RaceStep
from .load import flow
from .model import InstanceState, instances, waits
from .raised import raise_event

area = Blueprint("raising", __name__)


def awaited(reader: Reader, record: Record) -> list[Aside]:
    """The events that a run waits for about this record, if the reader may change it."""
    session, form = reader.session, record.form.key
    query = (
        select(waits, instances.c.flow_key, instances.c.flow_version)
        .join(instances, instances.c.id == waits.c.instance_id)
        .where(
            waits.c.form_key == form,
            waits.c.record_id == record.id,
            waits.c.kind == "event",
            instances.c.state == InstanceState.RUNNING,
        )
        .order_by(waits.c.id)
    )
    rows = session.execute(query).all()
    if not rows or not may_do(session, reader.actor, form, record.id, "change"):
        return []
    found: dict[str, Aside] = {}
    for row in rows:
        node = flow(session, row.flow_key, row.flow_version).nodes[row.step_key]
        arm = node.step.arm(row.arm) if isinstance(node.step, RaceStep) else None
        title = reader.text((arm.title if arm is not None else None) or node.title) or row.what
        url = f"/records/{form}/{record.id}/raise"
        found.setdefault(row.what, Aside("events", title, row.what, url, ""))
    return list(found.values())


@route(area, "/records/<form_key>/<id:record_id>/raise", methods=("POST",), needs=SIGNED_IN)
def raise_about(form_key: str, record_id: int) -> ResponseReturnValue:
    """Say that it has happened; the runs that wait for it go on."""
    actor, event = who(), request.form.get("event", "")

    def deed(session: Session) -> None:
        _need_awaited(session, actor, form_key, record_id, event)
        raise_event(session, actor, form_key, record_id, event)

    try:
        write(deed)
    except Conflict as refusal:
        flash(said(refusal.code, refusal.params), "soon")
    else:
        flash(say(language(), "page.record.raised"), "ok")
    return redirect(f"/records/{form_key}/{record_id}", 303)


def _need_awaited(
    session: Session, actor: Actor, form_key: str, record_id: int, event: str
) -> None:
    """Raises Conflict when nothing waits for it any more, so that nobody raises it twice; whether
    the actor may know of the record at all is asked by `raise_event`."""
    query = select(waits.c.id).where(
        waits.c.form_key == form_key,
        waits.c.record_id == record_id,
        waits.c.kind == "event",
        waits.c.what == event,
    )
    seen = may_do(session, actor, form_key, record_id, "change")
    if seen and session.execute(query.limit(1)).first() is None:
        raise Conflict("E_NOT_AWAITED")
