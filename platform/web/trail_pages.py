"""The page of the trail: what happened, and who looked at a form's records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..definitions.form import form_of
from ..definitions.published import published
from ..events.model import Event, View
from ..events.trail import Wanted
from ..exports.events import SUBJECT as EXPORT
from ..identity.actor import Actor
from ..identity.events import ALARM
from ..identity.model import Person
from ..identity.people import names_of
from ..identity.permissions import access
from ..identity.reach import login_of
from ..identity.tree import tree
from ..records.choices import labels
from ..records.trail import FORM, RIGHT
from ..store.errors import Malformed, Refusal
from ..store.session import moment
from .context import local
from .navigation import Place, add_places
from .paging import cursor, sealed
from .parts import Line, Trouble
from .request import language, reading, who
from .routes import route
from .titles import titles_of
from .told import said
from .trail_api import KINDS, events_of, views_of, wanted, words_of
from .words import say, text

area = Blueprint("trail", __name__)

PAGE = 50
ABOUT = ("definition", "pack", "person", "unit", EXPORT, ALARM)
LATELY = timedelta(days=7)


def plug_in(app: Flask) -> None:
    """The way to this page, for those who may read the trail."""
    add_places(app, [Place("/trail", "history", "nav.trail", needs=RIGHT, order=90)])


area.plug_in = plug_in  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Asked:
    """What the page's own fields say. about: a subject as in the API; by: a login; since: a day."""

    about: str
    by: str
    since: str
    kind: str

    def url(self, **changed: str | None) -> str:
        """The address of this page with something else."""
        parts = {"about": self.about, "by": self.by, "since": self.since, "kind": self.kind}
        given = {key: value for key, value in (parts | changed).items() if value}
        return "/trail" + (f"?{urlencode(given)}" if given else "")


@route(area, "/trail", needs=RIGHT, endpoint="trail")
def show() -> ResponseReturnValue:
    """`pages/trail.html`: asked, about (choices: key, title, chosen), tabs (words, url, current),
    trail (lines), pager, problems, alarms (how many there were lately, on the page of all)."""
    session, actor = reading(), who()
    asked = _asked()
    problems: list[Trouble] = []
    lines: Sequence[Line] = ()
    after = None
    try:
        found = _wanted(session, actor, asked)
        mark = cursor()
        if asked.kind == "views":
            seen, after = views_of(actor, found, mark, PAGE)
            lines = _view_lines(reading(), actor, seen)
        else:
            events, told, after = events_of(session, actor, found, mark, PAGE)
            lines = _event_lines(session, actor, events, told)
    except Refusal as refusal:
        problems = [Trouble(said(refusal.code, refusal.params))]
    following = asked.url(cursor=sealed(after)) if after else None
    return render_template(
        "pages/trail.html",
        asked=asked,
        about=_about(reading(), actor, asked),
        tabs=_tabs(asked),
        trail=lines,
        pager={
            "shown": len(lines),
            "total": None,
            "previous": asked.url() if "cursor" in request.args else None,
            "next": following,
        },
        problems=problems,
        alarms=0 if asked.about else _alarms(reading(), actor),
    )


def _alarms(session: Session, actor: Actor) -> int:
    since = moment(session) - LATELY
    return len(events_of(session, actor, Wanted((ALARM, None), since=since), None, PAGE)[0])


def _asked() -> Asked:
    given = {name: request.args.get(name, "").strip()[:200] for name in ("about", "by", "since")}
    views = request.args.get("kind") == "views" and given["about"].startswith(FORM)
    return Asked(**given, kind="views" if views else "")


def _wanted(session: Session, actor: Actor, asked: Asked) -> Wanted:
    """As the API reads it. Raises Malformed for a login nobody has."""
    args = {"subject": asked.about, "since": asked.since}
    if asked.by:
        number = session.scalar(select(Person.id).where(Person.login == login_of(asked.by)))
        if number is None:
            raise Malformed("E_NO_PERSON")
        args["actor"] = str(number)
    return wanted(args, actor)


