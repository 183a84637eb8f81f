"""Signing in and out, and choosing a language."""

from __future__ import annotations

import re
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ..events.log import append
from ..identity import attempts, passwords, people, sessions
from ..identity.actor import SYSTEM, actor_of
from ..identity.events import SUBJECT
from ..identity.reach import login_of, person_of
from ..store.errors import NotSignedIn, TooMany
from . import csrf
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

#: A path of our own: one slash, then anything a browser will not read as another host.
_OWN = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
A_YEAR = 31_536_000


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
    return _with_cookie(redirect(wanted, 303), begun)


def _with_cookie(response: Response, begun: sessions.Begun) -> Response:
    response.set_cookie(
        COOKIE,
        begun.token,
        httponly=True,
        samesite="Lax",
        secure=settings().secure,
        path="/",
    )
    response.delete_cookie(csrf.COOKIE)
    return response


def signed_in(response: Response, person_id: int) -> Response:
    """The answer to somebody who has just proved who they are; what they were before ends."""
    address, lifetime, before = request.remote_addr or "", idle(), asker().sign_in_id

    def begin(session: Session) -> sessions.Begun:
        if before is not None:
            sessions.end(session, before)
        return _begin(session, person_id, address, lifetime)

    return _with_cookie(response, current_database().write(begin))


def _begin(session: Session, person_id: int, address: str, lifetime: timedelta) -> sessions.Begun:
    begun = sessions.begin(session, person_id, lifetime)
    actor = actor_of(session, person_id)
    subject = (SUBJECT, person_id)
    append(session, "person:signed_in", actor, subject, actor.unit_id, {"address": address})
    return begun


def enter(login: str, password: str, address: str, replacing: int | None = None) -> sessions.Begun:
    """Count the try, compare the password outside any transaction, begin a sign-in.

    replacing: the sign-in this browser had, which ends. Raises NotSignedIn (E_SIGN_IN), TooMany.
    """
    database, lifetime, name = current_database(), idle(), login_of(login)
    counted = database.write(lambda session: _count(session, name, address))
    if counted.wait:
        raise TooMany(counted.wait)
    with database.read() as session:
        known = people.credentials(session, name)
    right = passwords.verified(password, known.password_hash)
    if not right or known.person_id is None or known.password_hash is None:
        raise NotSignedIn("E_SIGN_IN")
    person_id, compared = known.person_id, known.password_hash
    fresh = passwords.hashed(password) if passwords.outdated(compared) else compared

    def begin(session: Session) -> sessions.Begun:
        person = person_of(session, person_id)
        if person.password_hash != compared:
            raise NotSignedIn("E_SIGN_IN")  # set anew while we compared
        person.password_hash = fresh
        attempts.forgive(session, name, address)
        if replacing is not None:
            sessions.end(session, replacing)
        return _begin(session, person_id, address, lifetime)

    return database.write(begin)


def _count(session: Session, name: str, address: str) -> attempts.Counted:
    counted = attempts.count(session, name, address)
    known = people.credentials(session, name)
    if counted.just_locked and known.person_id is not None:
        person = person_of(session, known.person_id)
        data = {"address": address}
        append(session, "person:locked", SYSTEM, (SUBJECT, person.id), person.unit_id, data)
    return counted


@route(area, "/sign-out", methods=("POST",), needs=SIGNED_IN)
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
    response = redirect("/sign-in", 303)
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
