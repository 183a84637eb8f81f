"""A record out of use, and in use again: the buttons on its page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...platform.records.submit import restore, retire
from ...platform.store.errors import Conflict, NotAllowed, Stale
from ...platform.web.request import language, who, write
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.told import said
from ...platform.web.words import say

area = Blueprint("record_life", __name__)


@route(area, "/records/<form_key>/<id:record_id>/retire", methods=("POST",), needs=SIGNED_IN)
def retire_record(form_key: str, record_id: int) -> ResponseReturnValue:
    """Back to the record, which says so."""
    return _do(form_key, record_id, retiring=True)


@route(area, "/records/<form_key>/<id:record_id>/restore", methods=("POST",), needs=SIGNED_IN)
def restore_record(form_key: str, record_id: int) -> ResponseReturnValue:
    """Back to the record, which says so, or why it cannot be."""
    return _do(form_key, record_id, retiring=False)


def _do(form_key: str, record_id: int, *, retiring: bool) -> ResponseReturnValue:
    """What is refused is said on the record's page, where it can be looked into."""
    actor = who()
    revision = request.form.get("_revision", type=int)

    def deed(session: Session) -> None:
        act = retire if retiring else restore
        act(session, actor, form_key, record_id, revision=revision)

    try:
        write(deed)
    except Stale:
        flash(say(language(), "page.record.stale"), "late")
    except (Conflict, NotAllowed) as refusal:
        flash(said(refusal.code, refusal.params), "late")
    else:
        flash(say(language(), "page.record.gone" if retiring else "page.record.back"), "ok")
    return redirect(f"/records/{form_key}/{record_id}", 303)
