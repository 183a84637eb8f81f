"""A trial call: what an administrator sends over a connection to see whether it is right."""

import json
import secrets
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.outbound.client import Client
from ...platform.store.database import Database
from ...platform.store.session import moment
from .connections import Way, find_connection, told_trial, way_of
from .deliver import Parcel, send

BODY = {"careloom": "trial"}
MOST_SHOWN = 500
HIDDEN = "…"


@dataclass(frozen=True)
class Trial:
    """What came back. ok: whether a flow's call would have counted as answered; code: E_CALL_… when
    not; said: the beginning of what came back, without what is secret here."""

    ok: bool
    status: int | None
    code: str | None
    said: str


def ready(session: Session, actor: Actor, key: str) -> tuple[Parcel, str]:
    """A trial call over a connection, and its host. Raises NotAllowed, NotFound."""
    row = find_connection(session, actor, key)
    body = json.dumps({**BODY, "at": moment(session).isoformat()}).encode()
    same = f"trial-{secrets.token_hex(12)}"
    return Parcel(0, 0, key, same, body, way_of(session, row)), row.host


def carried_out(
    database: Database, client: Client, actor: Actor, parcel: Parcel, host: str
) -> Trial:
    """Send it, outside of any transaction, and write down that somebody did."""
    came = send(client, parcel, database.clock.now())
    answer, code = came.answer, came.trouble or None
    if answer is not None and not 200 <= answer.status < 300:
        code = "E_CALL_STATUS"
    status = answer.status if answer is not None else None
    database.write(lambda s: told_trial(s, actor, parcel.connection, host, status, code))
    said = _without(parcel.way, answer.body) if answer is not None else ""
    return Trial(code is None, status, code, said)


def _without(way: Way | None, body: bytes) -> str:
    """The beginning of an answer as text, without this connection's secrets in it."""
    text = body.decode("utf-8", "replace")
    for secret in (way.secret, way.header_value, way.address) if way else ():
        if secret:
            text = text.replace(secret, HIDDEN)
    return "".join(
        sign if sign.isprintable() or sign == "\n" else " " for sign in text[:MOST_SHOWN]
    )
