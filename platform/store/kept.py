"""What was read in one epoch, kept in memory until the epoch moves on.

A transaction that has itself bumped the epoch keeps nothing: it may still be rolled back, and
its number would come again with other content. Its neighbours in a group of deeds on SQLite see
that number too; when the group is lost, the door drops all that was kept (`Database.memory`).
"""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar

from sqlalchemy.orm import Session

from .session import database_of, epoch, transaction

T = TypeVar("T")

FEW = 200

_lock = Lock()


def kept(session: Session, key: Hashable, load: Callable[[], T]) -> T:
    """The value under the key as of this transaction's epoch, loaded when it is not there."""
    number = epoch(session)
    facts = transaction(session)
    if facts.bumped:
        return load()
    database = database_of(session)
    known = database.memory
    if known is not None and known[0] == number and key in known[1]:
        value: T = known[1][key]
        return value
    value = load()
    if not facts.bumped:
        with _lock:
            known = database.memory
            if known is None or known[0] < number:
                known = database.memory = (number, {})
            if known[0] == number:
                known[1][key] = value
    return value


def kept_few(session: Session, key: Hashable, part: Hashable, load: Callable[[], T]) -> T:
    """The same for what there may be any number of: no more than FEW parts under a key."""
    few: dict[Hashable, T] = kept(session, key, dict)
    try:
        return few[part]
    except KeyError:  # or some other thread has just cleared them
        value = load()
    if len(few) >= FEW:
        few.clear()
    few[part] = value
    return value
