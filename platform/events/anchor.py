"""The end of the chain, written down once a day outside the database.

Whoever rules the database could rewrite the whole chain, its hashes and its end. A line a day in
the data folder (`anchors/2026.log`, `{"day", "at", "seq", "hash"}`) shows it: an event that was
sealed by then still has the hash it had. The line is told to the log as well, and so leaves the
machine with the other log lines.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store.database import Database
from ..store.session import database_of
from .model import ChainEnd, Event

log = logging.getLogger("careloom.anchor")

_written: dict[Path, str] = {}  # by home: the last day that has its line


def drop_anchor(database: Database) -> bool:
    """Write today's line, unless it is there or nothing is sealed yet; whether it was written.

    Days are counted in UTC. Any process may call it at any time.
    """
    now = database.clock.now()
    day = now.astimezone(UTC).date().isoformat()
    if _written.get(database.home) == day:
        return False
    with database.read() as session:
        end = session.execute(select(ChainEnd.seq, ChainEnd.hash)).one_or_none()
    if end is None:
        return False
    line = {"day": day, "at": now.isoformat(), "seq": end.seq, "hash": end.hash}
    wrote = _append(database.home / "anchors" / f"{day[:4]}.log", line)
    _written[database.home] = day
    if wrote:
        log.info("anchor %s seq %s hash %s", day, end.seq, end.hash)
    return wrote


def _append(path: Path, line: dict[str, Any]) -> bool:
    """Add a line, synced, unless the last one is of the same day or a later one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # other processes write it too
        lines = file.read().splitlines()
        last = _read(lines[-1]) if lines else None
        if last is not None and last[0] >= line["day"]:
            return False
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def anchors(home: Path) -> Iterator[tuple[str, tuple[str, int, str] | None]]:
    """Every line there is: where it stands, and its day, seq and hash (None when unreadable)."""
    for path in sorted((home / "anchors").glob("*.log")):
        for number, text in enumerate(path.read_text("utf-8").splitlines(), start=1):
            yield f"{path.name} line {number}", _read(text)


def _read(text: str) -> tuple[str, int, str] | None:
    try:
        line = json.loads(text)
        return str(line["day"]), int(line["seq"]), str(line["hash"])
    except (ValueError, KeyError, TypeError):
        return None


def anchors_hold(session: Session) -> Iterator[str]:
    """Every line whose event is not what it was on that day; nothing when all are."""
    for place, line in anchors(database_of(session).home):
        if line is None:
            yield f"anchor {place}: cannot be read"
            continue
        day, seq, digest = line
        if session.scalar(select(Event.hash).where(Event.seq == seq)) != digest:
            yield f"anchor {place}: event seq {seq} is not the one that was sealed by {day}"
