"""Who saw or exported this record since a moment, in a log of a million views; against the same
question in a log of a thousand.

Each record was seen twenty times over a year; the last quarter is asked for. As with the work list
it is the slowest of twenty calls (p95) that stands here.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.events.view_log import views
from careloom.platform.store.database import Database

from .measure import KINDS, Result, fresh, middle
from .work_list import NUMBERS, ROUNDS, slowest

MANY, FEW, TIMES_SEEN = 1_000_000, 1_000, 20
SINCE = datetime(2025, 3, 3, tzinfo=UTC)
RECORD = 7
MINUTES = 365 * 24 * 60
AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', '2025-03-03', ({minute}) || ' minutes')",
    "postgresql": "timestamptz '2025-03-03 00:00+00' + ({minute}) * interval '1 minute'",
}
PURPOSE = "CASE WHEN n % 10 = 0 THEN 'export' ELSE 'read' END"


def results() -> Iterator[Result]:
    """One line for each kind of database."""
    for kind in KINDS:
        with fresh(kind) as many, fresh(kind) as few:
            asked = [filled(many, MANY), filled(few, FEW)]
            costs = [(slowest(asked[0]), slowest(asked[1])) for _ in range(ROUNDS)]
            what = f"who saw a record since a moment, {MANY:,} views, p95, {kind}"
            ours, theirs = (middle(pair[side] for pair in costs) for side in (0, 1))
            yield Result(what, ours, f"the same with {FEW:,}", theirs)


def filled(database: Database, most: int) -> Callable[[], Any]:
    """The question to a log of so many views, written in SQL as the product never would."""
    records = most // TIMES_SEEN
    record = f"n % {records}"
    at = AT[database.dialect].format(minute=f"n * CAST({MINUTES} AS BIGINT) / {most}")
    ids = f"'[\"' || ({record}) || '\"]'"
    if database.dialect == "postgresql":
        ids = f"CAST({ids} AS JSON)"

    def fill(session: Session) -> None:
        for table, values in (
            ("view_log", f"n, {at}, n % 300, 'lead', {PURPOSE}, 1, {ids}, '10.0.0.1'"),
            ("viewed", f"'lead', {record}, {at}, n"),
        ):
            rows = f"INSERT INTO {table} {NUMBERS} SELECT {values} FROM n"
            session.execute(text(rows), {"most": most})
            if database.dialect == "postgresql":  # as its own housekeeping does by itself
                session.execute(text(f"ANALYZE {table}"))

    database.write(fill)
    since = SINCE + timedelta(minutes=MINUTES * 3 // 4)

    def ask() -> None:
        with database.read() as session:
            found, _ = views(session, "lead", RECORD, since=since)
        assert len(found) == TIMES_SEEN // 4
        assert all(view.ids == [str(RECORD)] and view.at >= since for view in found)

    return ask
