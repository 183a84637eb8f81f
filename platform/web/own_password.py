"""Changing one's own password: by who knows the current one, within the limits of a sign-in."""

from __future__ import annotations

from flask import request

from ..identity import attempts, passwords, people
from ..store.errors import Invalid, NotAllowed, Problem, TooMany
from .accounts_api import sound_hash
from .request import asker, current_database, write


def change_own(current: str, password: str) -> None:
    """Other sign-ins and all access tokens of the asker end; this sign-in stays.

    Raises NotAllowed without a cookie's sign-in, TooMany, Invalid at `/current` or `/password`.
    """
    found = asker()
    actor = found.actor
    if actor is None or actor.person_id is None or found.way != "cookie":
        raise NotAllowed()
    login, address, person_id = actor.login, request.remote_addr or "", actor.person_id
    counted = write(lambda session: attempts.count(session, login, address))
    if counted.wait:
        raise TooMany(counted.wait)
    with current_database().read() as session:
        known = people.credentials(session, login)
    if not passwords.verified(current, known.password_hash):
        raise Invalid(problems=[Problem("/current", "E_PASSWORD_WRONG")])
    write(lambda session: attempts.forgive(session, login, address))
    fresh, kept = sound_hash(password, login, actor.name), found.sign_in_id
    write(lambda session: people.set_password(session, actor, person_id, fresh, kept))
