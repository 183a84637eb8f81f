"""Pages of connections: all of them, and one to set up, try, change or remove."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.store.errors import Invalid, NotFound, Problem, Refusal
from ...platform.store.session import moment
from ...platform.web.context import local
from ...platform.web.parts import Trouble
from ...platform.web.request import current_database, language, reading, settings, who, write
from ...platform.web.routes import route
from ...platform.web.told import said, sent, told
from ...platform.web.words import LANGUAGES, say, text
from . import connections as deeds
from .calls import give_up_waiting
from .connection_api import client
from .connections import KEY, RIGHT, Wanted
from .model import Connection
from .named_by import flows_by_connection
from .trial import Trial, carried_out, ready

area = Blueprint("connections", __name__)


@route(area, "/connections", needs=RIGHT, endpoint="connections")
def show() -> ResponseReturnValue:
    """`pages/connections.html`: see `_all`."""
    return _all([])


def _all(problems: list[Trouble]) -> str:
    """connections (title, key, host, state, waiting, flows, url), wanted (key, flows, url): those
    that flows name and nobody has set up, problems, key: the one that was refused."""
    session = reading()
    flows, waiting = flows_by_connection(session), deeds.waiting_by_connection(session)
    rows = deeds.list_connections(session, who())
    known = {row.key for row in rows}
    return render_template(
        "pages/connections.html",
        connections=[
            {
                "title": text(row.title, language()),
                "key": row.key,
                "host": row.host,
                "state": state_of(session, row),
                "waiting": waiting.get(row.key, 0),
                "flows": _titles(flows.get(row.key, ())),
                "url": f"/connections/{row.key}",
            }
            for row in rows
        ],
        wanted=[
            {"key": key, "flows": _titles(titles), "url": f"/connections/{key}"}
            for key, titles in sorted(flows.items())
            if key not in known
        ],
        problems=problems,
        key=request.form.get("key", ""),
    )


def _titles(titles: Any) -> list[str]:
    return [text(title, language()) for title in titles]


def state_of(session: Session, row: Connection) -> str:
    """`shut` while nothing is sent, `trouble` when the last call came to nothing, else `well`."""
    if row.shut_until is not None and row.shut_until > moment(session):
        return "shut"
    return "trouble" if row.failures else "well"


@route(area, "/connections", methods=("POST",), needs=RIGHT, endpoint="new_connection")
def begin() -> ResponseReturnValue:
    """Go to the page of one that is to be set up."""
    key = sent("key", 60)
    if not KEY.fullmatch(key):
        problems = [Problem("/key", "E_KEY", {"key": key})]
        return _all(told(Invalid(problems=problems))), 422
    return redirect(f"/connections/{key}", 303)


@route(area, "/connections/<key>", needs=RIGHT, endpoint="connection")
def one(key: str) -> ResponseReturnValue:
    """`pages/connection.html`: see `_draw`."""
    if not KEY.fullmatch(key):
        raise NotFound("E_NO_CONNECTION", name=key)
    return _draw(key)


def _draw(
    key: str,
    problems: list[Trouble] | None = None,
    secret: str | None = None,
    trial: Trial | None = None,
) -> str:
    """key, set_up, title, titles (by language), address, header, kept (whether the header has a
    value), host, state, trouble, shut, changed, waiting, flows, problems, once, trial."""
    session, actor = reading(), who()
    try:
        row = deeds.find_connection(session, actor, key)
    except NotFound:
        row = None
    flows = _titles(flows_by_connection(session).get(key, ()))
    common = {"key": key, "flows": flows, "problems": problems or [], "trial": trial}
    refused = bool(problems) and sent("act", 20) == "set"
    if row is None or refused:
        given = {name: sent(name, 1000) for name in ("address", "header")}
        titles: Any = {tongue: sent(f"title.{tongue}", 100) for tongue in LANGUAGES}
    else:
        given = {
            "address": deeds.plain(session, "address", row.address),
            "header": row.header or "",
        }
        titles = row.title if isinstance(row.title, dict) else {"zh-CN": row.title}
    if row is None:
        return render_template(
            "pages/connection.html", set_up=False, title=key, titles=titles, **given, **common
        )
    return render_template(
        "pages/connection.html",
        set_up=True,
        title=text(row.title, language()),
        titles=titles,
        kept=row.header_value is not None,
        host=row.host,
        state=state_of(session, row),
        trouble=said(row.trouble, {"status": ""}) if row.trouble else "",
        shut=local(row.shut_until) if row.shut_until else "",
        changed=local(row.changed_at),
        waiting=deeds.waiting_by_connection(session).get(key, 0),
        once=_once(secret),
        **given,
        **common,
    )


def _once(secret: str | None) -> dict[str, str] | None:
    if secret is None:
        return None
    words = say(language(), "page.connection.secret_words")
    title = say(language(), "page.connection.secret")
    return {"key": "secret", "icon": "key-round", "title": title, "words": words, "value": secret}


@route(area, "/connections/<key>", methods=("POST",), needs=RIGHT, endpoint="act_on_connection")
def act(key: str) -> ResponseReturnValue:
    """One of what is done to a connection: `act` says which."""
    actor, wanted = who(), sent("act", 20)
    try:
        if wanted == "try":
            parcel, host = write(lambda session: ready(session, actor, key))
            trial = carried_out(current_database(), client(), actor, parcel, host)
            return _draw(key, trial=trial)
        secret = write(lambda session: _carry_out(session, actor, key, wanted))
    except Refusal as refusal:
        return _draw(key, told(refusal)), refusal.status
    if secret is not None:
        return _draw(key, secret=secret)
    flash(say(language(), f"page.connection.did_{wanted}"), "ok")
    return redirect("/connections" if wanted == "remove" else f"/connections/{key}", 303)


def _carry_out(session: Session, actor: Actor, key: str, wanted: str) -> str | None:
    """Returns a secret that is shown this once, where there is one."""
    if wanted == "set":
        titles = {tongue: words for tongue in LANGUAGES if (words := sent(f"title.{tongue}", 100))}
        header, value = sent("header", 60) or None, sent("header_value", 1000) or None
        new = Wanted(titles, sent("address", 2000), header, value)
        return deeds.set_connection(session, actor, settings().outbound, key, new)
    if wanted == "renew":
        return deeds.renew_secret(session, actor, key)
    if wanted == "give_up":
        deeds.find_connection(session, actor, key)
        give_up_waiting(session, key)
    elif wanted == "remove":
        deeds.remove_connection(session, actor, key)
    else:
        raise Invalid(problems=[Problem("/act", "E_ACT")])
    return None
