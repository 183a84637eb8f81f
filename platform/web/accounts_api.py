"""A person's account, as who administers people deals with it: /api/people/…/disable, etc."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from ..identity import invitations, passwords, people, second_factor
from ..identity.own_words import own_words
from ..identity.reach import in_reach
from ..store.errors import Conflict
from .body import json_object
from .idempotency import DONE, Reply, reply
from .request import current_database, settings, who, write
from .routes import Spec, route
from .shapes import MOMENT, stamp, thing

area = Blueprint("accounts_api", __name__)


def sound_hash(password: str, login: str, name: str) -> str:
    """The hash of a new password. Raises Invalid when it is not accepted."""
    with current_database().read() as session:
        words = own_words(session, settings().public_url or request.host_url)
    passwords.require_sound(password, login, name, words)
    return passwords.hashed(password)


def link_of(invited: invitations.Invited) -> str:
    """The whole address of a one-time link: as people open Careloom, or as the asker does.

    The token stands in the query, which no log of ours holds.
    """
    base = settings().public_url or request.host_url
    return f"{base.rstrip('/')}/invitation?token={invited.token}"


@route(
    area,
    "/api/people/<id:person_id>/disable",
    methods=("POST",),
    needs="people.write",
    spec=Spec("Let a person act no more, at once.", answers={204: {}}, tag="people"),
)
def disable(person_id: int) -> ResponseReturnValue:
    """Their sign-ins and access tokens end."""
    actor = who()
    return reply(lambda session: people.disable(session, actor, person_id), lambda _: DONE)


@route(
    area,
    "/api/people/<id:person_id>/enable",
    methods=("POST",),
    needs="people.write",
    spec=Spec("Let a disabled person sign in again.", answers={204: {}}, tag="people"),
)
def enable(person_id: int) -> ResponseReturnValue:
    """Old access tokens stay ended."""
    actor = who()
    return reply(lambda session: people.enable(session, actor, person_id), lambda _: DONE)


@route(
    area,
    "/api/people/<id:person_id>/password",
    methods=("POST",),
    needs="people.write",
    spec=Spec(
        "Set a person's password; their sign-ins and access tokens end.",
        body=thing({"password": {"type": "string", "maxLength": 400}}),
        answers={204: {}},
        tag="people",
    ),
)
def set_password(person_id: int) -> ResponseReturnValue:
    """For somebody else; one's own goes by /api/me/password, which asks for the current one."""
    sent, actor = json_object(), who()
    if person_id == actor.person_id:
        raise Conflict("E_OWN_ACCOUNT")
    with current_database().read() as session:
        person = in_reach(session, actor, person_id, "people.write")
    hashed = sound_hash(sent["password"], person.login, person.name)
    return reply(
        lambda session: people.set_password(session, actor, person_id, hashed), lambda _: DONE
    )


_LINK = thing({"expires_at": MOMENT}, url={"type": "string", "description": "Shown this once."})


@route(
    area,
    "/api/people/<id:person_id>/invitation",
    methods=("POST",),
    needs="people.write",
    spec=Spec(
        "A one-time link by which a person sets their password; an older one ends.",
        answers={201: _LINK},
        tag="people",
    ),
)
def invite(person_id: int) -> ResponseReturnValue:
    """The link is in this answer and never again, under an Idempotency-Key neither."""
    actor = who()

    def told(invited: invitations.Invited) -> dict[str, Any]:
        return {"expires_at": stamp(invited.expires_at)}

    return reply(
        lambda session: invitations.invite(session, actor, person_id),
        lambda invited: Reply({**told(invited), "url": link_of(invited)}, 201),
        keep=lambda invited: Reply(told(invited), 201),
    )


@route(
    area,
    "/api/people/<id:person_id>/unlock",
    methods=("POST",),
    needs="people.write",
    spec=Spec("End a lock after too many wrong passwords.", answers={204: {}}, tag="people"),
)
def unlock(person_id: int) -> ResponseReturnValue:
    """It ends by itself too, a quarter of an hour after the first try."""
    actor = who()
    return reply(lambda session: people.let_try_again(session, actor, person_id), lambda _: DONE)


@route(
    area,
    "/api/people/<id:person_id>/sign-out",
    methods=("POST",),
    needs="people.write",
    spec=Spec("End every sign-in of a person; their tokens stay.", answers={204: {}}, tag="people"),
)
def sign_out(person_id: int) -> ResponseReturnValue:
    """On every browser, with its next request."""
    actor = who()
    return reply(
        lambda session: people.sign_out_everywhere(session, actor, person_id), lambda _: DONE
    )


@route(
    area,
    "/api/people/<id:person_id>/second-factor",
    methods=("DELETE",),
    needs="people.write",
    spec=Spec(
        "Take a person's second factor away (a lost telephone); their sign-ins end.",
        answers={204: {}},
        tag="people",
    ),
)
def take_factor(person_id: int) -> ResponseReturnValue:
    """They sign in by the password alone, and may be led to set up another."""
    actor = who()
    write(lambda session: second_factor.take_away(session, actor, person_id))
    return "", 204
