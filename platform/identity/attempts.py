"""Sign-in limits, in the database so that every process counts together.

A try is counted before the password is looked at: of fifty at once only those within the limit
are looked at at all. What is counted is what was typed, so an unknown login is limited alike.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ..store.session import database_of, moment
from .model import Attempt

WINDOW = timedelta(minutes=15)  # counted from the first try; then it begins anew
PER_LOGIN = 10
PER_ADDRESS = 60  # a whole clinic may come from one


@dataclass(frozen=True)
class Counted:
    """A try as counted. wait: seconds until the next one is looked at, 0 when this one is.

    just_locked: this is the one that went over the login's limit.
    """

    wait: int
    just_locked: bool


def count(session: Session, login: str, address: str) -> Counted:
    """Count a try of this login (as `people.login_of` has it) from this address."""
    now = moment(session)
    session.execute(delete(Attempt).where(Attempt.since <= now - WINDOW))
    wait, just_locked = 0, False
    for kind, what, most in (("login", login, PER_LOGIN), ("address", address, PER_ADDRESS)):
        tries, since = _one_more(session, _key(kind, what), now)
        if tries > most:
            wait = max(wait, 1, int((since + WINDOW - now).total_seconds()))
            just_locked = just_locked or (kind == "login" and tries == most + 1)
    return Counted(wait, just_locked)


def forgive(session: Session, login: str, address: str) -> None:
    """The password was right: the login starts at nought, the address gets its try back."""
    session.execute(delete(Attempt).where(Attempt.key == _key("login", login)))
    session.execute(
        update(Attempt)
        .where(Attempt.key == _key("address", address), Attempt.tries > 0)
        .values(tries=Attempt.tries - 1)
    )


def clear(session: Session, login: str) -> None:
    """Let a login try again at once (an administrator's act)."""
    session.execute(delete(Attempt).where(Attempt.key == _key("login", login)))


def _key(kind: str, what: str) -> str:
    return hashlib.sha256(f"{kind}:{what}".encode("utf-8", "replace")).hexdigest()


def _one_more(session: Session, key: str, now: datetime) -> tuple[int, datetime]:
    """Add one in a single statement, so that two at once count two."""
    insert = postgresql.insert if database_of(session).dialect == "postgresql" else sqlite.insert
    fresh = Attempt.since > now - WINDOW
    session.execute(
        insert(Attempt)
        .values(key=key, since=now, tries=1)
        .on_conflict_do_update(
            index_elements=[Attempt.key],
            set_={
                "tries": case((fresh, Attempt.tries + 1), else_=1),
                "since": case((fresh, Attempt.since), else_=now),
            },
        )
    )
    row = session.execute(select(Attempt.tries, Attempt.since).where(Attempt.key == key)).one()
    return row.tries, row.since
