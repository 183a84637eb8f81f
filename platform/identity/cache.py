"""What was read of identity in one epoch, kept until the epoch moves on.

Kept from reading transactions only. A writing one may have bumped the epoch and be rolled back;
its number would come again with other content, so what it reads is used and not kept.
"""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from ..store.database import Database
from ..store.session import database_of, epoch, transaction

T = TypeVar("T")

_kept: WeakKeyDictionary[Database, tuple[int, dict[Hashable, Any]]] = WeakKeyDictionary()
_lock = Lock()


def kept(session: Session, key: Hashable, load: Callable[[], T]) -> T:
    """The value under the key as of this transaction's epoch, loaded when it is not there."""
    number = epoch(session)
    database = database_of(session)
    known = _kept.get(database)
    if known is not None and known[0] == number and key in known[1]:
        value: T = known[1][key]
        return value
    value = load()
    if not transaction(session).writing:
        with _lock:
            known = _kept.get(database)
            if known is None or known[0] < number:
                known = _kept[database] = (number, {})
            if known[0] == number:
                known[1][key] = value
    return value
