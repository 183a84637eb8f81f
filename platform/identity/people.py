"""People: add, change, disable, give a password.

Passwords come in hashed (`passwords.hashed`), for hashing is slow and a deed is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ..events.log import append
from ..store.errors import Conflict, Invalid, Problem
from ..store.session import bump_epoch, moment, new_id
from . import access_tokens, attempts, invitations, sessions
from .actor import Actor, actor_of
from .authority import need_authority
from .events import SUBJECT
from .model import Person, Unit
from .permissions import held_at, need
from .reach import in_reach, login_of, own_or_in_reach, person_of
from .tree import unit

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
TAKEN = {"system", "anonymous", "nobody", "careloom"}
LANGUAGES = ("zh-CN", "en")


@dataclass(frozen=True)
class Credentials:
    """What a sign-in compares with. Nobody of this login, or disabled: both are None."""

    person_id: int | None
    password_hash: str | None


def credentials(session: Session, login: str) -> Credentials:
    """What to compare a typed password with."""
    name = login_of(login)
    row = session.execute(
        select(Person.id, Person.password_hash).where(
            Person.login == (name if LOGIN.fullmatch(name) else ""), Person.disabled_at.is_(None)
        )
    ).one_or_none()
    return Credentials(None, None) if row is None else Credentials(row.id, row.password_hash)


def add_person(
    session: Session,
    actor: Actor,
    login: str,
    name: str,
    unit_id: int,
    password_hash: str | None = None,
    language: str = "zh-CN",
) -> Person:
    """A new person at a unit; without a password they cannot sign in yet.

    Needs `people.write` at the unit. Raises Invalid, Conflict (E_LOGIN_TAKEN).
    """
    place = unit(session, unit_id)
    need(session, actor, "people.write", unit_id)
    login = login_of(login)
    problems = [*_login_problems(login), *_name_problems(name), *_language_problems(language)]
    if problems:
        raise Invalid(problems=problems)
    if session.scalar(select(Person.id).where(Person.login == login)) is not None:
        raise Conflict("E_LOGIN_TAKEN", login=login)
    person = Person(
        id=new_id(session),
        login=login,
        name=_clean(name),
        password_hash=password_hash,
        unit_id=place.id,
        language=language,
        disabled_at=None,
        created_at=moment(session),
    )
    session.add(person)
    session.flush()
    bump_epoch(session)
    data = {"login": login, "name": person.name}
    append(session, "person:added", actor, (SUBJECT, person.id), place.id, data)
    return person


def change_person(
    session: Session,
    actor: Actor,
    person_id: int,
    name: str | None = None,
    unit_id: int | None = None,
    language: str | None = None,
) -> Person:
    """Change what is given. Oneself may change one's language; the rest needs `people.write`.

    Moving needs the right at both units.
    """
    if person_id == actor.person_id and name is None and unit_id is None:
        person = person_of(session, person_id)
    else:
        person = in_reach(session, actor, person_id, "people.write")
    problems = [*_name_problems(name), *_language_problems(language)]
    if problems:
        raise Invalid(problems=problems)
    before = (person.name, person.unit_id, person.language)
    if unit_id is not None:
        need(session, actor, "people.write", unit(session, unit_id).id)
        person.unit_id = unit_id
    person.name = person.name if name is None else _clean(name)
    person.language = language or person.language
    after = (person.name, person.unit_id, person.language)
    names = ("name", "unit", "language")
    fields = [key for key, was, now in zip(names, before, after, strict=True) if was != now]
    if fields:
        session.flush()
        bump_epoch(session)
        place = person.unit_id
        append(session, "person:changed", actor, (SUBJECT, person_id), place, {"fields": fields})
    return person


def disable(session: Session, actor: Actor, person_id: int) -> None:
    """Let a person act no more, from the next request on: sign-ins and tokens end.

    Nobody disables themselves, so that somebody is always left to undo it.
    """
    person = in_reach(session, actor, person_id, "people.write")
    if person_id == actor.person_id:
        raise Conflict("E_OWN_ACCOUNT")
    if person.disabled_at is None:
        person.disabled_at = moment(session)
        sessions.end_all(session, person_id)
        access_tokens.revoke_all(session, person_id)
        invitations.withdraw(session, person_id)
        session.flush()
        bump_epoch(session)
        append(session, "person:disabled", actor, (SUBJECT, person_id), person.unit_id, {})


def enable(session: Session, actor: Actor, person_id: int) -> None:
    """Let a disabled person sign in again; old tokens stay ended."""
    person = in_reach(session, actor, person_id, "people.write")
    if person.disabled_at is not None:
        person.disabled_at = None
        session.flush()
        bump_epoch(session)
        append(session, "person:enabled", actor, (SUBJECT, person_id), person.unit_id, {})


def set_password(
    session: Session,
    actor: Actor,
    person_id: int,
    password_hash: str,
    keep_sign_in: int | None = None,
) -> None:
    """A new password, one's own or with `people.write`; it was found sound before it was hashed.

    Another's only by who holds their rights over the platform (`authority`). Ends every sign-in but
    `keep_sign_in`, every access token and the person's link.
    """
    by_self = person_id == actor.person_id
    if by_self:
        person = person_of(session, person_id)
    else:
        person = in_reach(session, actor, person_id, "people.write")
        need_authority(session, actor, person_id)
    person.password_hash = password_hash
    sessions.end_all(session, person_id, keep_sign_in)
    access_tokens.revoke_all(session, person_id)
    invitations.withdraw(session, person_id)
    append(
        session,
        "person:password_set",
        actor,
        (SUBJECT, person_id),
        person.unit_id,
        {"by_self": by_self},
    )


def accept_invitation(session: Session, token: str, password_hash: str) -> Person:
    """Set the password of whom a one-time link is for; a lock after wrong tries ends too.

    Raises NotFound (E_INVITATION).
    """
    person = invitations.use_up(session, token)
    set_password(session, actor_of(session, person.id), person.id, password_hash)
    attempts.clear(session, person.login)
    return person


def let_try_again(session: Session, actor: Actor, person_id: int) -> None:
    """End a lock after too many wrong tries. Needs `people.write` at their unit."""
    person = in_reach(session, actor, person_id, "people.write")
    attempts.clear(session, person.login)
    append(session, "person:unlocked", actor, (SUBJECT, person_id), person.unit_id, {})


def sign_out_everywhere(session: Session, actor: Actor, person_id: int) -> None:
    """End every sign-in of a person, one's own or with `people.write`; tokens stay."""
    person = own_or_in_reach(session, actor, person_id, "people.write")
    sessions.end_all(session, person_id)
    data = {"everywhere": True}
    append(session, "person:signed_out", actor, (SUBJECT, person_id), person.unit_id, data)


