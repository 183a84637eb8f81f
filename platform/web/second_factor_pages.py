"""The second factor: its code at sign-in, and setting it up, its recovery codes and its end on
one's own page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ..identity import second_factor, sessions, totp
from ..identity.reach import locked
from ..store.errors import Conflict, Invalid, NotFound, NotSignedIn, Problem, Refusal, TooMany
from .codes import Use, tried
from .context import local
from .own_password import by_browser, prove_own
from .parts import Trouble
from .qr import draw
from .request import (
    asker,
    asks_now,
    current_database,
    language,
    reading,
    settings,
    who,
    write,
)
from .routes import PUBLIC, SIGNED_IN, route
from .sign_in import CODE, HALF_COOKIE, begin, new_sign_in, own_path, tell, with_cookie
from .told import told
from .words import say

area = Blueprint("second_factor", __name__)

OWN = "/me/second-factor"
ISSUER = "Careloom"
MISSED = 3  # wrong codes before the right one that nobody types by mistake


@route(area, CODE, needs=PUBLIC, endpoint="code")
def ask() -> ResponseReturnValue:
    """`pages/sign_in_code.html`; without the password before it, the sign-in page."""
    wanted = own_path(request.args.get("next"))
    try:
        sessions.half(reading(), request.cookies.get(HALF_COOKIE, ""))
    except NotSignedIn:
        return _to_the_door(wanted)
    return _draw_code(wanted, None)


def _to_the_door(wanted: str) -> ResponseReturnValue:
    response: Response = redirect(url_for("sign_in.page", next=wanted), 303)
    response.delete_cookie(HALF_COOKIE, path=CODE)
    return response


def _draw_code(wanted: str, problem: str | None, by_recovery: bool = False) -> str:
    """next (a path), problem (words or None), by_recovery (that way stands open)."""
    return render_template(
        "pages/sign_in_code.html", next=wanted, problem=problem, by_recovery=by_recovery
    )


@route(area, CODE, methods=("POST",), needs=PUBLIC, endpoint="code_shown")
def finish() -> ResponseReturnValue:
    """The code, or a recovery code: who has shown it is signed in."""
    wanted = own_path(request.form.get("next"))
    recovery = request.form.get("recovery", "")[:100]
    try:
        begun, notice = _finish(recovery or request.form.get("code", "")[:100])
    except (NotSignedIn, NotFound):  # NotFound: there is no second factor any more
        return _to_the_door(wanted)
    except Invalid as refusal:
        words = told(refusal)[0].words
        return _draw_code(wanted, words, bool(recovery)), 401
    except TooMany as refusal:
        words = say(language(), "problem.E_SIGN_IN_LIMIT", minutes=-(-refusal.seconds // 60))
        answer = _draw_code(wanted, words, bool(recovery))
        return answer, 429, {"Retry-After": str(refusal.seconds)}
    if notice:
        flash(notice, "soon")
    tell(begun)
    return with_cookie(make_response(redirect(wanted, 303)), begun)


def _finish(typed: str) -> tuple[sessions.Begun, str]:
    """The sign-in, and what its person is to be told. Raises NotSignedIn when the first half is
    over, TooMany, Invalid."""
    token, replacing = request.cookies.get(HALF_COOKIE, ""), asker().sign_in_id
    with current_database().read() as session:
        person = sessions.half(session, token)
        person_id, login = person.id, person.login
    use = tried(person_id, login, typed)

    def deed(session: Session) -> tuple[sessions.Begun, int, int]:
        locked(session, person_id)
        sessions.end_half(session, token)
        before = second_factor.standing(session, person_id)
        use(session)
        left = second_factor.standing(session, person_id)
        assert before is not None and left is not None
        return begin(session, person_id, replacing), before.wrong - 1, left.codes

    begun, missed, left = current_database().write(deed)
    if missed >= MISSED:  # said once
        return replace(begun, wrong=0), say(language(), "page.factor.missed", count=missed)
    return begun, "" if totp.is_code(typed) else say(language(), "page.factor.spent", left=left)


@route(area, OWN, needs=SIGNED_IN, led=True, endpoint="page")
def show() -> ResponseReturnValue:
    """`pages/second_factor.html`: see `_draw`."""
    return _draw(own_path(request.args.get("next")))


def _draw(
    wanted: str,
    problems: list[Trouble] | None = None,
    sealed: str = "",
    codes: list[str] | None = None,
) -> str:
    """led, next, problems, codes (shown this once); standing (since, codes, wanted), or what to
    set one up with: begun (sealed), secret (in groups of four), picture (size, path)."""
    session, actor = reading(), by_browser()
    found = second_factor.standing(session, actor.person_id or 0)
    more: dict[str, Any] = {"standing": None}
    if found is not None:
        must = second_factor.is_wanted(session, actor, settings().second_factor)
        more = {"standing": {"since": local(found.since), "codes": found.codes, "wanted": must}}
    else:
        more |= _to_set_up(session, sealed)
    return render_template(
        "pages/second_factor.html",
        led=asker().led,
        next=wanted,
        problems=problems or [],
        codes=codes or [],
        **more,
    )


def _to_set_up(session: Session, sealed: str) -> dict[str, Any]:
    """A secret to set up, the one that was shown before if it still holds."""
    actor = who()
    try:
        secret = second_factor.opened(session, actor, sealed)
    except Conflict:
        secret, sealed = second_factor.begin(session, actor)
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    picture = draw(totp.address(secret, actor.login, ISSUER))
    return {"begun": sealed, "secret": groups, "picture": picture}


@route(area, OWN, methods=("POST",), needs=SIGNED_IN, led=True, endpoint="set_up")
def set_up() -> ResponseReturnValue:
    """By a code of the secret that was shown and the password. Other browsers are signed out, this
    one's sign-in is replaced; the recovery codes stand on the page that answers and nowhere else.
    """
    wanted, sealed = own_path(request.form.get("next")), request.form.get("begun", "")[:1000]
    actor, typed = by_browser(), request.form.get("code", "")[:100]
    codes = second_factor.new_codes()
    try:
        with current_database().read() as session:
            secret = second_factor.opened(session, actor, sealed)
            if second_factor.standing(session, actor.person_id or 0) is not None:
                raise Conflict("E_FACTOR_THERE")
        use = prove_own(request.form.get("password", "")[:500])
        hashes = second_factor.hashed(codes)

        def deed(session: Session) -> sessions.Begun:
            second_factor.set_up(session, actor, secret, typed, hashes)
            use(session)
            return new_sign_in(session, actor.person_id or 0)

        begun = write(deed)
    except Refusal as refusal:
        return _draw(wanted, _told(refusal), sealed), refusal.status
    asks_now(begun.token)
    return with_cookie(make_response(_draw(wanted, codes=codes), 201), begun)


def _told(refusal: Refusal) -> list[Trouble]:
    """A refusal in words; the password's stands at this page's field of it."""
    if isinstance(refusal, TooMany):
        minutes = -(-refusal.seconds // 60)
        words = say(language(), "problem.E_SIGN_IN_LIMIT", minutes=minutes)
        return [Trouble(words)]
    problems = [
        Problem(each.path.replace("/current", "/password"), each.code, each.params)
        for each in refusal.problems
    ]
    return told(type(refusal)(problems=problems)) if problems else told(refusal)


@route(area, f"{OWN}/codes", methods=("POST",), needs=SIGNED_IN, endpoint="make_codes")
def make_codes() -> ResponseReturnValue:
    """Other recovery codes, shown on the page that answers; by password and code."""
    actor, codes = by_browser(), second_factor.new_codes()
    try:
        use = _prove()
        hashes = second_factor.hashed(codes)

        def deed(session: Session) -> None:
            use(session)
            second_factor.make_codes(session, actor, hashes)

        write(deed)
    except Refusal as refusal:
        return _draw("/", _told(refusal)), refusal.status
    return _draw("/", codes=codes), 201


@route(area, f"{OWN}/off", methods=("POST",), needs=SIGNED_IN, endpoint="turn_off")
def turn_off() -> ResponseReturnValue:
    """The password alone does again; by password and code."""
    actor = by_browser()
    try:
        use = _prove()

        def deed(session: Session) -> None:
            use(session)
            second_factor.turn_off(session, actor)

        write(deed)
    except Refusal as refusal:
        return _draw("/", _told(refusal)), refusal.status
    flash(say(language(), "page.factor.is_off"), "ok")
    return redirect("/me", 303)


def _prove() -> Use:
    return prove_own(request.form.get("password", "")[:500], request.form.get("code", "")[:100])
