"""Sending calls: taken under a lease, sent outside of any transaction, and settled once.

What is taken is this process's until its lease ends; then it is taken again, under the same
Idempotency-Key, and the fence keeps whoever was slower from settling it. A call that came to
nothing is tried again, later each time; a connection over which several came to nothing in a row is
shut for a while, so that nobody waits for a system that is not there. Calls about one record go in
the order in which they were made.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy import Row, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from ...platform.outbound.addresses import BadAddress
from ...platform.outbound.client import Answer, Client, NoAnswer
from ...platform.store.encrypted import Unreadable
from ...platform.store.session import moment
from .answers import kept_of
from .calls import body_of
from .connections import Way, way_of
from .headers import headers
from .model import CallState, calls, connections

LEASE = timedelta(seconds=90)
"""Longer than a call takes at most (`Limits.total`, and what a resolver may take before)."""
AT_ONCE = 2
"""Calls that are sent over one connection at the same time."""
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
FAILURES = 5
"""So many in a row, and the connection is shut."""
FIRST_SHUT = timedelta(seconds=15)
LONGEST_SHUT = timedelta(minutes=5)
LONGEST_ASKED = timedelta(hours=1)
"""Of a pause that the other side asks for (Retry-After)."""
TRY_LATER = (408, 425, 429)
FINAL = ("E_CALL_INSIDE", "E_CALL_ADDRESS", "E_CALL_SCHEME", "E_CALL_PORT")
"""What no waiting changes."""


@dataclass(frozen=True)
class Parcel:
    """A call that was taken: what is sent where. way: None when it can only be given up, and
    trouble says why."""

    id: int
    fence: int
    connection: str
    same: str
    body: bytes
    way: Way | None
    trouble: str = ""


@dataclass(frozen=True)
class Came:
    """What came of sending it: an answer, or a trouble (E_CALL_…)."""

    answer: Answer | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Over:
    """A call that is over: its instance goes on."""

    call: int
    instance_id: int


# Taking


def anything_to_send(session: Session) -> bool:
    """Whether a call is due; takes no lock."""
    now = moment(session)
    return bool(session.scalar(select(exists().where(*_due(now)))))


def _due(now: datetime) -> tuple[Any, ...]:
    return (
        calls.c.state == CallState.WAITING,
        calls.c.held.is_(False),
        calls.c.due_at <= now,
        or_(calls.c.leased_until.is_(None), calls.c.leased_until <= now),
    )


def take(session: Session, most: int) -> list[Parcel]:
    """Calls to be sent now, each taken for LEASE; at most so many, a few of each connection."""
    found: list[Parcel] = []
    found += _hopeless(session, most)
    for row in session.execute(select(connections).order_by(connections.c.key)):
        room = min(most - len(found), _room(session, row))
        if room > 0:
            found += _of_connection(session, row, room)
    return found


def _hopeless(session: Session, most: int) -> list[Parcel]:
    """Those whose time is over, and those whose connection is gone."""
    now = moment(session)
    gone = ~exists().where(connections.c.key == calls.c.connection_key)
    which = and_(*_due(now)), or_(gone, calls.c.until <= now)
    late = (calls.c.until <= now).label("late")
    found = []
    for row in _locked(session, select(calls, late).where(*which).limit(most)):
        code = (row.trouble or "E_CALL_TIME_OVER") if row.late else "E_NO_CONNECTION"
        found.append(Parcel(row.id, _lease(session, row), row.connection_key, "", b"", None, code))
    return found


def _room(session: Session, connection: Row[Any]) -> int:
    """How many more calls may be sent over it now; one alone tries whether it is back."""
    now = moment(session)
    if connection.shut_until is not None and connection.shut_until > now:
        return 0
    sending = select(func.count()).where(
        calls.c.connection_key == connection.key,
        calls.c.state == CallState.WAITING,
        calls.c.leased_until > now,
    )
    most = 1 if connection.failures >= FAILURES else AT_ONCE
    return most - (session.scalar(sending) or 0)


def _of_connection(session: Session, connection: Row[Any], room: int) -> Iterator[Parcel]:
    """Its calls that are due, but for those before which one about the same record waits."""
    before = calls.alias("before")
    waits = exists().where(
        before.c.connection_key == calls.c.connection_key,
        before.c.subject_form == calls.c.subject_form,
        before.c.subject_id == calls.c.subject_id,
        before.c.state == CallState.WAITING,
        before.c.id < calls.c.id,
    )
    query = (
        select(calls)
        .where(calls.c.connection_key == connection.key, *_due(moment(session)), ~waits)
        .order_by(calls.c.due_at, calls.c.id)
        .limit(room)
    )
    rows = _locked(session, query)
    for row in rows:
        fence = _lease(session, row)
        try:
            way, body = way_of(session, connection), body_of(session, row.body).encode()
        except Unreadable:
            yield Parcel(row.id, fence, connection.key, "", b"", None, "E_CALL_KEYS")
        else:
            yield Parcel(row.id, fence, connection.key, row.same, body, way)


def _locked(session: Session, query: Any) -> Sequence[Row[Any]]:
    """The rows, but for those that another has just now."""
    found: Sequence[Row[Any]] = session.execute(
        query.with_for_update(skip_locked=True, of=calls)
    ).all()
    return found


def _lease(session: Session, row: Row[Any]) -> int:
    """It is this process's for a while; returns the fence."""
    fence = int(row.fence) + 1
    session.execute(
        update(calls)
        .where(calls.c.id == row.id)
        .values(fence=fence, leased_until=moment(session) + LEASE)
    )
    return fence


