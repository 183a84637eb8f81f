"""Seal what happened: a gapless number and a hash chain over committed events, in batches.

An id is taken before its transaction commits, so ids appear out of order; a reader of the log by
id would skip the late ones. Everything that reads the log as a sequence reads `seq`, which the
sealer gives only to committed rows. Writers never wait for it.

Triggers of the database let nobody change an event or remove one. Whoever takes those away is
found by the chain; `chain_end` says how far it went, so that a missing end is found as well.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.orm import Session

from .model import ChainEnd, Event

FIRST = "0" * 64
EVENTS = Event.__table__
CHUNK = 500


def digest(event: Any, seq: int, before: str) -> str:
    """SHA-256 over the one before and every word of this one (an Event, or its row), as hex."""
    content = [
        before,
        seq,
        str(event.id),
        event.name,
        event.subject_kind,
        str(event.subject_id),
        event.unit_id and str(event.unit_id),
        event.actor_id and str(event.actor_id),
        event.on_behalf_id and str(event.on_behalf_id),
        event.cause_id and str(event.cause_id),
        event.depth,
        event.at.isoformat(),
        event.data,
    ]
    text_ = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text_.encode()).hexdigest()


def seal(session: Session, most: int = 500) -> int:
    """Seal the events that are committed and not sealed yet, oldest first; returns how many."""
    if session.get_bind().dialect.name == "postgresql":
        # One sealer at a time; the lock ends with the transaction.
        if not session.execute(text("SELECT pg_try_advisory_xact_lock(7071)")).scalar():
            return 0
    query = select(Event).where(Event.seq.is_(None)).order_by(Event.id).limit(most)
    events = session.execute(query).scalars().all()
    if not events:
        return 0
    end = session.get(ChainEnd, 1)
    seq, before = _last(session, end)
    rows = []
    for event in events:
        seq += 1
        before = digest(event, seq, before)
        rows.append({"id": event.id, "seq": seq, "hash": before})
    session.execute(update(Event), rows)
    if end is None:
        session.execute(insert(ChainEnd), {"id": 1, "seq": seq, "hash": before})
    else:
        end.seq, end.hash = seq, before
        session.flush()
    return len(rows)


def _last(session: Session, end: ChainEnd | None) -> tuple[int, str]:
    """Where the chain goes on. Where its end was cut off it leaves the gap to be found."""
    last = session.execute(
        select(Event.seq, Event.hash)
        .where(Event.seq.is_not(None))
        .order_by(Event.seq.desc())
        .limit(1)
    ).one_or_none()
    seq, before = (last.seq or 0, last.hash or FIRST) if last else (0, FIRST)
    return (end.seq, end.hash) if end is not None and end.seq > seq else (seq, before)


def broken(session: Session, since: int = 0) -> Iterator[str]:
    """Every place where the chain does not hold, in words; nothing when it does."""
    # The end is read first: what is sealed meanwhile lies behind it.
    end = session.execute(select(ChainEnd.seq, ChainEnd.hash)).one_or_none()
    expected, before = 1, FIRST
    if since:
        start = session.execute(select(Event.hash).where(Event.seq == since)).scalar_one()
        expected, before = since + 1, start or FIRST
    hash_at_end = before
    for seq, row in _sealed(session, expected):
        if not isinstance(seq, int):  # SQLite keeps what it is given
            yield f"an event bears the number {seq!r}"
            continue
        if seq != expected:
            yield f"event seq {expected}: missing before {seq}"
            expected = seq
        if row is None:
            yield f"event seq {seq}: was altered (it cannot be read)"
            before = ""
        else:
            if row.hash != digest(row, seq, before):
                yield f"event seq {seq}: was altered (id {row.id})"
            before = row.hash or ""
        if end is not None and seq == end.seq:
            hash_at_end = before
        expected += 1
    if end is None and expected > 1:
        yield "where the chain of events ends is not written down"
    elif end is not None and (end.seq >= expected or end.hash != hash_at_end):
        yield f"event seq {expected}: the chain ends before it, and went to {end.seq}"
    half = select(func.count()).where(Event.seq.is_(None) != Event.hash.is_(None))
    if count := session.execute(half).scalar_one():
        yield f"{count} events have a number without a hash, or a hash without a number"


def _sealed(session: Session, first: int) -> Iterator[tuple[int, Row[Any] | None]]:
    """Sealed events in their order, as they stand in the database; None for an unreadable one."""
    while True:
        query = select(EVENTS).where(Event.seq >= first).order_by(Event.seq).limit(CHUNK)
        try:
            found: list[tuple[Any, Any]] = [(row.seq, row) for row in session.execute(query)]
        except (ValueError, TypeError):
            numbers = select(Event.seq).where(Event.seq >= first).order_by(Event.seq).limit(CHUNK)
            found = [(seq, _one(session, seq)) for seq in session.scalars(numbers).all() if seq]
        yield from found
        if len(found) < CHUNK or not isinstance(found[-1][0], int):
            return
        first = found[-1][0] + 1


def _one(session: Session, seq: int) -> Row[Any] | None:
    try:
        return session.execute(select(EVENTS).where(Event.seq == seq)).one()
    except (ValueError, TypeError):
        return None
