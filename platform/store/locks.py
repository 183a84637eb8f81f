"""Locks with a name, held until the transaction ends, among all processes of the database.

SQLite needs none of them: it writes one transaction at a time.
"""

import hashlib

from sqlalchemy import text
from sqlalchemy.orm import Session

from .driver import send, send_two
from .errors import Unavailable
from .session import NOW, connection_of, found, transaction

SHORTLY = "500ms"
"""How long a change of a table may stand in the queue for it: everybody behind it waits as long."""


class Again(Unavailable):
    """What the deed went by has changed under it: the door carries it out from its beginning."""


def exclusive(session: Session, name: str) -> None:
    """Wait until nobody else holds the name, shared or not."""
    _take(session, "pg_advisory_xact_lock", name)


def shared(session: Session, name: str) -> None:
    """Wait until nobody holds the name for themselves; others may share it."""
    _take(session, "pg_advisory_xact_lock_shared", name)


def shared_from_the_first(session: Session, name: str) -> bool:
    """`shared`, where nothing was asked of this transaction yet: the epoch and the moment are read
    behind the lock and come with it, in one trip. Whether that could be done."""
    facts = transaction(session)
    if facts.database.dialect != "postgresql" or facts.epoch is not None:
        return False
    locking = f"SELECT pg_advisory_xact_lock_shared({_number(name)})"
    found(session, *send_two(connection_of(session), locking, NOW["postgresql"]).fetchone())
    return True


def _take(session: Session, function: str, name: str) -> None:
    if transaction(session).database.dialect == "postgresql":
        send(connection_of(session), f"SELECT {function}(%s)", (_number(name),))


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def wait_shortly(session: Session) -> None:
    """From now on this transaction waits for no lock longer than SHORTLY; when it would, the door
    carries the deed out again a little later, and at last refuses it with E_BUSY."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL lock_timeout = '{SHORTLY}'"))  # nosemgrep (ours)
