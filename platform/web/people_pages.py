"""Pages of people: those there are, adding one, and one of them with what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ..identity import access_tokens, browsers, grants, invitations, people, second_factor
from ..identity.actor import Actor, actor_of
from ..identity.model import GrantRow, Person
from ..identity.permissions import access, allowed
from ..identity.reach import in_reach
from ..identity.roles import role_keys
from ..identity.sessions import kind_of
from ..store.errors import Invalid, Problem, Refusal
from ..store.session import moment
from .accounts_api import link_of
from .context import local
from .kinds import kind_words
from .navigation import Place, add_places
from .paging import cursor, sealed
from .parts import Trouble
from .person_links import PERSON_LINKS
from .request import asker, language, reading, settings, who, write
from .role_words import role_title, unit_title
from .routes import route
from .titles import titles_of
from .told import sent, sent_id, told, unit_choices
from .words import LANGUAGES, say

area = Blueprint("people", __name__)

PAGE = 30


def plug_in(app: Flask) -> None:
    """The way to these pages, for those who may see people."""
    add_places(app, [Place("/people", "users", "nav.people", needs="people.read", order=85)])


area.plug_in = plug_in  # type: ignore[attr-defined]


@route(area, "/people", needs="people.read", endpoint="people")
def show() -> ResponseReturnValue:
    """`pages/people.html`: people (name, login, unit, roles, state, url), search, may_add,
    pager."""
    session, actor = reading(), who()
    search = request.args.get("q", "").strip()[:100]
    mark = cursor()
    found = people.list_people(session, actor, search, mark or "", PAGE + 1)
    held = grants.held_by(session, [person.id for person in found])
    lines = [_line(session, person, held.get(person.id, [])) for person in found[:PAGE]]
    more = sealed(found[PAGE - 1].login) if len(found) > PAGE else None
    return render_template(
        "pages/people.html",
        people=lines,
        search=search,
        may_add=allowed(session, actor, "people.write"),
        pager={
            "shown": len(lines),
            "total": None,
            "previous": _url(search) if mark else None,
            "next": _url(search, more) if more else None,
        },
    )


def _url(search: str, mark: str | None = None) -> str:
    asked = {name: value for name, value in (("q", search), ("cursor", mark)) if value}
    return "/people" + (f"?{urlencode(asked)}" if asked else "")


def _line(session: Session, person: Person, held: Sequence[GrantRow]) -> dict[str, Any]:
    titles = dict.fromkeys(role_title(session, row.role_key, language()) for row in held)
    return {
        "name": person.name,
        "login": person.login,
        "unit": unit_title(session, person.unit_id, language()),
        "roles": say(language(), "page.comma").join(titles),
        "state": state_of(session, person),
        "url": f"/people/{person.id}",
    }


def state_of(session: Session, person: Person) -> dict[str, str] | None:
    """What keeps a person from signing in, as a badge; None when nothing does."""
    if person.disabled_at is not None:
        return {"colour": "badge-late", "words": say(language(), "page.people.disabled")}
    if person.password_hash is None:
        waits = invitations.waiting(session, person.id) is not None
        key = "page.people.invited" if waits else "page.people.no_password"
        return {"colour": "badge-soon", "words": say(language(), key)}
    return None


@route(area, "/people/new", needs="people.write", endpoint="new")
def new() -> ResponseReturnValue:
    """`pages/person_new.html`: units, roles, languages, given (what was typed), problems."""
    return _draw_new([], {})


def _draw_new(problems: list[Trouble], given: dict[str, str]) -> str:
    session = reading()
    return render_template(
        "pages/person_new.html",
        units=unit_choices(session, int(given["unit"]) if given.get("unit") else who().unit_id),
        roles=_roles(session),
        languages=LANGUAGES,
        given=given,
        problems=problems,
    )


def _roles(session: Session) -> list[dict[str, str]]:
    return [
        {"key": key, "title": role_title(session, key, language())} for key in role_keys(session)
    ]


@route(area, "/people/new", methods=("POST",), needs="people.write", endpoint="add")
def add() -> ResponseReturnValue:
    """Add, give the role at the unit, and show the link to send, all of it or nothing."""
    actor, unit_id = who(), sent_id("unit")
    given = {name: sent(name) for name in ("login", "name", "unit", "role", "language")}

    def deed(session: Session) -> invitations.Invited:
        tongue = given["language"] or "zh-CN"
        person = people.add_person(
            session, actor, given["login"], given["name"], unit_id, language=tongue
        )
        if given["role"]:
            grants.give(session, actor, person.id, given["role"], unit_id)
        return invitations.invite(session, actor, person.id)

    try:
        invited = write(deed)
    except Refusal as refusal:
        return _draw_new(told(refusal), given), refusal.status
    return draw_person(invited.person_id, invited=invited), 201


@route(area, "/people/<id:person_id>", needs="people.read", endpoint="person")
def person(person_id: int) -> ResponseReturnValue:
    """`pages/person.html`: see `draw_person`."""
    return draw_person(person_id)


def draw_person(
    person_id: int,
    problems: list[Trouble] | None = None,
    invited: invitations.Invited | None = None,
) -> str:
    """person, state, unit, since, waits (until when a link holds),
    factor (since when they have a second one), wanted (whether they
    must), held (role, title, unit_id,
    unit, until, over), may_write, own, units, roles, languages, forms, browsers, tokens, links (of
    areas: url, words, icon), problems, once (a link just made)."""
    session, actor = reading(), who()
    found = in_reach(session, actor, person_id, "people.read")
    may_write = allowed(session, actor, "people.write", found.unit_id)
    own = person_id == actor.person_id
    waits = invitations.waiting(session, person_id)
    held = grants.held_by(session, [person_id]).get(person_id, [])
    return render_template(
        "pages/person.html",
        person=found,
        state=state_of(session, found),
        unit=unit_title(session, found.unit_id, language()),
        since=local(found.created_at, "%Y-%m-%d"),
        waits=local(waits) if waits else "",
        factor=_factor(session, person_id) if may_write else "",
        wanted=may_write and _is_wanted(session, found),
        held=[_held(session, row) for row in held],
        may_write=may_write,
        own=own,
        units=unit_choices(session, found.unit_id) if may_write else [],
        roles=_roles(session) if may_write else [],
        languages=LANGUAGES,
        forms=_forms(session, actor),
        browsers=browsers_of(session, actor, person_id) if may_write and not own else [],
        tokens=tokens_of(session, actor, person_id) if may_write and not own else [],
        links=[link for ask in PERSON_LINKS for link in ask(session, actor, found)],
        problems=problems or [],
        once=_once(found, invited) if invited else None,
    )


def _factor(session: Session, person_id: int) -> str:
    """Since when a person has a second factor; empty without one."""
    found = second_factor.standing(session, person_id)
    return local(found.since, "%Y-%m-%d") if found else ""


def _is_wanted(session: Session, person: Person) -> bool:
    if person.disabled_at is not None:
        return False
    return second_factor.is_wanted(session, actor_of(session, person.id), settings().second_factor)


def _once(person: Person, invited: invitations.Invited) -> dict[str, str]:
    """The link just made, for `parts/shown_once.html`."""
    until = local(invited.expires_at)
    return {
        "key": "link",
        "icon": "link",
        "title": say(language(), "page.person.link"),
        "words": say(language(), "page.person.link_words", name=person.name, until=until),
        "value": link_of(invited),
    }


def _held(session: Session, row: GrantRow) -> dict[str, Any]:
    return {
        "role": row.role_key,
        "title": role_title(session, row.role_key, language()),
        "unit_id": str(row.unit_id),
        "unit": unit_title(session, row.unit_id, language()),
        "until": local(row.until) if row.until else "",
        "over": row.until is not None and row.until <= moment(session),
    }


def _forms(session: Session, actor: Actor) -> list[dict[str, str]]:
    """The forms whose records the asker may have explained."""
    return [
        {"key": key, "title": title}
        for key, title in titles_of(session, "form", language()).items()
        if access(session, actor, key).may("read")
    ]


def tokens_of(session: Session, actor: Actor, person_id: int) -> list[dict[str, Any]]:
    """A person's access tokens for `parts/tokens.html`, those that still hold first."""
    now = moment(session)
    lines = []
    for row in access_tokens.tokens_of(session, actor, person_id):
        expired = row.expires_at is not None and row.expires_at <= now
        ended = row.revoked_at or (row.expires_at if expired else None)
        lines.append(
            {
                "id": str(row.id),
                "prefix": f"clm_{row.prefix}…",
                "title": row.title,
                "since": local(row.created_at, "%Y-%m-%d"),
                "until": local(row.expires_at, "%Y-%m-%d") if row.expires_at else "",
                "ended": local(ended) if ended else "",
            }
        )
    return sorted(lines, key=lambda line: bool(line["ended"]))


