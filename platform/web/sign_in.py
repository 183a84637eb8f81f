"""Signing in and out, and choosing a language."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ..events.log import append
from ..identity import attempts, passwords, people, second_factor, sessions
from ..identity.actor import actor_of
from ..identity.events import SUBJECT
from ..identity.reach import locked, login_of
from ..store.errors import NotSignedIn, TooMany
from . import csrf
from .codes import count_try
from .kinds import kind_of_agent, kind_words
from .request import (
    COOKIE,
    LANGUAGE_COOKIE,
    asker,
    current_database,
    idle,
    language,
    settings,
    who_or_nobody,
    write,
)
from .routes import PUBLIC, SIGNED_IN, route
from .words import LANGUAGES, say

area = Blueprint("sign_in", __name__)
log = logging.getLogger(__name__)

#: A path of our own: one slash, then anything a browser will not read as another host.
_OWN = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
A_YEAR = 31_536_000
MANY_WRONG = 3  # tries that nobody makes by mistake
#: Where the code of a second factor is asked for, and the cookie of whose is still to come.
CODE, HALF_COOKIE = "/sign-in/code", "careloom_half"


def own_path(wanted: str | None) -> str:
    """Where to go after: a path of this server, or `/` for anything else."""
    return wanted if wanted and _OWN.fullmatch(wanted) else "/"


@route(area, "/sign-in", needs=PUBLIC, endpoint="page")
def page() -> ResponseReturnValue:
    """The sign-in page; who is signed in already goes on."""
    wanted = own_path(request.args.get("next"))
    if who_or_nobody() is not None:
        return redirect(wanted)
    return _draw("", wanted, None)


def _draw(login: str, wanted: str, problem: str | None) -> str:
    """`pages/sign_in.html` with login (as typed), problem (words or None), next (a path)."""
    return render_template("pages/sign_in.html", login=login, problem=problem, next=wanted)


@route(area, "/sign-in", methods=("POST",), needs=PUBLIC)
def sign_in() -> ResponseReturnValue:
    """Sign in. Unknown login, wrong password, disabled: one answer, in the same time."""
    login = request.form.get("login", "")[:200]
    wanted = own_path(request.form.get("next"))
    try:
        begun = enter(
            login,
            request.form.get("password", ""),
            request.remote_addr or "",
            replacing=asker().sign_in_id,
        )
    except NotSignedIn:
        return _draw(login, wanted, say(language(), "problem.E_SIGN_IN")), 401
    except TooMany as refusal:
        minutes = -(-refusal.seconds // 60)
        words = say(language(), "problem.E_SIGN_IN_LIMIT", minutes=minutes)
        return _draw(login, wanted, words), 429, {"Retry-After": str(refusal.seconds)}
    return begun_by(begun, wanted)


def begun_by(begun: sessions.Begun | sessions.Half, wanted: str) -> Response:
    """The answer to who has begun a sign-in: on to where they wanted, or to the code that is still
    to come."""
    if isinstance(begun, sessions.Half):
        response = redirect(url_for("second_factor.code", next=wanted), 303)
        response.set_cookie(
            HALF_COOKIE,
            begun.token,
            httponly=True,
            samesite="Lax",
            secure=settings().secure,
            path=CODE,
        )
        return response
    with current_database().read() as session:
        if second_factor.was_taken_away(session, begun.person_id):
            flash(say(language(), "page.factor.taken"), "late")
    tell(begun)
    return with_cookie(redirect(wanted, 303), begun)


def tell(begun: sessions.Begun) -> None:
    """What a person is to know who has just signed in: which browsers were signed out for it, and
    how often somebody was wrong before."""
    for ended in begun.ended:
        words, most = kind_words(language(), ended), settings().browsers
        flash(say(language(), "page.browsers.many", browser=words, most=most), "soon")
    if begun.wrong:
        words = say(language(), "page.sign_in.wrong", count=begun.wrong)
        told: Any = {"words": words, "url": "/me", "link": say(language(), "page.me.password")}
        flash(told, "soon" if begun.wrong >= MANY_WRONG else "info")


def with_cookie(response: Response, begun: sessions.Begun) -> Response:
    """An answer that signs its browser in."""
    response.set_cookie(
        COOKIE,
        begun.token,
        httponly=True,
        samesite="Lax",
        secure=settings().secure,
        path="/",
    )
    response.delete_cookie(HALF_COOKIE, path=CODE)
    response.delete_cookie(csrf.COOKIE)
    return response


def proved(person_id: int) -> Response:
    """The answer to somebody who has just set their password by a link: it is as if they had typed
    it; what they were before ends."""
    before = asker().sign_in_id

    def deed(session: Session) -> sessions.Begun | sessions.Half:
        locked(session, person_id)
        return go_on(session, person_id, before)

    return begun_by(current_database().write(deed), "/")


def go_on(
    session: Session, person_id: int, replacing: int | None
) -> sessions.Begun | sessions.Half:
    """After the right password: a sign-in, or half of one where a code is to come. The person is
    `locked`."""
    if second_factor.standing(session, person_id) is not None:
        return sessions.begin_half(session, person_id)
    return begin(session, person_id, replacing)


def begin(session: Session, person_id: int, replacing: int | None) -> sessions.Begun:
    """A sign-in in the place of another one of this browser; told in the trail."""
    if replacing is not None:
        sessions.end(session, replacing)
    wrong = attempts.wrong_since_last_sign_in(session, person_id)
    begun = replace(new_sign_in(session, person_id), wrong=wrong)
    actor = actor_of(session, person_id)
    subject, data = (SUBJECT, person_id), {"address": request.remote_addr or ""}
    append(session, "person:signed_in", actor, subject, actor.unit_id, data)
    return begun


def new_sign_in(session: Session, person_id: int) -> sessions.Begun:
    """A sign-in of the browser that asks."""
    kind = kind_of_agent(request.user_agent.string)
    return sessions.begin(session, person_id, idle(), kind, settings().browsers)


def enter(
    login: str, password: str, address: str, replacing: int | None = None
) -> sessions.Begun | sessions.Half:
    """Count the try, compare the password outside any transaction, begin a sign-in.

    replacing: the sign-in this browser had, which ends. Raises NotSignedIn (E_SIGN_IN), TooMany.
    """
    database, name = current_database(), login_of(login)
    counted = database.write(lambda session: count_try(session, name, address))
    if counted.wait:
        raise TooMany(counted.wait)
    with database.read() as session:
        known = people.credentials(session, name)
    right = passwords.verified(password, known.password_hash)
    if not right or known.person_id is None or known.password_hash is None:
        log.info("no sign-in: a wrong password for person %s from %s", known.person_id, address)
        raise NotSignedIn("E_SIGN_IN")
    person_id, compared = known.person_id, known.password_hash
    fresh = passwords.hashed(password) if passwords.outdated(compared) else compared

    def deed(session: Session) -> sessions.Begun | sessions.Half:
        person = locked(session, person_id)
        if person.password_hash != compared:
            raise NotSignedIn("E_SIGN_IN")  # set anew while we compared
        person.password_hash = fresh
        if second_factor.standing(session, person_id) is None:
            attempts.forgive(session, name, address)
        else:  # or the code's tries could be had anew
            attempts.passed(session, name)
        return go_on(session, person_id, replacing)

    return database.write(deed)


@route(area, "/sign-out", methods=("POST",), needs=SIGNED_IN, led=True)
def sign_out() -> ResponseReturnValue:
    """Sign out here, or with `everywhere=1` on every browser."""
    found = asker()
    actor, everywhere = found.actor, request.form.get("everywhere") == "1"

    def leave(session: Session) -> None:
        assert actor is not None and actor.person_id is not None
        if everywhere:
            sessions.end_all(session, actor.person_id)
        elif found.sign_in_id is not None:
            sessions.end(session, found.sign_in_id)
        subject, data = (SUBJECT, actor.person_id), {"everywhere": everywhere}
        append(session, "person:signed_out", actor, subject, actor.unit_id, data)

    write(leave)
    response: Response = redirect("/sign-in", 303)
    response.delete_cookie(COOKIE)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@route(area, "/language", methods=("POST",), needs=PUBLIC)
def choose_language() -> ResponseReturnValue:
    """Read on in another language; a signed-in person keeps it."""
    response: Response = redirect(own_path(request.form.get("next")), 303)
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        return response
    actor = who_or_nobody()
    if actor is not None and actor.person_id is not None and actor.language != chosen:
        person_id = actor.person_id
        write(lambda s: people.change_person(s, actor, person_id, language=chosen).language)
    response.set_cookie(
        LANGUAGE_COOKIE,
        chosen,
        max_age=A_YEAR,
        httponly=True,
        samesite="Lax",
        secure=settings().secure,
    )
    return response
