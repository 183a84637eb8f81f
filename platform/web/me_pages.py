"""The page of one's own account: who I am, my password, my sign-ins, my access tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ..identity import access_tokens, browsers, second_factor
from ..identity.passwords import LONGEST, SHORTEST
from ..store.errors import Invalid, NotAllowed, Problem, Refusal
from ..store.session import moment
from .codes import asked_for
from .context import local
from .own_password import change_own
from .parts import Trouble
from .people_pages import browsers_of, tokens_of
from .request import asker, language, reading, who, write
from .role_words import role_title, unit_title
from .routes import SIGNED_IN, route
from .told import sent, sent_id, told
from .words import say

area = Blueprint("me", __name__)

DAYS = (7, 30, 90, 365)


@route(area, "/me", needs=SIGNED_IN, endpoint="me")
def show() -> ResponseReturnValue:
    """`pages/me.html`: see `_draw`."""
    return _draw()


def _me() -> int:
    number = who().person_id
    if number is None:
        raise NotAllowed()
    return number


def _draw(problems: list[Trouble] | None = None, token: str = "") -> str:  # nosec B107
    """unit, held (title, unit), factor (since, codes; None without one), browsers, tokens, days (to
    choose how long), once (a token), problems."""
    session, actor, me = reading(), who(), _me()
    return render_template(
        "pages/me.html",
        unit=unit_title(session, actor.unit_id, language()),
        held=[
            {
                "title": role_title(session, grant.role, language()),
                "unit": unit_title(session, grant.unit_id, language()),
            }
            for grant in actor.grants
        ],
        factor=_factor(session, me),
        browsers=browsers_of(session, actor, me),
        tokens=tokens_of(session, actor, me),
        days=DAYS,
        once=_once(token) if token else None,
        problems=problems or [],
        shortest=SHORTEST,
        longest=LONGEST,
    )


def _factor(session: Session, me: int) -> dict[str, Any] | None:
    found = second_factor.standing(session, me)
    return {"since": local(found.since, "%Y-%m-%d"), "codes": found.codes} if found else None


def _once(token: str) -> dict[str, str]:
    """The token just issued, for `parts/shown_once.html`."""
    return {
        "key": "token",
        "icon": "key-round",
        "title": say(language(), "page.tokens.new"),
        "words": say(language(), "page.tokens.new_words"),
        "value": token,
    }


@route(area, "/me/password", methods=("POST",), needs=SIGNED_IN, endpoint="password")
def change_password() -> ResponseReturnValue:
    """The current one and the new one twice; a code by who has a second factor."""
    password = request.form.get("password", "")
    try:
        if password != request.form.get("again", ""):
            raise Invalid(problems=[Problem("/again", "E_PASSWORD_AGAIN")])
        change_own(request.form.get("current", ""), password, request.form.get("code", "")[:100])
    except Refusal as refusal:
        return _draw(told(refusal)), refusal.status
    flash(say(language(), "page.me.password_set"), "ok")
    return redirect("/me", 303)


@route(area, "/me/tokens", methods=("POST",), needs=SIGNED_IN, endpoint="token")
def issue_token() -> ResponseReturnValue:
    """A new one, shown on the page that answers and never again."""
    actor, me, title, days = who(), _me(), sent("title"), sent("days", 4)

    def deed(session: Session) -> tuple[Any, str]:
        use(session)
        until = moment(session) + timedelta(days=int(days)) if days else None
        return access_tokens.issue(session, actor, me, title, until)

    try:
        if not 1 <= len(title) <= 100:
            raise Invalid(problems=[Problem("/title", "E_NAME")])
        if days and days not in map(str, DAYS):
            raise Invalid(problems=[Problem("/days", "E_OPTION", {"value": days})])
        use = asked_for(actor, sent("code", 100))
        token = write(deed)[1]
    except Refusal as refusal:
        return _draw(told(refusal)), refusal.status
    return _draw(token=token), 201


@route(area, "/me/tokens/revoke", methods=("POST",), needs=SIGNED_IN, endpoint="revoke")
def revoke_token() -> ResponseReturnValue:
    """From its next use on."""
    actor, token_id = who(), sent_id("token")
    write(lambda session: access_tokens.revoke(session, actor, token_id))
    flash(say(language(), "page.me.revoked"), "ok")
    return redirect("/me", 303)


@route(area, "/me/browsers/end", methods=("POST",), needs=SIGNED_IN, endpoint="end_browser")
def end_browser() -> ResponseReturnValue:
    """One of one's own, with its next request."""
    actor, sign_in_id = who(), sent_id("sign_in")
    try:
        write(lambda session: browsers.end_one(session, actor, sign_in_id))
    except Refusal as refusal:
        return _draw(told(refusal)), refusal.status
    flash(say(language(), "page.browsers.ended"), "ok")
    return redirect("/me", 303)


@route(area, "/me/browsers/end-others", methods=("POST",), needs=SIGNED_IN, endpoint="end_others")
def end_others() -> ResponseReturnValue:
    """All but the one that asks."""
    actor, kept = who(), asker().sign_in_id
    count = write(lambda session: browsers.end_others(session, actor, kept))
    flash(say(language(), "page.browsers.others_ended", count=count), "ok")
    return redirect("/me", 303)