def list_people(
    session: Session,
    actor: Actor,
    search: str = "",
    after: str = "",
    limit: int = 50,
) -> Sequence[Person]:
    """People at the units where the actor holds `people.read`, by login, from `after` on."""
    query = select(Person).join(Unit, Unit.id == Person.unit_id).where(Person.login > after)
    if not actor.is_system:
        need(session, actor, "people.read")
        paths = held_at(session, actor, "people.read")
        query = query.where(or_(*(Unit.path.startswith(path, autoescape=True) for path in paths)))
    if search:
        query = query.where(
            or_(
                Person.login.contains(search.lower(), autoescape=True),
                Person.name.contains(search, autoescape=True),
            )
        )
    return session.scalars(query.order_by(Person.login).limit(limit)).all()


def names_of(session: Session, people: Iterable[int | None]) -> dict[int, str]:
    """The names of people by id, for showing who did and who owns; nobody (None) has none."""
    ids = {person for person in people if person is not None}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {person: name for person, name in rows}


def _clean(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _login_problems(login: str) -> list[Problem]:
    sound = LOGIN.fullmatch(login) and login not in TAKEN
    return [] if sound else [Problem("/login", "E_LOGIN")]


def _name_problems(name: str | None) -> list[Problem]:
    """A name is 1 to 100 letters; it may hold any script, but nothing that is not shown."""
    if name is None:
        return []
    sound = 1 <= len(_clean(name)) <= 100 and not any(
        unicodedata.category(letter) in ("Cc", "Cs", "Cf") and letter not in "\u200c\u200d"
        for letter in name
    )
    return [] if sound else [Problem("/name", "E_NAME")]


def _language_problems(language: str | None) -> list[Problem]:
    return [] if language is None or language in LANGUAGES else [Problem("/language", "E_LANGUAGE")]
