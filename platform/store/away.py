"""Whether an error says that the database is away, or the disk full, and not that a statement is
wrong."""

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoConnection

from .errors import TransactionLost, Unavailable

#: SQLSTATE classes of PostgreSQL: no connection, no room, and an operator who shuts it down.
STATES = ("08", "53", "57P")
#: What SQLite says of a file that cannot be used now.
CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
}


LOCKED = "55P03"
"""What PostgreSQL says of a lock that was not to be had within `lock_timeout`."""


def state_of(error: BaseException) -> str | None:
    """PostgreSQL's SQLSTATE of an error, if it has one."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return None if state is None else str(state)


def is_away(error: BaseException) -> bool:
    """It cannot be reached, has no room, is shut down, or what is asked for is locked: the same may
    succeed a little later."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, NoConnection)
    if error.connection_invalidated:
        return True
    driver = error.orig
    if isinstance(driver, sqlite3.Error):
        return getattr(driver, "sqlite_errorcode", 0) & 0xFF in CODES
    state = state_of(error)
    if state is None:  # what never reached the server has no state
        return type(driver).__name__ in ("OperationalError", "ConnectionTimeout")
    return state == LOCKED or state.startswith(STATES)


def of_the_store(error: BaseException) -> bool:
    """It is the database's trouble, and not that of what was asked: the transaction is over, and
    the same may be tried again. Whoever goes on in spite of errors stops at this one."""
    return isinstance(
        error, OperationalError | PendingRollbackError | Unavailable | TransactionLost
    ) or is_away(error)


def no_room(error: BaseException | None) -> bool:
    """The disk is full: this one's, or the database's."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not isinstance(error, DBAPIError):
        return error is not None and no_room(error.__cause__)
    driver = error.orig
    if isinstance(driver, sqlite3.Error):
        return getattr(driver, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return state_of(error) == "53100"


def unavailable(error: BaseException) -> Unavailable:
    """What to refuse with, when the store cannot do it now for this reason."""
    if state_of(error) == LOCKED:
        return Unavailable("E_BUSY")
    return Unavailable("E_DISK_FULL" if no_room(error) else None)
