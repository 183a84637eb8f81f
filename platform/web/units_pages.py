"""Pages of the organisation: the tree, and one unit to change, move or add another under."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..identity import units
from ..identity.actor import Actor
from ..identity.model import Person
from ..identity.permissions import allowed, held_at
from ..identity.tree import Place, tree, unit
from ..store.errors import Invalid, Problem, Refusal
from .parts import Trouble
from .request import language, reading, who, write
from .routes import route
from .told import sent, sent_id, told, unit_choices
from .words import LANGUAGES, say, say_or, text

area = Blueprint("units", __name__)

#: kinds of unit that have words; a clinic may use others
TYPES = ("group", "region", "main", "branch", "department")


def type_words(type: str) -> str:
    """What a kind of unit is called; one of the clinic's own by its key."""
    return say_or(language(), f"page.units.type.{type}", type)


@route(area, "/people/units", needs="people.read", endpoint="units")
def show() -> ResponseReturnValue:
    """`pages/units.html`: units (title, code, type, depth, people (None: not to be
    seen), intake, url or empty)."""
    session, actor = reading(), who()
    counted = dict(
        session.execute(
            select(Person.unit_id, func.count())
            .where(Person.disabled_at.is_(None))
            .group_by(Person.unit_id)
        ).all()
    )
    places, reach = tree(session).places, held_at(session, actor, "people.read")

    def seen(place: Place) -> bool:
        return any(place.path.startswith(path) for path in reach)

    lines = [
        {
            "title": text(place.title, language()),
            "code": place.code,
            "type": type_words(place.type),
            "depth": place.path.count("/") - 2,
            "people": counted.get(place.id, 0) if seen(place) else None,
            "intake": _title(places.get(place.intake_id)) if place.intake_id else "",
            "url": f"/people/units/{place.id}"
            if allowed(session, actor, "units.write", place.id)
            else "",
        }
        for place in _walked(places)
    ]
    return render_template("pages/units.html", units=lines)


def _title(place: Place | None) -> str:
    return text(place.title, language()) if place else ""


def _walked(places: Any) -> list[Place]:
    """Every unit, each followed by those below it, in the order of their codes."""
    below: dict[int | None, list[Place]] = {}
    for place in sorted(places.values(), key=lambda its: its.code):
        below.setdefault(place.parent_id, []).append(place)

    def walk(parent: int | None) -> list[Place]:
        return [one for place in below.get(parent, ()) for one in (place, *walk(place.id))]

    return walk(None)


@route(area, "/people/units/<id:unit_id>", needs="units.write", endpoint="unit")
def one(unit_id: int) -> ResponseReturnValue:
    """`pages/unit.html`: see `_draw`."""
    return _draw(unit_id, [])


def _draw(unit_id: int, problems: list[Trouble]) -> str:
    """place, title, titles (by language), types, units (places to move under), below (who may
    take what arrives), problems."""
    session = reading()
    place, organisation = unit(session, unit_id), tree(session)
    inner = set(organisation.below(unit_id))
    choices = unit_choices(session, place.parent_id)
    below = unit_choices(session, place.intake_id)
    types = dict.fromkeys((place.type, *TYPES))
    titles = place.title if isinstance(place.title, dict) else {"zh-CN": place.title}
    return render_template(
        "pages/unit.html",
        place=place,
        title=text(place.title, language()),
        titles=titles,
        types=[{"key": key, "title": type_words(key)} for key in types],
        units=[choice for choice in choices if int(choice["id"]) not in inner],
        below=[choice for choice in below if int(choice["id"]) in inner - {unit_id}],
        problems=problems,
    )


@route(area, "/people/units/<id:unit_id>", methods=("POST",), needs="units.write", endpoint="act")
def act(unit_id: int) -> ResponseReturnValue:
    """One of what is done to a unit: `act` says which."""
    actor, wanted = who(), sent("act", 20)
    try:
        write(lambda session: _carry_out(session, actor, unit_id, wanted))
    except Refusal as refusal:
        return _draw(unit_id, told(refusal)), refusal.status
    flash(say(language(), "page.person.done"), "ok")
    return redirect("/people/units", 303)


def _carry_out(session: Session, actor: Actor, unit_id: int, wanted: str) -> None:
    if wanted == "change":
        zone = sent("time_zone", 60)
        units.change_unit(session, actor, unit_id, _titles(), sent("type", 40), zone)
    elif wanted == "move":
        units.move_unit(session, actor, unit_id, sent_id("parent"))
    elif wanted == "intake":
        intake = sent_id("intake") if sent("intake") else None
        units.set_intake(session, actor, unit_id, intake)
    elif wanted == "add":
        units.add_unit(session, actor, sent("code", 40), _titles(), sent("type", 40), unit_id)
    else:
        raise Invalid(problems=[Problem("/act", "E_ACT")])


def _titles() -> Any:
    """The name in each language in which one was given."""
    return {tongue: words for tongue in LANGUAGES if (words := sent(f"title.{tongue}"))}