# Sending


def send(client: Client, parcel: Parcel, now: datetime) -> Came:
    """Send it; takes as long as the client's limits allow, so never inside a transaction."""
    way = parcel.way
    if way is None:
        return Came(trouble=parcel.trouble)
    beside = (way.header, way.header_value) if way.header and way.header_value else None
    with_it = headers(way.secret, parcel.body, now, parcel.same, beside)
    try:
        return Came(client.post(way.address, parcel.body, with_it))
    except BadAddress as bad:
        return Came(trouble=bad.code)
    except NoAnswer as none:
        return Came(trouble=none.code)


# Settling


def settle(session: Session, parcel: Parcel, came: Came) -> Over | None:
    """Write down what came of it; what is over is returned.

    Nothing is written by who was too slow: another has taken the call since, or nobody wants it.
    """
    # The connection first: whoever settles takes turns there, so that no two wait for each other.
    connection = session.execute(
        select(connections).where(connections.c.key == parcel.connection).with_for_update()
    ).one_or_none()
    row = session.execute(
        select(calls).where(calls.c.id == parcel.id).with_for_update()
    ).one_or_none()
    if row is None or row.fence != parcel.fence or row.state != CallState.WAITING:
        return None
    now = moment(session)
    tries = row.tries + (parcel.way is not None)
    values: dict[str, Any] = {"tries": tries, "leased_until": None}
    answer, code = came.answer, came.trouble
    if answer is not None:
        values["status"] = answer.status
        code = "" if 200 <= answer.status < 300 else "E_CALL_STATUS"
    values["trouble"] = code or None
    later = None
    if answer is not None and not code:
        kept = kept_of(answer, row.wants)
        values |= {"state": CallState.ANSWERED, "over_at": now, "answer": kept}
    else:
        later = _later(parcel, came, tries, now)
        if later is None or now + later >= row.until:
            values |= {"state": CallState.FAILED, "over_at": now}
        else:
            values["due_at"] = now + later
    session.execute(update(calls).where(calls.c.id == row.id).values(values))
    if connection is not None and parcel.way is not None:
        _judge(session, connection, came, later, code)
    return Over(row.id, row.instance_id) if "over_at" in values else None


def _later(parcel: Parcel, came: Came, tries: int, now: datetime) -> timedelta | None:
    """How long to wait before it is sent again; None when that would be no use."""
    answer = came.answer
    if parcel.way is None or came.trouble in FINAL:
        return None
    if answer is not None and answer.status < 500 and answer.status not in TRY_LATER:
        return None
    pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 20), LONGEST_PAUSE)
    spread = random.uniform(0.5, 1)  # nosec B311 # so that not all come back at once
    own: timedelta = pause * spread
    return max(own, _asked_for(answer, now))


def _asked_for(answer: Answer | None, now: datetime) -> timedelta:
    """The pause that the other side asks for, in seconds or as a moment; at most an hour."""
    said = answer.retry_after if answer is not None else ""
    if said.isascii() and said.isdigit():
        asked = timedelta(seconds=min(int(said), 10**6))
    else:
        try:
            until = parsedate_to_datetime(said)
            asked = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
        except (ValueError, TypeError, IndexError, OverflowError):
            asked = timedelta(0)
    return max(timedelta(0), min(asked, LONGEST_ASKED))


def _judge(
    session: Session, connection: Row[Any], came: Came, later: timedelta | None, code: str
) -> None:
    """What this says of the connection: it is there, is shut for a while, or is there again."""
    now, answer = moment(session), came.answer
    values: dict[str, Any] = {}
    if came.trouble in FINAL:
        return  # nothing was sent
    if answer is not None and answer.status == 429:
        # It is there, and asks for a rest: of all calls, not only of this one.
        values = {"failures": 0, "shut_until": now + (later or timedelta(0)), "trouble": code}
    elif later is None:
        if connection.failures or connection.shut_until is not None:
            values = {"failures": 0, "shut_until": None, "trouble": None}
            _at_once(session, connection.key)
    else:
        failures = connection.failures + 1
        values = {"failures": failures, "trouble": code}
        if failures >= FAILURES:
            shut = min(FIRST_SHUT * 2 ** min(failures - FAILURES, 20), LONGEST_SHUT)
            values["shut_until"] = now + shut * random.uniform(0.75, 1)  # nosec B311
    if values:
        which = connections.c.key == connection.key
        session.execute(update(connections).where(which).values(values))


def _at_once(session: Session, key: str) -> None:
    """It is there again: what waits for a later try is sent now."""
    now = moment(session)
    waiting = (
        select(calls.c.id)
        .where(calls.c.connection_key == key, calls.c.state == CallState.WAITING)
        .where(calls.c.due_at > now)
        .with_for_update(skip_locked=True)
    )
    session.execute(update(calls).where(calls.c.id.in_(waiting)).values(due_at=now))


def next_to_send(session: Session) -> datetime | None:
    """When the next call is to be sent, as far as it is not shut in; None when none waits."""
    shut = select(connections.c.shut_until).where(connections.c.key == calls.c.connection_key)
    soonest = None
    query = select(calls.c.due_at, shut.scalar_subquery().label("shut")).where(
        calls.c.state == CallState.WAITING, calls.c.held.is_(False)
    )
    for due_at, shut_until in session.execute(query.order_by(calls.c.due_at).limit(100)):
        at = max(due_at, shut_until) if shut_until is not None else due_at
        soonest = at if soonest is None or at < soonest else soonest
    return soonest
