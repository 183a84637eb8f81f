"""Where a one-time link leads: its person chooses a password and is signed in."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ..identity import invitations, people
from ..identity.passwords import LONGEST, SHORTEST
from ..store.errors import Invalid, NotFound, Problem
from .accounts_api import sound_hash
from .parts import Trouble
from .request import current_database, reading
from .routes import PUBLIC, route
from .sign_in import proved
from .told import told

area = Blueprint("invitation", __name__)


@route(area, "/invitation", needs=PUBLIC, endpoint="page")
def page() -> ResponseReturnValue:
    """`pages/invitation.html`: person (or None when the link does not hold), token, problems,
    shortest, longest. Looking at it changes nothing."""
    return _draw(request.args.get("token", ""), [])


def _draw(token: str, problems: list[Trouble]) -> ResponseReturnValue:
    try:
        person = invitations.invited(reading(), token)
    except NotFound:
        return render_template("pages/invitation.html", person=None), 404
    drawn = render_template(
        "pages/invitation.html",
        person=person,
        token=token,
        problems=problems,
        shortest=SHORTEST,
        longest=LONGEST,
    )
    return drawn, 422 if problems else 200


@route(area, "/invitation", methods=("POST",), needs=PUBLIC)
def accept() -> ResponseReturnValue:
    """Set the password, use the link up, sign in (with a second factor: on to its code)."""
    token = request.form.get("token", "")
    password = request.form.get("password", "")
    try:
        with current_database().read() as session:
            person = invitations.invited(session, token)
            login, name = person.login, person.name
        if password != request.form.get("again", ""):
            raise Invalid(problems=[Problem("/again", "E_PASSWORD_AGAIN")])
        fresh = sound_hash(password, login, name)
        person_id = current_database().write(
            lambda session: people.accept_invitation(session, token, fresh).id
        )
    except (Invalid, NotFound) as refusal:
        return _draw(token, told(refusal))
    return proved(person_id)
