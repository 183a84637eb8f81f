"""The second factor: a code of an authenticator app beside the password, or a recovery code once.

The app's secret is kept encrypted (`store/encrypted`); recovery codes by their argon2id hash. Who
has a second factor signs in in two steps (`sessions.begin_half`), so a sign-in of theirs is one
that has shown it: setting it up, and losing it, ends every other.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from ..events.log import append
from ..events.model import Event
from ..store.encrypted import Unreadable, keyring
from ..store.errors import Conflict, Invalid, NotFound, Problem
from ..store.session import bump_epoch, database_of, moment, new_id
from . import passwords, sessions, totp
from .actor import Actor, actor_of
from .authority import OVER_THE_PLATFORM, need_authority
from .events import SUBJECT
from .model import RecoveryCode, SecondFactor
from .reach import in_reach, locked
from .roles import role_document

COLUMN = "second_factor.secret"
TIME_TO_SET_UP = timedelta(minutes=15)
MOST_WRONG = 100  # codes in a row; from then on the app's do not count
CODES = 10
#: letters and digits that are not mistaken for one another when read from paper
CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"
#: who must have one: those whose role says so; also who administers the platform; everybody
ROLES, ADMINISTRATORS, EVERYBODY = WHO = ("roles", "administrators", "everybody")


@dataclass(frozen=True)
class Standing:
    """A second factor as its person is told of it. codes: recovery codes that are left; wrong:
    codes in a row that were not right, the one that is being looked at too."""

    since: datetime
    codes: int
    wrong: int


def standing(session: Session, person_id: int) -> Standing | None:
    """A person's second factor; None without one."""
    row = session.get(SecondFactor, person_id)
    if row is None:
        return None
    query = select(func.count()).where(RecoveryCode.person_id == person_id)
    return Standing(row.since, session.scalar(query) or 0, row.wrong)


def is_wanted(session: Session, actor: Actor, who: str) -> bool:
    """Whether somebody must have a second factor: by a role's document, or by the setting."""
    documents = [role_document(session, grant.role) or {} for grant in actor.grants]
    if who == EVERYBODY or any(document.get("second_factor") for document in documents):
        return True
    return who == ADMINISTRATORS and any(
        right.startswith(OVER_THE_PLATFORM) and not right.endswith(".read")
        for document in documents
        for right in document.get("rights", ())
    )


def begin(session: Session, actor: Actor) -> tuple[str, str]:
    """A new secret to show, and the same sealed for its person and for a while: nothing is kept
    until a code of it is shown (`opened`, `set_up`)."""
    secret = totp.new_secret()
    until = int((moment(session) + TIME_TO_SET_UP).timestamp())
    ring = keyring(database_of(session).home)
    return secret, ring.encrypt(_begun(actor), f"{until} {secret}")


def opened(session: Session, actor: Actor, sealed: str) -> str:
    """The secret again. Raises Conflict (E_FACTOR_OVER): too late, altered, somebody else's."""
    try:
        text = keyring(database_of(session).home).decrypt(_begun(actor), sealed)
    except Unreadable:
        raise Conflict("E_FACTOR_OVER") from None
    until, _, secret = text.partition(" ")
    if int(until) <= moment(session).timestamp():
        raise Conflict("E_FACTOR_OVER")
    return secret


def _begun(actor: Actor) -> str:
    return f"second_factor.begun.{actor.person_id}"


def new_codes() -> list[str]:
    """Recovery codes to print: three groups of four, 59 bits each."""
    return [
        "-".join("".join(secrets.choice(CLEAR) for _ in range(4)) for _ in range(3))
        for _ in range(CODES)
    ]


def hashed(codes: Sequence[str]) -> list[str]:
    """What is kept of them; slow, so never inside a `write`."""
    return [passwords.hashed(totp.plain(code)) for code in codes]


def set_up(session: Session, actor: Actor, secret: str, typed: str, hashes: Sequence[str]) -> None:
    """From now on the actor signs in with a code of this secret too, of which they show one.

    Every sign-in of theirs ends; the caller begins another. Raises Conflict (E_FACTOR_THERE),
    Invalid (E_CODE_WRONG).
    """
    person = locked(session, actor.person_id or 0)
    if session.get(SecondFactor, person.id) is not None:
        raise Conflict("E_FACTOR_THERE")
    now = moment(session)
    step = totp.step_that_fits(secret, typed, now)
    if step is None:
        raise _wrong()
    kept = keyring(database_of(session).home).encrypt(COLUMN, secret)
    session.add(SecondFactor(person_id=person.id, secret=kept, since=now, step=step, wrong=0))
    _put(session, person.id, hashes)
    sessions.end_all(session, person.id)
    session.flush()
    bump_epoch(session)
    append(session, "person:factor_set_up", actor, (SUBJECT, person.id), person.unit_id, {})


