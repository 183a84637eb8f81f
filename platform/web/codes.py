"""Codes of the second factor, as requests show them: counted before they are looked at, and used
in the very deed that they are shown for."""

from __future__ import annotations

from collections.abc import Callable

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..events.log import append
from ..identity import attempts, second_factor, totp
from ..identity.actor import SYSTEM, Actor
from ..identity.events import SUBJECT
from ..identity.model import Person
from ..store.errors import TooMany
from .request import asker, current_database

#: Called in a deed: uses the code, and forgives the tries before it. Raises Invalid at `/code`.
Use = Callable[[Session], None]


def count_try(session: Session, login: str, address: str) -> attempts.Counted:
    """Count a try of this login; the one that locks it is told in the trail."""
    person = session.scalar(select(Person).where(Person.login == login))  # disabled or not
    counted = attempts.count(session, login, address, person.id if person else None)
    if counted.just_locked and person is not None:
        data = {"address": address}
        append(session, "person:locked", SYSTEM, (SUBJECT, person.id), person.unit_id, data)
    return counted


def tried(person_id: int, login: str, typed: str) -> Use:
    """A code that somebody typed, or a recovery code: to be used in a deed. Raises TooMany."""
    database, address = current_database(), request.remote_addr or ""

    def count(session: Session) -> attempts.Counted:
        second_factor.count_try(session, person_id)
        return count_try(session, login, address)

    counted = database.write(count)
    if counted.wait:
        raise TooMany(counted.wait)
    recovery_id = None
    if not totp.is_code(typed):
        with database.read() as session:
            recovery_id = second_factor.recovery_of(session, person_id, typed)

    def use(session: Session) -> None:
        second_factor.use(session, person_id, typed, recovery_id)
        attempts.forgive(session, login, address)

    return use


def asked_for(actor: Actor, typed: str) -> Use:
    """What a browser shows before something that outlives its sign-in: of who has a second factor
    the code; of others nothing, nor of programs, whose access token is their own credential."""
    if not actor.second_factor or actor.person_id is None or asker().way != "cookie":
        return lambda session: None
    return tried(actor.person_id, actor.login, typed)