def browsers_of(session: Session, actor: Actor, person_id: int) -> list[dict[str, Any]]:
    """The browsers a person is signed in at for `parts/browsers.html`, the one that asks first."""
    lines = [
        {
            "id": str(row.id),
            "words": kind_words(language(), kind_of(row)),
            "since": local(row.created_at),
            "seen": local(row.seen_at),
            "current": row.id == asker().sign_in_id,
        }
        for row in browsers.browsers_of(session, actor, person_id)
    ]
    return sorted(lines, key=lambda line: not line["current"])


ACTS = {
    "disable": people.disable,
    "enable": people.enable,
    "unlock": people.let_try_again,
    "sign-out": people.sign_out_everywhere,
    "factor": second_factor.take_away,
}


@route(area, "/people/<id:person_id>", methods=("POST",), needs="people.write", endpoint="act")
def act(person_id: int) -> ResponseReturnValue:
    """One of what is done to a person: `act` says which."""
    actor, wanted = who(), sent("act", 20)
    try:
        if wanted == "invite":
            invited = write(lambda session: invitations.invite(session, actor, person_id))
            return draw_person(person_id, invited=invited), 201
        write(lambda session: _carry_out(session, actor, person_id, wanted))
    except Refusal as refusal:
        in_reach(reading(), actor, person_id, "people.read")
        return draw_person(person_id, told(refusal)), refusal.status
    flash(say(language(), "page.person.done"), "ok")
    return redirect(f"/people/{person_id}", 303)


