"""What a deed may ask of its session: the moment, the epoch, a new id, a call after the commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from .driver import send

if TYPE_CHECKING:
    from .database import Database

KEY = "careloom"


@dataclass
class Transaction:
    """One transaction's own facts, kept in `session.info`."""

    database: Database
    writing: bool
    connection: Connection | None = None  # a deed's own, from its beginning to its end
    moment: datetime | None = None
    epoch: int | None = None
    bumped: bool = False
    after_commit: list[Callable[[], None]] = field(default_factory=list)


def transaction(session: Session) -> Transaction:
    """The facts of the transaction this session stands in."""
    found = session.info[KEY]
    assert isinstance(found, Transaction)
    return found


def connection_of(session: Session) -> Connection:
    """The connection this session speaks by."""
    return transaction(session).connection or session.connection()


#: The epoch and, where the clock follows the database, its time: one statement for both.
NOW = {
    "postgresql": "SELECT number, clock_timestamp() FROM epoch",
    "sqlite": "SELECT number, NULL FROM epoch",
}


def _load(session: Session, facts: Transaction) -> None:
    epoch, at = send(connection_of(session), NOW[facts.database.dialect]).fetchone()
    found(session, epoch, at)


def found(session: Session, epoch: int, at: datetime | None) -> None:
    """The epoch, and the database's time, as a question of this transaction has brought them."""
    facts = transaction(session)
    facts.epoch = epoch
    if facts.moment is None:
        clock = facts.database
        facts.moment = at if at is not None and clock.asks_for_time() else clock.clock.now()


def epoch_stands(session: Session) -> bool:
    """Whether this transaction's epoch is still the one: nothing was published since it began."""
    epoch, _at = send(connection_of(session), NOW[database_of(session).dialect]).fetchone()
    return bool(epoch == transaction(session).epoch)


def milliseconds(moment: datetime) -> int:
    """A moment as the ids count it."""
    return int(moment.timestamp() * 1000)


def moment(session: Session) -> datetime:
    """The transaction's one clock reading, aware UTC."""
    facts = transaction(session)
    if facts.moment is None:
        _load(session, facts)
    assert facts.moment is not None
    return facts.moment


def epoch(session: Session) -> int:
    """The number that changes when definitions or grants change; part of every cache key."""
    facts = transaction(session)
    if facts.epoch is None:
        _load(session, facts)
    assert facts.epoch is not None
    return facts.epoch


def bump_epoch(session: Session) -> None:
    """Tell every process, from this transaction's commit on, that its caches are old."""
    number = session.execute(
        text("UPDATE epoch SET number = number + 1 RETURNING number")
    ).scalar_one()
    facts = transaction(session)
    facts.epoch, facts.bumped = number, True


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """Have a call made once this transaction is committed; never if it is not."""
    transaction(session).after_commit.append(call)


def new_id(session: Session) -> int:
    """A time-ordered id of 63 bits (see `ids`)."""
    facts = transaction(session)
    if not facts.writing:
        raise RuntimeError("ids are taken inside a write")
    return facts.database.ids.take(milliseconds(moment(session)))


def database_of(session: Session) -> Database:
    """The database this session belongs to."""
    return transaction(session).database
