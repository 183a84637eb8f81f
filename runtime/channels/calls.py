"""Calls as rows: written in a step's transaction, dropped, held, and tried again."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, insert, select, update
from sqlalchemy.orm import Session

from ...platform.store.encrypted import keyring
from ...platform.store.session import after_commit, database_of, moment, new_id
from .model import CallState, calls, connections
from .wake import wake

MOST_BYTES = 256 * 1024
"""Of what is sent."""


@dataclass(frozen=True)
class NewCall:
    """A call that is to be made: see `model.Call` for each part. lasting: after so long it is
    given up."""

    instance_id: int
    token_id: int
    step_key: str
    connection_key: str
    subject_form: str
    subject_id: int
    body: Mapping[str, Any]
    reads: Mapping[str, Sequence[Mapping[str, str]] | None]
    wants: Sequence[Sequence[str]]
    lasting: timedelta


class TooLong(ValueError):
    """What is sent is longer than MOST_BYTES."""


def is_set_up(session: Session, key: str) -> bool:
    """Whether somebody has set this connection up."""
    return bool(session.scalar(select(exists().where(connections.c.key == key))))


def written_body(body: Mapping[str, Any]) -> str:
    """The body as it is sent. Raises TooLong."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MOST_BYTES:
        raise TooLong
    return text


def write_call(session: Session, new: NewCall) -> int:
    """Have it sent once this transaction is committed; returns its id.

    When the last call of this step was given up and what is sent is the same, it is that one again,
    with the Idempotency-Key it had: the other side may have taken it. Raises TooLong.
    """
    body = written_body(new.body)
    now = moment(session)
    after_commit(session, wake)
    before = _given_up(session, new)
    if before is not None:
        same = body_of(session, before.body) == body
        state = CallState.WAITING if same else CallState.DROPPED
        values = {"state": state, "fence": before.fence + 1, "leased_until": None}
        if same:
            values |= {"due_at": now, "until": now + new.lasting, "tries": 0, "over_at": None}
            values |= {"connection_key": new.connection_key, "held": False}
        session.execute(update(calls).where(calls.c.id == before.id).values(values))
        if same:
            return int(before.id)
    call_id = new_id(session)
    session.execute(
        insert(calls).values(
            id=call_id,
            instance_id=new.instance_id,
            token_id=new.token_id,
            step_key=new.step_key,
            connection_key=new.connection_key,
            subject_form=new.subject_form,
            subject_id=new.subject_id,
            same=secrets.token_hex(16),
            state=CallState.WAITING,
            body=keyring(database_of(session).home).encrypt("call.body", body),
            reads=dict(new.reads),
            wants=[list(one) for one in new.wants],
            held=False,
            made_at=now,
            due_at=now,
            until=now + new.lasting,
            tries=0,
            fence=0,
        )
    )
    return call_id


def _given_up(session: Session, new: NewCall) -> Row[Any] | None:
    """The newest call of this token's step, if it was given up and nothing came of it since."""
    query = (
        select(calls)
        .where(calls.c.token_id == new.token_id, calls.c.step_key == new.step_key)
        .where(calls.c.instance_id == new.instance_id)
        .order_by(calls.c.id.desc())
        .limit(1)
        .with_for_update()
    )
    row = session.execute(query).one_or_none()
    return row if row is not None and row.state == CallState.FAILED else None


def body_of(session: Session, kept: str) -> str:
    """What is sent, of a call's row. Raises Unreadable without its key."""
    return keyring(database_of(session).home).decrypt("call.body", kept)


def call_row(session: Session, call_id: int) -> Row[Any] | None:
    """A call as it stands."""
    return session.execute(select(calls).where(calls.c.id == call_id)).one_or_none()


def calls_of(session: Session, instance_id: int) -> Sequence[Row[Any]]:
    """The calls of an instance, the oldest first."""
    query = select(calls).where(calls.c.instance_id == instance_id).order_by(calls.c.id)
    return session.execute(query).all()


def drop_calls(session: Session, which: ColumnElement[bool], *states: CallState) -> None:
    """Calls that wait (or are in these states) are not sent, and nobody tries them again. One that
    is being sent just now arrives; nothing follows from it."""
    session.execute(
        update(calls)
        .where(which, calls.c.state.in_(states or (CallState.WAITING,)))
        .values(state=CallState.DROPPED, over_at=moment(session), leased_until=None)
    )


def hold_calls(session: Session, instance_id: int, held: bool) -> None:
    """While an instance is suspended, its calls are not sent."""
    session.execute(
        update(calls)
        .where(calls.c.instance_id == instance_id, calls.c.state == CallState.WAITING)
        .values(held=held)
    )
    if not held:
        after_commit(session, wake)


def give_up_waiting(session: Session, connection_key: str) -> None:
    """Whatever waits to be sent over a connection is given up now: it is looked at at once."""
    now = moment(session)
    session.execute(
        update(calls)
        .where(calls.c.connection_key == connection_key, calls.c.state == CallState.WAITING)
        .values(until=now, due_at=now)
    )
    after_commit(session, wake)