def _carry_out(session: Session, actor: Actor, person_id: int, wanted: str) -> None:
    if wanted in ACTS:
        ACTS[wanted](session, actor, person_id)
    elif wanted == "change":
        person = in_reach(session, actor, person_id, "people.write")
        unit_id = sent_id("unit")
        moved = unit_id if unit_id != person.unit_id else None
        people.change_person(session, actor, person_id, sent("name"), moved, sent("language"))
    elif wanted == "give":
        place = sent_id("unit")
        grants.give(session, actor, person_id, sent("role"), place, _end_of_day(actor))
    elif wanted == "take":
        grants.take(session, actor, person_id, sent("role"), sent_id("unit"))
    elif wanted == "end":
        browsers.end_one(session, actor, sent_id("sign_in"))
    elif wanted == "revoke":
        access_tokens.revoke(session, actor, sent_id("token"))
    else:
        raise Invalid(problems=[Problem("/act", "E_ACT")])


def _end_of_day(actor: Actor) -> datetime | None:
    """When the day in `until` is over on the asker's clock; None without one."""
    day = sent("until", 20)
    if not day:
        return None
    try:
        start = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=ZoneInfo(actor.time_zone))
        return start + timedelta(days=1)
    except (ValueError, OverflowError):
        raise Invalid(problems=[Problem("/until", "E_DATE")]) from None
