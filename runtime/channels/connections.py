"""Connections: set up, changed, tried and removed by who administers them."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import need
from ...platform.outbound.addresses import Allowed, BadAddress, read_target
from ...platform.store.encrypted import keyring
from ...platform.store.errors import Conflict, Invalid, NotFound, Problem
from ...platform.store.session import database_of, moment
from .headers import HEADER, VALUE
from .model import CallState, Connection, calls, connections

RIGHT = "connections.write"
SUBJECT = "connection"
"""Kind of the events' subject; connections have keys and no ids, so that each is of number 0."""
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Way:
    """What is needed to call over a connection, in plain text. Never shown, logged or kept."""

    key: str
    address: str
    secret: str
    header: str | None
    header_value: str | None


@dataclass(frozen=True)
class Wanted:
    """A connection as somebody writes it. header_value: None leaves the one there is."""

    title: Any
    address: str
    header: str | None = None
    header_value: str | None = None


def find_connection(session: Session, actor: Actor, key: str) -> Connection:
    """A connection, for who administers them. Raises NotAllowed, NotFound."""
    need(session, actor, RIGHT)
    row = session.get(Connection, key)
    if row is None:
        raise NotFound("E_NO_CONNECTION", name=key)
    return row


def list_connections(session: Session, actor: Actor) -> Sequence[Connection]:
    """All of them, by key. Raises NotAllowed."""
    need(session, actor, RIGHT)
    return list(session.scalars(select(Connection).order_by(Connection.key)))


def waiting_by_connection(session: Session) -> dict[str, int]:
    """How many calls wait to be sent, by connection."""
    query = (
        select(calls.c.connection_key, func.count())
        .where(calls.c.state == CallState.WAITING)
        .group_by(calls.c.connection_key)
    )
    return {key: count for key, count in session.execute(query)}


def set_connection(
    session: Session, actor: Actor, allowed: Allowed, key: str, wanted: Wanted
) -> str | None:
    """Set one up, or change it; returns the secret of a new one, which is told this once.

    Raises NotAllowed, and Invalid for an address that could never be called.
    """
    need(session, actor, RIGHT)
    row = session.get(Connection, key, with_for_update=True)
    host = _judge(allowed, key, wanted, row)
    made = None
    if row is None:
        made = secrets.token_hex(32)
        row = Connection(key=key, secret=_kept(session, "secret", made), failures=0)
        session.add(row)
    row.title, row.host = wanted.title, host
    row.address = _kept(session, "address", wanted.address)
    row.header = wanted.header or None
    if not wanted.header:
        row.header_value = None
    elif wanted.header_value is not None:
        row.header_value = _kept(session, "header_value", wanted.header_value)
    # Whatever was wrong with it may be mended: it is tried at once.
    row.failures, row.shut_until, row.trouble = 0, None, None
    row.changed_at, row.changed_by = moment(session), actor.person_id
    session.flush()
    _tell(session, actor, "set", key, host=host)
    return made


def _judge(allowed: Allowed, key: str, wanted: Wanted, row: Connection | None) -> str:
    """The host of a sound address. Raises Invalid.

    A header's value goes to no other host than it was written for: with another it is asked for
    anew, so that who changes an address learns nothing by it.
    """
    problems = []
    host = ""
    if not KEY.fullmatch(key):
        problems.append(Problem("/key", "E_KEY", {"key": key}))
    if not wanted.title or not isinstance(wanted.title, str | dict):
        problems.append(Problem("/title", "E_REQUIRED"))
    try:
        target = read_target(wanted.address)
        allowed.may_be(target)
        host = target.named
    except BadAddress as bad:
        problems.append(Problem("/address", bad.code, bad.params))
    if wanted.header and not HEADER.fullmatch(wanted.header):
        problems.append(Problem("/header", "E_CALL_HEADER"))
    there = row is not None and row.host == host and row.header == wanted.header
    if wanted.header and not wanted.header_value and not there:
        problems.append(Problem("/header_value", "E_CALL_HEADER_ANEW"))
    if wanted.header_value and not VALUE.fullmatch(wanted.header_value):
        problems.append(Problem("/header_value", "E_CALL_HEADER_VALUE"))
    if problems:
        raise Invalid(problems=problems)
    return host


def renew_secret(session: Session, actor: Actor, key: str) -> str:
    """Calls are signed with another secret from now on; it is told this once. Raises NotAllowed,
    NotFound."""
    row = find_connection(session, actor, key)
    made = secrets.token_hex(32)
    row.secret = _kept(session, "secret", made)
    session.flush()
    _tell(session, actor, "secret_renewed", key)
    return made


def remove_connection(session: Session, actor: Actor, key: str) -> None:
    """It is gone. Raises NotAllowed, NotFound, Conflict while calls wait to be sent over it."""
    row = find_connection(session, actor, key)
    count = waiting_by_connection(session).get(key, 0)
    if count:
        raise Conflict("E_CONNECTION_WAITED_FOR", count=count)
    session.execute(delete(connections).where(connections.c.key == key))
    session.expunge(row)
    _tell(session, actor, "removed", key, host=row.host)


def told_trial(
    session: Session, actor: Actor, key: str, host: str, status: int | None, code: str | None
) -> None:
    """Write down that somebody tried it."""
    _tell(session, actor, "tried", key, host=host, status=status, code=code)


def way_of(session: Session, row: Any) -> Way:
    """What is needed to call over it, from its row. Raises Unreadable without its keys."""
    return Way(
        row.key,
        plain(session, "address", row.address),
        plain(session, "secret", row.secret),
        row.header,
        plain(session, "header_value", row.header_value) if row.header_value else None,
    )


def plain(session: Session, column: str, kept: str) -> str:
    """The text of an encrypted column of a connection."""
    return keyring(database_of(session).home).decrypt(f"connection.{column}", kept)


def _kept(session: Session, column: str, text: str) -> str:
    return keyring(database_of(session).home).encrypt(f"connection.{column}", text)


def _tell(session: Session, actor: Actor, name: str, key: str, **data: Any) -> None:
    append(session, f"connection:{name}", actor, (SUBJECT, 0), None, {"key": key, **data})