def make_codes(session: Session, actor: Actor, hashes: Sequence[str]) -> None:
    """Other recovery codes; the ones before count no more. Raises NotFound without a factor."""
    person = locked(session, actor.person_id or 0)
    if session.get(SecondFactor, person.id) is None:
        raise NotFound("E_NO_FACTOR")
    _put(session, person.id, hashes)
    append(session, "person:codes_made", actor, (SUBJECT, person.id), person.unit_id, {})


def _put(session: Session, person_id: int, hashes: Sequence[str]) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    session.add_all(
        RecoveryCode(id=new_id(session), person_id=person_id, hash=each) for each in hashes
    )


def count_try(session: Session, person_id: int) -> None:
    """A code is about to be looked at: it counts as wrong until it is found right."""
    session.execute(
        update(SecondFactor)
        .where(SecondFactor.person_id == person_id)
        .values(wrong=SecondFactor.wrong + 1)
    )


def recovery_of(session: Session, person_id: int, typed: str) -> int | None:
    """The recovery code that was typed, by its id; slow, so never inside a `write`."""
    query = select(RecoveryCode).where(RecoveryCode.person_id == person_id)
    text = totp.plain(typed)
    return next(
        (row.id for row in session.scalars(query) if passwords.verified(text, row.hash)), None
    )


def use(session: Session, person_id: int, typed: str, recovery_id: int | None = None) -> None:
    """The code that was typed, or the recovery code it was found to be, counts, and never again.

    Of two at once one counts. Raises NotFound without a factor, Invalid at `/code`.
    """
    row = session.get(SecondFactor, person_id)
    if row is None:
        raise NotFound("E_NO_FACTOR")
    if recovery_id is not None:
        _spend(session, person_id, recovery_id)
        return
    if row.wrong > MOST_WRONG:
        raise Invalid(problems=[Problem("/code", "E_CODES_SPENT")])
    secret = keyring(database_of(session).home).decrypt(COLUMN, row.secret)
    step = totp.step_that_fits(secret, typed, moment(session))
    if step is None or not _take(session, person_id, step):
        raise _wrong()


def _take(session: Session, person_id: int, step: int) -> bool:
    """Count a step and those before it; False when it was already."""
    query = update(SecondFactor).where(SecondFactor.person_id == person_id)
    taken = session.execute(query.where(SecondFactor.step < step).values(step=step, wrong=0))
    return bool(getattr(taken, "rowcount", 0))


def _spend(session: Session, person_id: int, recovery_id: int) -> None:
    mine = delete(RecoveryCode).where(
        RecoveryCode.id == recovery_id, RecoveryCode.person_id == person_id
    )
    if not session.execute(mine.returning(RecoveryCode.id)).all():
        raise _wrong()
    session.execute(update(SecondFactor).where(SecondFactor.person_id == person_id).values(wrong=0))
    left = select(func.count()).where(RecoveryCode.person_id == person_id)
    actor, data = actor_of(session, person_id), {"left": session.scalar(left) or 0}
    append(session, "person:code_spent", actor, (SUBJECT, person_id), actor.unit_id, data)


def _wrong() -> Invalid:
    return Invalid(problems=[Problem("/code", "E_CODE_WRONG")])


def turn_off(session: Session, actor: Actor) -> None:
    """The actor signs in by the password alone again. Raises NotFound without a factor."""
    person = locked(session, actor.person_id or 0)
    _end(session, actor, person.id, person.unit_id)


def take_away(session: Session, actor: Actor, person_id: int) -> None:
    """Of somebody who lost telephone and recovery codes: they sign in by the password alone, and
    every sign-in of theirs ends.

    Needs `people.write` at their unit and their rights over the platform (`authority`). Raises
    NotFound, NotAllowed, Conflict (E_OWN_ACCOUNT).
    """
    person = in_reach(session, actor, person_id, "people.write")
    if person_id == actor.person_id:
        raise Conflict("E_OWN_ACCOUNT")
    need_authority(session, actor, person_id)
    locked(session, person_id)
    _end(session, actor, person_id, person.unit_id)
    sessions.end_all(session, person_id)


def _end(session: Session, actor: Actor, person_id: int, unit_id: int) -> None:
    gone = delete(SecondFactor).where(SecondFactor.person_id == person_id)
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    if not session.execute(gone.returning(SecondFactor.person_id)).all():
        raise NotFound("E_NO_FACTOR")
    bump_epoch(session)
    by_self = {"by_self": person_id == actor.person_id}
    append(session, "person:factor_ended", actor, (SUBJECT, person_id), unit_id, by_self)


def was_taken_away(session: Session, person_id: int) -> bool:
    """Of somebody who has just signed in: whether another took their second factor away since they
    last did."""
    names = ("person:signed_in", "person:factor_ended")
    last = session.execute(
        select(Event.name, Event.data)
        .where(Event.subject_kind == SUBJECT, Event.subject_id == person_id, Event.name.in_(names))
        .order_by(Event.id.desc())
        .limit(2)
    ).all()
    before = last[1] if len(last) == 2 else None
    return before is not None and before.name == names[1] and not before.data["by_self"]
