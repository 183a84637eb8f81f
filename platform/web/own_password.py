"""One's own password, shown again and changed: within the limits of a sign-in."""

from __future__ import annotations

from flask import request
from sqlalchemy.orm import Session

from ..identity import attempts, passwords, people
from ..identity.actor import Actor
from ..store.errors import Invalid, NotAllowed, Problem, TooMany
from .accounts_api import sound_hash
from .codes import Use, count_try, tried
from .request import asker, current_database, write


def by_browser() -> Actor:
    """Who asks from a browser that is signed in. Raises NotAllowed for an access token."""
    found = asker()
    if found.actor is None or found.actor.person_id is None or found.way != "cookie":
        raise NotAllowed()
    return found.actor


def prove_own(password: str, typed: str = "") -> Use:
    """That it is the asker: by their password and, if they have a second factor, a code, which is
    used in the deed that this is for.

    Raises NotAllowed without a cookie's sign-in, TooMany, Invalid at `/current`; the deed's part
    raises Invalid at `/code`.
    """
    actor, address = by_browser(), request.remote_addr or ""
    assert actor.person_id is not None
    if actor.second_factor:
        use = tried(actor.person_id, actor.login, typed)
    else:
        use = _counted(actor.login, address)
    with current_database().read() as session:
        known = people.credentials(session, actor.login)
    if not passwords.verified(password, known.password_hash):
        raise Invalid(problems=[Problem("/current", "E_PASSWORD_WRONG")])
    return use


def _counted(login: str, address: str) -> Use:
    counted = current_database().write(lambda session: count_try(session, login, address))
    if counted.wait:
        raise TooMany(counted.wait)
    return lambda session: attempts.forgive(session, login, address)


def change_own(current: str, password: str, typed: str = "") -> None:
    """Other sign-ins and all access tokens of the asker end; this sign-in stays. Raises as
    `prove_own`, and Invalid at `/password`."""
    use, actor, kept = prove_own(current, typed), by_browser(), asker().sign_in_id
    person_id = actor.person_id or 0
    fresh = sound_hash(password, actor.login, actor.name)

    def deed(session: Session) -> None:
        use(session)
        people.set_password(session, actor, person_id, fresh, kept)

    write(deed)
