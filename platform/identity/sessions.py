"""Sign-ins: one row for each browser that is signed in, gone the moment the person is disabled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..events.log import append
from ..store.errors import NotSignedIn
from ..store.session import moment, new_id
from .actor import SYSTEM, Actor, actor_of
from .events import SUBJECT
from .model import HalfSignIn, Person, SignIn
from .opaque import digest, opaque
from .reach import bearer

LONGEST = timedelta(days=30)  # however often it is used
HALF = timedelta(minutes=10)  # from the right password to the right code
MOST = 20  # browsers at once, unless the operator says otherwise
SEEN_EVERY = timedelta(minutes=5)  # how exactly we know when it was last used


@dataclass(frozen=True)
class Kind:
    """What kind of browser, on what system; empty where it did not say, or is none we know."""

    browser: str = ""
    system: str = ""


UNKNOWN = Kind()


@dataclass(frozen=True)
class Begun:
    """A sign-in just begun: the token goes into the cookie and is not kept.

    ended: the browsers that were signed out because of it. wrong: how many tries were wrong since
    the person signed in last.
    """

    token: str
    csrf: str
    sign_in_id: int
    expires_at: datetime
    person_id: int
    ended: tuple[Kind, ...] = ()
    wrong: int = 0


@dataclass(frozen=True)
class Half:
    """The first step of a sign-in that has two: the token goes into a cookie of its own."""

    token: str


@dataclass(frozen=True)
class Current:
    """A sign-in that holds: who, and the token its unsafe requests must carry.

    due: it should be marked as seen (`seen`).
    """

    sign_in_id: int
    actor: Actor
    csrf: str
    due: bool


def begin(
    session: Session,
    person_id: int,
    idle: timedelta,
    kind: Kind = UNKNOWN,
    most: int = MOST,
) -> Begun:
    """Begin a sign-in with a new token; whatever the browser held before plays no part.

    idle: how long it lives unused. most: at so many browsers the person may be signed in; those
    not used for longest are signed out. Raises NotSignedIn when the person has been disabled.
    """
    person = session.get(Person, person_id)
    if person is None or person.disabled_at is not None:
        raise NotSignedIn("E_SIGN_IN")
    now = moment(session)
    session.execute(delete(SignIn).where(SignIn.expires_at <= now))
    ended = _make_room(session, person, most)
    token, csrf = opaque(), opaque()
    row = SignIn(
        id=new_id(session),
        token_hash=digest(token),
        csrf=csrf,
        person_id=person_id,
        browser=kind.browser or None,
        system=kind.system or None,
        created_at=now,
        seen_at=now,
        expires_at=now + idle,
    )
    session.add(row)
    return Begun(token, csrf, row.id, row.expires_at, person_id, ended)


def _make_room(session: Session, person: Person, most: int) -> tuple[Kind, ...]:
    """End the sign-ins of a person that leave no place for another; told in the trail."""
    query = select(SignIn).where(SignIn.person_id == person.id)
    rows = session.scalars(query.order_by(SignIn.seen_at.desc(), SignIn.id.desc())).all()
    over, ended = rows[most - 1 :], []
    for row in over:
        kind = kind_of(row)
        data = {"browser": kind.browser, "system": kind.system, "most": most}
        append(session, "person:browsers_many", SYSTEM, (SUBJECT, person.id), person.unit_id, data)
        ended.append(kind)
    if over:
        session.execute(delete(SignIn).where(SignIn.id.in_([row.id for row in over])))
    return tuple(ended)


def kind_of(row: SignIn) -> Kind:
    """What kind of browser a sign-in is of."""
    return Kind(row.browser or "", row.system or "")


def begin_half(session: Session, person_id: int) -> Half:
    """The password was right, the code is to come: nobody is signed in by this."""
    now = moment(session)
    session.execute(delete(HalfSignIn).where(HalfSignIn.expires_at <= now))
    token = opaque()
    row = HalfSignIn(token_hash=digest(token), person_id=person_id, expires_at=now + HALF)
    session.add(row)
    return Half(token)


def half(session: Session, token: str) -> Person:
    """Whose code is still to come. Raises NotSignedIn: unknown, over, or the person is disabled."""
    person = bearer(session, HalfSignIn, token)
    if person is None:
        raise NotSignedIn("E_SIGN_IN")
    return person


def end_half(session: Session, token: str) -> None:
    """It has led to a sign-in; of two at once one does. Raises NotSignedIn."""
    mine = delete(HalfSignIn).where(HalfSignIn.token_hash == digest(token))
    if not session.execute(mine.returning(HalfSignIn.person_id)).all():
        raise NotSignedIn("E_SIGN_IN")


def current(session: Session, token: str) -> Current:
    """The sign-in that a cookie's token stands for.

    Raises NotSignedIn when it was ended, has expired, or the person is disabled.
    """
    row = session.execute(select(SignIn).where(SignIn.token_hash == digest(token))).scalar()
    now = moment(session)
    if row is None or row.expires_at <= now:
        raise NotSignedIn()
    actor = actor_of(session, row.person_id)
    return Current(row.id, actor, row.csrf, now - row.seen_at >= SEEN_EVERY)


def seen(session: Session, sign_in_id: int, idle: timedelta) -> None:
    """The sign-in was used: it lives on, but never longer than LONGEST from its beginning."""
    row = session.get(SignIn, sign_in_id)
    if row is not None:
        row.seen_at = moment(session)
        row.expires_at = min(row.seen_at + idle, row.created_at + LONGEST)


def end(session: Session, sign_in_id: int) -> None:
    """Sign out this browser."""
    session.execute(delete(SignIn).where(SignIn.id == sign_in_id))


def end_all(session: Session, person_id: int, but: int | None = None) -> int:
    """Sign out everywhere, but for one sign-in if named. Returns how many ended."""
    session.execute(delete(HalfSignIn).where(HalfSignIn.person_id == person_id))
    query = delete(SignIn).where(SignIn.person_id == person_id)
    if but is not None:
        query = query.where(SignIn.id != but)
    ended = session.execute(query)
    return int(getattr(ended, "rowcount", 0))
