"""Who asks, in which language, in which transaction.

A GET has one reading session for the whole request, `reading()` (also `g.session`); any other
request looks who asks (`looking()`), closes, and changes things by `write(deed)`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from flask import Flask, Response, current_app, g, request
from sqlalchemy.orm import Session

from ..identity import access_tokens, second_factor, sessions
from ..identity.actor import Actor
from ..identity.permissions import need
from ..store.database import Database
from ..store.errors import NotAllowed, NotSignedIn, Unavailable
from .first_look import first_look
from .routes import PUBLIC, SIGNED_IN, declaration_of
from .settings import Settings
from .words import LANGUAGES

T = TypeVar("T")

COOKIE = "careloom"
KEY_HEADER = "Idempotency-Key"
LANGUAGE_COOKIE = "careloom_language"
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Asker:
    """Who asks. way: `cookie`, `token`, or `nobody`. csrf and sign_in_id go with a cookie.

    led: they must have a second factor and have none: no right is theirs until they set it up.
    """

    actor: Actor | None
    way: str
    sign_in_id: int | None = None
    csrf: str = ""
    due: bool = False
    led: bool = False


NOBODY = Asker(None, "nobody")


def current_database() -> Database:
    """The database this application serves."""
    database = current_app.extensions["careloom.database"]
    assert isinstance(database, Database)
    return database


def settings() -> Settings:
    """The settings in force."""
    found = current_app.extensions["careloom.settings"]
    assert isinstance(found, Settings)
    return found


def idle() -> timedelta:
    """How long a sign-in lives unused."""
    return timedelta(hours=settings().session_hours)


def is_api() -> bool:
    """Whether a program asks, to be answered in JSON."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json"


def reading() -> Session:
    """The request's reading session, opened when first asked for and closed with the request."""
    if "session" not in g:
        g.opened = current_database().read()
        g.session = g.opened.__enter__()
    session: Session = g.session
    return session


def looking() -> Session:
    """For what a request looks up before it does anything: who asks, whether they may. Of a GET
    the reading session; of any other one that is closed before the first write."""
    if request.method in SAFE:
        return reading()
    if "glance" not in g:
        g.glance = current_database().glance()
        g.looking = g.glance.__enter__()
    session: Session = g.looking
    return session


def write(deed: Callable[[Session], T]) -> T:
    """Carry out a deed in one transaction; what was read before it is let go first.

    A request's Idempotency-Key is taken in its first transaction (see `idempotency`).
    """
    close_reading()
    take_key: Callable[[Session], None] | None = g.pop("take_key", None)
    if take_key is None:
        return current_database().write(deed)

    def keyed(session: Session) -> T:
        take_key(session)
        return deed(session)

    made = current_database().write(keyed)
    g.key_taken = True
    return made


def close_reading(_error: BaseException | None = None) -> None:
    """Close the sessions that read, where they are open."""
    g.pop("session", None), g.pop("looking", None)
    for name in ("opened", "glance"):
        if (opened := g.pop(name, None)) is not None:
            opened.__exit__(None, None, None)


def asker() -> Asker:
    """Who asks, found out once for each request. Raises NotSignedIn for a bad access token."""
    if "asker" not in g:
        g.asker = _find(looking())
    found: Asker = g.asker
    return found


def _find(session: Session) -> Asker:
    if "Authorization" in request.headers:
        scheme, _, token = request.headers["Authorization"].partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn("E_TOKEN")
        token = token.strip()
        row = first_look(
            session, access_tokens.prefix_of(token), request.headers.get(KEY_HEADER, "")
        )
        g.answer = row if row.status is not None else None
        return Asker(access_tokens.judged(session, token, row), "token")
    if token := request.cookies.get(COOKIE, ""):
        try:
            found = sessions.current(session, token)
        except NotSignedIn:
            return NOBODY
        return of_cookie(session, found)
    return NOBODY


def of_cookie(session: Session, found: sessions.Current) -> Asker:
    """Who asks by a sign-in. Who must have a second factor and has none comes without rights."""
    actor = found.actor
    led = not actor.second_factor and second_factor.is_wanted(
        session, actor, settings().second_factor
    )
    if led:
        actor = replace(actor, grants=())
    return Asker(actor, "cookie", found.sign_in_id, found.csrf, found.due, led)


def asks_now(token: str) -> None:
    """The asker's sign-in was replaced by another in this request: the page is drawn for it."""
    close_reading()
    with current_database().read() as session:
        g.asker = of_cookie(session, sessions.current(session, token))


def who() -> Actor:
    """Who asks. Raises NotSignedIn when nobody is signed in."""
    actor = asker().actor
    if actor is None:
        raise NotSignedIn()
    return actor


def who_or_nobody() -> Actor | None:
    """Who asks, or None; never raises, so error pages may ask."""
    try:
        return asker().actor
    except NotSignedIn:
        return None


def ask_no_more() -> None:
    """The database is away: the answer that says so is made without asking it who asks."""
    g.asker = NOBODY


def language() -> str:
    """The language of the answer.

    A program's: Accept-Language, then as for pages. A page's: the one chosen (cookie), the
    person's, Accept-Language, the setting.
    """
    if "language" not in g:
        g.language = _language()
    found: str = g.language
    return found


def _language() -> str:
    accepted = request.accept_languages.best_match(LANGUAGES)
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    actor = who_or_nobody()
    wanted = [chosen, actor.language if actor else None]
    wanted = [accepted, *wanted] if request.path.startswith("/api/") else [*wanted, accepted]
    return next((tongue for tongue in wanted if tongue in LANGUAGES), settings().language)


def nonce() -> str:
    """The request's nonce for its own scripts."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    found: str = g.nonce
    return found


def needs_of(endpoint: str | None) -> str | None:
    """What a view declared it needs; None when there is no view or it declared nothing."""
    declaration = declaration_of(current_app.view_functions.get(endpoint or ""))
    return declaration.needs if declaration else None


def is_for_the_led(endpoint: str) -> bool:
    """Whether a view is there for who has yet to set up a second factor."""
    declaration = declaration_of(current_app.view_functions.get(endpoint))
    return declaration is not None and declaration.led


def check_need() -> None:
    """Before each view: may the asker? Default is no. Raises NotSignedIn or NotAllowed."""
    needs = needs_of(request.endpoint)
    if request.endpoint is None or needs == PUBLIC:
        return
    actor = who()
    if needs is None:
        raise NotAllowed()
    if asker().led and not is_for_the_led(request.endpoint):
        raise NotAllowed("E_FACTOR_WANTED")
    if needs != SIGNED_IN:
        right = needs.format_map(request.view_args or {})
        need(looking(), actor, right)
    if request.method in SAFE:
        reading()


def mark_seen(response: Response) -> Response:
    """The sign-in was used: written down every few minutes, not at every click."""
    found: Asker | None = g.get("asker")
    if found is not None and found.due and found.sign_in_id is not None:
        number, lifetime = found.sign_in_id, idle()
        g.pop("take_key", None)  # this is no deed that a key stands for
        try:
            write(lambda session: sessions.seen(session, number, lifetime))
        except Unavailable:  # the answer is ready; the next request will try again
            current_app.logger.warning("a sign-in could not be marked as used")
    return response


def use(app: Flask) -> None:
    """Have every request ask for permission, and leave nothing open behind it."""
    app.before_request(check_need)
    app.after_request(mark_seen)
    app.teardown_request(close_reading)
