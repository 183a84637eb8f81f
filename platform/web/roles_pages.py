"""Pages of roles: those in force, what each lets its people do, and why somebody may something."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..definitions.form import form_of
from ..definitions.published import published
from ..identity.actor import Actor
from ..identity.model import GrantRow, Person
from ..identity.permissions import held_at
from ..identity.roles import role_document, role_keys
from ..identity.rules import RIGHTS
from ..identity.tree import tree
from ..records.explain import explain
from ..store.errors import NotFound
from .body import number
from .request import language, reading, who
from .role_words import (
    field_title,
    forms_words,
    reason_words,
    right_words,
    role_title,
    unit_title,
    verdict_words,
)
from .routes import route
from .words import say, text

area = Blueprint("roles", __name__)


@route(area, "/people/roles", needs="people.read", endpoint="roles")
def show() -> ResponseReturnValue:
    """`pages/roles.html`: roles (title, key, words, held, url)."""
    session, tongue = reading(), language()
    held = Counter(role for role, _, _ in _holders(session, who()))
    roles = []
    for key in role_keys(session):
        document = role_document(session, key) or {}
        words = text(document.get("help"), tongue) or say(
            tongue,
            "page.roles.line",
            rights=len(document.get("rights", ())),
            forms=len(document.get("forms", {})),
        )
        title = role_title(session, key, tongue)
        url = f"/people/roles/{key}"
        roles.append({"title": title, "words": words, "held": held[key], "url": url})
    return render_template("pages/roles.html", roles=roles)


@route(area, "/people/roles/<role>", needs="people.read", endpoint="role")
def one(role: str) -> ResponseReturnValue:
    """`pages/role.html`: title, help, factor (whether its people must have a second one),
    rights (words), forms (see `role_words`), held (name, unit,
    url) by those whom the asker may see."""
    session, actor, tongue = reading(), who(), language()
    document = role_document(session, role)
    if document is None:
        raise NotFound("E_NO_ROLE", role=role[:40])
    return render_template(
        "pages/role.html",
        title=role_title(session, role, tongue),
        help=text(document.get("help"), tongue),
        factor=bool(document.get("second_factor")),
        rights=[right_words(session, right, tongue) for right in document.get("rights", ())],
        forms=forms_words(session, document, tongue),
        held=[
            {
                "name": person.name,
                "unit": unit_title(session, unit_id, tongue),
                "url": f"/people/{person.id}",
            }
            for key, person, unit_id in _holders(session, actor)
            if key == role
        ],
    )


def _holders(session: Session, actor: Actor) -> list[tuple[str, Person, int]]:
    """Who holds which role at which unit, of those whom the asker may see."""
    paths, reach = tree(session).paths, held_at(session, actor, "people.read")
    rows = session.execute(
        select(GrantRow.role_key, Person, GrantRow.unit_id)
        .join(Person, Person.id == GrantRow.person_id)
        .where(Person.disabled_at.is_(None))
        .order_by(Person.login, GrantRow.id)
    )
    return [
        (role, person, unit_id)
        for role, person, unit_id in rows
        if any(paths[person.unit_id].startswith(path) for path in reach)
    ]


@route(area, "/people/<id:person_id>/why", needs="people.read", endpoint="why")
def why(person_id: int) -> ResponseReturnValue:
    """`pages/why.html`: person, verdict, label, record_url, reasons (words, covers), fields."""
    session, tongue = reading(), language()
    form = request.args.get("form", "")
    its = explain(session, who(), form, number(request.args.get("record", "").strip()), person_id)
    fields = form_of(published(session, "form", form))
    return render_template(
        "pages/why.html",
        person=its.person,
        verdict=verdict_words(its.person.name, its.record.label, its.may, tongue),
        label=its.record.label,
        record_url=f"/records/{form}/{its.record.id}",
        reasons=[
            {"words": reason_words(session, reason, tongue), "covers": reason.covers}
            for reason in its.reasons
        ],
        fields=_by_right(its.rights, fields, tongue),
    )


def _by_right(rights: Any, form: Any, tongue: str) -> list[dict[str, Any]]:
    """The fields under each right that some have, the most first."""
    named = {
        right: [field_title(form, key, tongue) for key, its in rights.items() if its == right]
        for right in reversed(RIGHTS)
    }
    return [
        {"right": say(tongue, f"field_right.{right}"), "fields": titles}
        for right, titles in named.items()
        if titles
    ]
