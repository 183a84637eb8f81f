"""Seal what happened: a gapless number and a hash chain over committed events, in batches.

An id is taken before its transaction commits, so ids appear out of order; a reader of the log by
id would skip the late ones. Everything that reads the log as a sequence reads `seq`, which the
sealer gives only to committed rows. Writers never wait for it.
"""

import hashlib
import json
from collections.abc import Iterator

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from .model import Event

FIRST = "0" * 64


def digest(event: Event, seq: int, before: str) -> str:
    """SHA-256 over the one before and every word of this one, as hex."""
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
    last = session.execute(
        select(Event.seq, Event.hash)
        .where(Event.seq.is_not(None))
        .order_by(Event.seq.desc())
        .limit(1)
    ).one_or_none()
    seq, before = (last.seq or 0, last.hash or FIRST) if last else (0, FIRST)
    rows = []
    for event in events:
        seq += 1
        before = digest(event, seq, before)
        rows.append({"id": event.id, "seq": seq, "hash": before})
    session.execute(update(Event), rows)
    return len(rows)


def broken(session: Session, since: int = 0) -> Iterator[str]:
    """Every place where the chain does not hold, in words; nothing when it does."""
    before, expected = FIRST, 1
    if since:
        start = session.execute(select(Event.hash).where(Event.seq == since)).scalar_one()
        before, expected = start or FIRST, since + 1
    query = select(Event).where(Event.seq >= expected).order_by(Event.seq)
    for event in session.execute(query.execution_options(yield_per=500)).scalars():
        assert event.seq is not None
        if event.seq != expected:
            yield f"event seq {expected}: missing before {event.seq}"
            expected = event.seq
        if event.hash != digest(event, expected, before):
            yield f"event seq {expected}: was altered (id {event.id})"
        before, expected = event.hash or "", expected + 1
    unsealed_before = session.execute(
        select(func.count()).where(Event.seq.is_not(None), Event.hash.is_(None))
    ).scalar_one()
    if unsealed_before:
        yield f"{unsealed_before} sealed events without a hash"
