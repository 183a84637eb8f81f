"""What flows told somebody: the newest first; reading is said by a button, and seen by others."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...platform.records.lists import get
from ...platform.store.errors import NotFound, NotUnderstood
from ...platform.web.context import local
from ...platform.web.request import reading, who, write
from ...platform.web.routes import SIGNED_IN, route
from ..forms.pages import reader_of
from ..forms.show import Reader
from ..tasks.messages import inbox, mark_read

area = Blueprint("messages", __name__)


@route(area, "/messages", needs=SIGNED_IN, endpoint="messages")
def messages() -> ResponseReturnValue:
    """`pages/messages.html`: messages ({id, text, at, unread, who, url} each)."""
    session, actor = reading(), who()
    reader = reader_of(session, actor)
    rows = inbox(session, actor.person_id)
    drawn = [
        {
            "id": row.id,
            "text": reader.text(row.text),
            "at": local(row.sent_at),
            "unread": row.read_at is None,
            **_about(reader, row.subject_form, row.subject_id),
        }
        for row in rows
    ]
    return render_template("pages/messages.html", messages=drawn)


def _about(reader: Reader, form: str, record_id: int) -> dict[str, str]:
    """The record a message is about, as far as its reader may see it."""
    try:
        record = get(reader.session, reader.actor, form, record_id)
    except (NotFound, NotUnderstood):
        return {"who": "", "url": ""}
    return {"who": record.label, "url": f"/records/{form}/{record_id}"}


@route(area, "/messages/read", methods=("POST",), needs=SIGNED_IN)
def read() -> ResponseReturnValue:
    """Say that one has read one message, or all of them."""
    person = who().person_id
    wanted = request.form.get("message", "")

    def deed(session: Session) -> None:
        unread = [row.id for row in inbox(session, person) if row.read_at is None]
        for message_id in unread:
            if wanted in ("", str(message_id)):
                mark_read(session, person, message_id)

    write(deed)
    return redirect("/messages", 303)