def _about(session: Session, actor: Actor, asked: Asked) -> list[dict[str, Any]]:
    """What the page can be narrowed to; a single subject stays offered while it is chosen."""
    choices = [("", say(language(), "page.trail.any"))]
    choices += [
        (FORM + key, title)
        for key, title in titles_of(session, "form", language()).items()
        if access(session, actor, key).may("read")
    ]
    choices += [(kind, say(language(), f"page.trail.about.{kind}")) for kind in ABOUT]
    kind, slash, number = asked.about.partition("/")
    if slash:
        named = next((title for key, title in choices if key == kind), kind)
        choices.append((asked.about, f"{named} {number}"))
    return [{"key": key, "title": title, "chosen": key == asked.about} for key, title in choices]


def _tabs(asked: Asked) -> list[dict[str, Any]]:
    """What happened, or who looked: offered where records are asked about."""
    if not asked.about.startswith(FORM):
        return []
    return [
        {
            "words": say(language(), f"page.trail.kind.{kind}"),
            "url": asked.url(kind="views" if kind == "views" else None),
            "current": (asked.kind == "views") == (kind == "views"),
        }
        for kind in KINDS
    ]


def _event_lines(
    session: Session,
    actor: Actor,
    events: Sequence[Event],
    told: Mapping[int, Mapping[str, Any]],
) -> list[Line]:
    authors = {event.id: _authors(event, told[event.id]) for event in events}
    named = [event.actor_id for event in events]
    people = names_of(session, [*named, *(each for some in authors.values() for each in some)])
    about = _subjects(session, actor, events)
    lines = []
    for event in events:
        name, url = about[event.subject_kind, event.subject_id]
        data = told[event.id]
        words = words_of(event, data)
        if event.subject_kind.startswith(FORM) and data.get("fields"):
            form = event.subject_kind.removeprefix(FORM)
            words += say(language(), "page.colon") + _titles(session, form, data["fields"])
        if authors[event.id]:
            names = tuple(people.get(author, "") for author in authors[event.id])
            words += say(language(), "page.trail.drafted_by", names=names)
        by = people.get(event.actor_id or 0) or say(language(), "page.trail.system")
        detail = " · ".join(dict.fromkeys(part for part in (by, name) if part))
        state = "bad" if event.subject_kind == ALARM else ""
        lines.append(Line(words, local(event.at), detail, url, state))
    return lines


def _authors(event: Event, data: Mapping[str, Any]) -> list[int]:
    """Who wrote what somebody else published."""
    return [int(each) for each in data.get("authors", ()) if int(each) != event.actor_id]


def _titles(session: Session, form: str, fields: Iterable[str]) -> str:
    known = form_of(published(session, "form", form)).fields
    titles = [text(known[key].title, language()) for key in fields if key in known]
    return say(language(), "page.comma").join(titles)


def _subjects(
    session: Session, actor: Actor, events: Sequence[Event]
) -> dict[tuple[str, int], tuple[str, str]]:
    """What each event is about, in words, and its address."""
    ids: dict[str, set[int]] = {}
    for event in events:
        ids.setdefault(event.subject_kind, set()).add(event.subject_id)
    forms = titles_of(session, "form", language())
    found: dict[tuple[str, int], tuple[str, str]] = {}
    for kind, numbers in ids.items():
        named: Mapping[int, str] = {}
        place, title = "", ""
        form = kind.removeprefix(FORM) if kind.startswith(FORM) else ""
        if form in forms:
            named, place = labels(session, actor, form, numbers - {0}), f"/records/{form}/"
            title = forms[form]
        elif kind == "person":
            named = names_of(session, numbers)
        elif kind == "unit":
            places = tree(session).places
            named = {n: text(places[n].title, language()) for n in numbers if n in places}
        for number in numbers:
            words = " ".join(part for part in (title, named.get(number, "")) if part)
            url = f"{place}{number}" if place and number in named else ""
            found[kind, number] = (words, url)
    return found


def _view_lines(session: Session, actor: Actor, seen: Sequence[View]) -> list[Line]:
    people = names_of(session, (view.person_id for view in seen))
    lines = []
    for view in seen:
        words = say(language(), f"page.trail.view.{view.purpose}", count=view.count)
        by = people.get(view.person_id or 0) or say(language(), "page.trail.system")
        detail = " · ".join(part for part in (by, view.address) if part)
        lines.append(Line(words, local(view.at), detail))
    return lines
