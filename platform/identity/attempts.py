"""Sign-in limits, in the database so that every process counts together.

A try is counted before the password is looked at: of fifty at once only those within the limit
are looked at at all. What is counted is what was typed, so an unknown login is limited alike.

Tries that led to no sign-in are told in the trail, as one event for a login and window (`told`):
when its window is over, or its person signs in, or somebody lets them try again. Those of logins
that nobody has are gathered into one event for all of them. So a flood of tries is a few events,
and no try writes more than another: how long one takes does not tell whether a login exists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ..events.log import append
from ..events.model import Event
from ..store.database import Database
from ..store.session import database_of, moment
from .actor import SYSTEM
from .events import SUBJECT
from .model import Attempt, Person

WINDOW = timedelta(minutes=15)  # counted from the first try; then it begins anew
PER_LOGIN = 10
PER_ADDRESS = 60  # a whole clinic may come from one
LOOKED_EVERY = timedelta(minutes=1)
MOST_EVENTS = 1_000  # that are added up for a person who comes back after long


_looked: dict[Path, datetime] = {}  # by home: when it was looked last for what is to be told


@dataclass(frozen=True)
class Counted:
    """A try as counted. wait: seconds until the next one is looked at, 0 when this one is.

    just_locked: this is the one that went over the login's limit.
    """

    wait: int
    just_locked: bool


def count(session: Session, login: str, address: str, person_id: int | None = None) -> Counted:
    """Count a try of this login (as `people.login_of` has it) from this address.

    person_id: whose login it is, if anybody's.
    """
    now = moment(session)
    tell_what_is_over(session)
    whose = {"person_id": person_id, "address": address[:64]}
    wait, just_locked = 0, False
    for kind, what, most, facts in (
        ("login", login, PER_LOGIN, whose),
        ("address", address, PER_ADDRESS, {}),
    ):
        tries, since = _one_more(session, _key(kind, what), now, facts)
        if tries > most:
            wait = max(wait, 1, int((since + WINDOW - now).total_seconds()))
            just_locked = just_locked or (kind == "login" and tries == most + 1)
    return Counted(wait, just_locked)


def passed(session: Session, login: str) -> None:
    """The password was right, and a code is to come: a try all the same, but no wrong one."""
    query = update(Attempt).where(Attempt.key == _key("login", login))
    session.execute(query.values(passed=func.coalesce(Attempt.passed, 0) + 1))


def forgive(session: Session, login: str, address: str) -> None:
    """It was right: the login starts at nought, the address gets its try back."""
    _end(session, login, right=1)
    session.execute(
        update(Attempt)
        .where(Attempt.key == _key("address", address), Attempt.tries > 0)
        .values(tries=Attempt.tries - 1)
    )


def clear(session: Session, login: str) -> None:
    """Let a login try again at once (an administrator's act)."""
    _end(session, login)


def _end(session: Session, login: str, right: int = 0) -> None:
    """The login starts at nought; its tries but the right ones are told."""
    query = delete(Attempt).where(Attempt.key == _key("login", login))
    _tell(session, session.execute(query.returning(*_FACTS)).all(), right)


def anything_over(session: Session) -> bool:
    """Whether there are tries to be told (`tell_what_is_over`)."""
    query = select(Attempt.key).where(Attempt.since <= moment(session) - WINDOW).limit(1)
    return session.scalar(query) is not None


def tell_what_is_over(session: Session) -> None:
    """Forget the tries whose window is over, and tell them in the trail."""
    over = delete(Attempt).where(Attempt.since <= moment(session) - WINDOW)
    _tell(session, session.execute(over.returning(*_FACTS)).all())


def tell_in_time(database: Database) -> None:
    """The same while nobody tries to sign in; looks once a minute, called at any time."""
    now = database.clock.now()
    looked = _looked.get(database.home)
    if looked is not None and now - looked < LOOKED_EVERY:
        return
    with database.read() as session:
        anything = anything_over(session)
    if anything:
        database.write(tell_what_is_over)
    _looked[database.home] = now


def wrong_since_last_sign_in(session: Session, person_id: int) -> int:
    """How many tries the trail tells since the person signed in last; nought before the first."""
    its = Event.subject_kind == SUBJECT, Event.subject_id == person_id
    entered = select(Event.id).where(*its, Event.name == "person:signed_in")
    last = session.scalar(entered.order_by(Event.id.desc()).limit(1))
    if last is None:
        return 0
    told = select(Event.data).where(*its, Event.id > last, Event.name == "person:tried")
    return sum(int(data["tries"]) for data in session.scalars(told.limit(MOST_EVENTS)))


_FACTS = (
    Attempt.key,
    Attempt.since,
    Attempt.tries,
    Attempt.address,
    Attempt.person_id,
    Attempt.passed,
    Attempt.logins,
)


def _tell(session: Session, rows: Sequence[Any], right: int = 0) -> None:
    """Tell what is over: of each person, and of the unknown logins what was gathered before; what
    is over of them now is gathered."""
    known = {row.person_id for row in rows if row.person_id is not None}
    units = (
        dict(session.execute(select(Person.id, Person.unit_id).where(Person.id.in_(known))).all())
        if known
        else {}
    )
    unknown = []
    for row in rows:
        data = {"since": row.since.astimezone(UTC).isoformat(), "address": row.address}
        if row.key == UNKNOWN:
            more = {"tries": row.tries, "logins": row.logins}
            append(session, "person:unknown_tried", SYSTEM, (SUBJECT, 0), None, data | more)
        elif row.person_id is not None:
            if (wrong := row.tries - (row.passed or 0) - right) > 0:
                subject, unit_id = (SUBJECT, row.person_id), units.get(row.person_id)
                append(session, "person:tried", SYSTEM, subject, unit_id, {"tries": wrong} | data)
        elif row.address is not None:
            unknown.append(row)
    if unknown:
        last, tries = max(unknown, key=lambda row: row.since), sum(row.tries for row in unknown)
        facts = {"address": last.address, "logins": len(unknown)}
        _one_more(session, UNKNOWN, moment(session), facts, tries)


def _key(kind: str, what: str) -> str:
    return hashlib.sha256(f"{kind}:{what}".encode("utf-8", "replace")).hexdigest()


UNKNOWN = _key("unknown", "")


def _one_more(
    session: Session, key: str, now: datetime, facts: dict[str, Any], more: int = 1
) -> tuple[int, datetime]:
    """Add one (or more) in a single statement, so that two at once count two."""
    insert = postgresql.insert if database_of(session).dialect == "postgresql" else sqlite.insert
    fresh = Attempt.since > now - WINDOW
    given = dict(facts)
    if "logins" in given:
        given["logins"] = Attempt.logins + given["logins"]
    session.execute(
        insert(Attempt)
        .values(key=key, since=now, tries=more, **facts)
        .on_conflict_do_update(
            index_elements=[Attempt.key],
            set_={
                "tries": case((fresh, Attempt.tries + more), else_=more),
                "since": case((fresh, Attempt.since), else_=now),
                **given,
            },
        )
    )
    row = session.execute(select(Attempt.tries, Attempt.since).where(Attempt.key == key)).one()
    return row.tries, row.since
