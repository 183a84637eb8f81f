"""The page of what waits to be mended: what was set aside, and runs whose step failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, flash, redirect, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.identity.permissions import allowed
from ...platform.records.choices import labels
from ...platform.store.errors import Conflict, Refusal
from ...platform.web.context import local
from ...platform.web.parts import Trouble
from ...platform.web.request import language, reading, who, write
from ...platform.web.routes import route
from ...platform.web.titles import titles_of
from ...platform.web.told import said, sent, told
from ...platform.web.words import say
from . import mending
from .control import RIGHT
from .seen import READ

area = Blueprint("mending", __name__)


@route(area, "/incidents", needs=RIGHT, endpoint="mending")
def show() -> ResponseReturnValue:
    """`pages/mending.html`: see `_draw`."""
    return _draw()


def _draw(problems: list[Trouble] | None = None) -> str:
    """parked (event, words, form, title, url, at, since, tries, error), incidents (flow, form,
    title, words, at, url), problems, longest (of a reason)."""
    session, actor = reading(), who()
    aside, failed = mending.parked(session, actor), mending.open_incidents(session, actor)
    about = [(one.form, one.record_id) for one in aside]
    named = _named(session, actor, about + [(row.subject_form, row.subject_id) for row in failed])
    forms, flows = (titles_of(session, kind, language()) for kind in ("form", "flow"))
    may_look = allowed(session, actor, READ)
    return render_template(
        "pages/mending.html",
        parked=[
            {
                "event": str(one.event_id),
                "words": say(language(), f"event.{one.name}", **one.data),
                "form": forms.get(one.form, one.form),
                "title": named.get((one.form, one.record_id), ""),
                "url": f"/records/{one.form}/{one.record_id}",
                "at": local(one.at),
                "since": local(one.parked_at),
                "tries": one.tries,
                "error": one.error,
            }
            for one in aside
        ],
        incidents=[
            {
                "flow": flows.get(row.flow_key, row.flow_key),
                "form": forms.get(row.subject_form, row.subject_form),
                "title": named.get((row.subject_form, row.subject_id), ""),
                "words": said(row.code, row.params),
                "at": local(row.opened_at),
                "url": f"/instances/{row.instance_id}" if may_look else "",
            }
            for row in failed
        ],
        problems=problems or [],
        longest=mending.LONGEST,
    )


def _named(
    session: Session, actor: Actor, about: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], str]:
    """What the records are called, as far as the actor may know."""
    ids: dict[str, set[int]] = {}
    for form, number in about:
        ids.setdefault(form, set()).add(number)
    return {
        (form, number): name
        for form, numbers in ids.items()
        for number, name in labels(session, actor, form, numbers).items()
    }


@route(area, "/incidents/<id:event_id>/retry", methods=("POST",), needs=RIGHT)
def retry_parked(event_id: int) -> ResponseReturnValue:
    """Have a worker try again."""
    return _do(lambda session, actor: mending.retry(session, actor, event_id), "retried")


@route(area, "/incidents/<id:event_id>/leave-out", methods=("POST",), needs=RIGHT)
def leave_out(event_id: int) -> ResponseReturnValue:
    """For good, with a reason."""
    why = sent("reason", mending.LONGEST + 1)
    return _do(lambda session, actor: mending.leave_out(session, actor, event_id, why), "left_out")


def _do(deed: Callable[[Session, Actor], Any], done: str) -> ResponseReturnValue:
    actor = who()
    try:
        write(lambda session: deed(session, actor))
    except Conflict as refusal:  # somebody was quicker
        flash(said(refusal.code, refusal.params), "soon")
    except Refusal as refusal:
        return _draw(told(refusal)), refusal.status
    else:
        flash(say(language(), f"page.mending.did_{done}"), "ok")
    return redirect("/incidents", 303)
