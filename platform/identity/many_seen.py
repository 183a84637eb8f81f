"""An alarm in the trail for whoever is shown very many records in a short time.

Staff see some hundred people's records on a busy day. Who pages through all of them, or takes them
out, may have good reason, and those who read the trail should know of it at once.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..events.log import append
from ..events.model import Event, View
from ..events.view_log import Looked, write_views
from ..store.session import after_commit, moment
from .events import ALARM
from .model import Person

log = logging.getLogger(__name__)

MANY = 1_000  # different records
WITHIN = timedelta(minutes=10)
SILENT = timedelta(hours=1)  # between two alarms about one person


@dataclass(frozen=True)
class _By:
    """Who did it, though they may be disabled by now."""

    person_id: int


def write_shown(session: Session, rows: Collection[Looked]) -> None:
    """Write views down, and say so where they make very many."""
    write_views(session, rows)
    look_out(session, (row.person_id for row in rows))


def look_out(session: Session, people: Iterable[int | None]) -> None:
    """Say so where one of these people has just been shown MANY records or more.

    Asked after their views were written, in the same transaction.
    """
    now = moment(session)
    shown = (
        select(View.person_id)
        .where(View.person_id.in_({one for one in people if one is not None}))
        .where(View.at > now - WITHIN)
        .group_by(View.person_id)
        .having(func.sum(View.count) >= MANY)
    )
    for person_id in session.scalars(shown).all():
        if person_id is None or _said(session, person_id, now - SILENT):
            continue
        records = _different(session, person_id, now - WITHIN)
        if records >= MANY:
            _say(session, person_id, records)


def _said(session: Session, person_id: int, since: datetime) -> bool:
    its = select(Event.id).where(Event.subject_kind == ALARM, Event.subject_id == person_id)
    return session.scalar(its.where(Event.at > since).limit(1)) is not None


def _different(session: Session, person_id: int, since: datetime) -> int:
    """One record seen ten times is one."""
    rows = session.execute(
        select(View.form, View.ids).where(View.person_id == person_id, View.at > since)
    )
    return len({(form, number) for form, ids in rows for number in ids})


def _say(session: Session, person_id: int, records: int) -> None:
    minutes = int(WITHIN.total_seconds() // 60)
    unit_id = session.scalar(select(Person.unit_id).where(Person.id == person_id))
    data = {"records": records, "minutes": minutes}
    append(session, "person:saw_many", _By(person_id), (ALARM, person_id), unit_id, data)
    words = "person %s was shown %s records within %s minutes"
    after_commit(session, lambda: log.warning(words, person_id, records, minutes))
