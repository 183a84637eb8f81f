"""The work list of one agent with 100,000 open tasks, as a page shows it: the first twenty, and
how many there are, of which no more than a thousand are counted; against the same list when a
hundred are open.

Not the mean but the slowest of twenty calls (p95) stands on the wall.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.store.database import Database
from careloom.runtime.tasks.worklist import MOST_COUNTED, worklist

from .measure import KINDS, Cost, Result, cost, fresh, middle
from .two_tasks import BARE, house_in

OPEN, FEW = 100_000, 100
CALLS, ROUNDS = 40, 5
NUMBERS = (
    "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < CAST(:most AS INT))"
)
MINUTE = "n * CAST(7919 AS BIGINT) % 100003"
DUE = {
    "sqlite": f"strftime('%Y-%m-%d %H:%M:%f000', '2026-03-03', ({MINUTE}) || ' minutes')",
    "postgresql": f"timestamptz '2026-03-03' + {MINUTE} * interval '1 minute'",
}


def results() -> Iterator[Result]:
    """One line for each kind of database."""
    for kind in KINDS:
        with fresh(kind) as many, fresh(kind) as few:
            lists = [filled(many, OPEN), filled(few, FEW)]
            costs = [(slowest(lists[0]), slowest(lists[1])) for _ in range(ROUNDS)]
            what = f"work list of one agent with {OPEN:,} open tasks, p95, {kind}"
            ours, theirs = (middle(pair[side] for pair in costs) for side in (0, 1))
            yield Result(what, ours, f"the same with {FEW}", theirs, "< 30,000 µs")


def filled(database: Database, most: int) -> Callable[[], Any]:
    """The work list in a database with so many open tasks.

    One task comes by its flow, the others are copies of its rows made in SQL, each about a record
    of its own and due at its own time: the product never writes like that, but this is a database
    of the benchmark's own, and what is measured is reading.
    """
    house = house_in(database)
    house.begun(BARE)
    due = DUE[database.dialect]

    def copy(session: Session) -> None:
        for table, changed in (
            ("form_lead", {"_id": "_id + n", "name": "name || n"}),
            ("task", {"id": "id + n", "subject_id": "subject_id + n", "due_at": due}),
            ("task_actor", {"id": "id + n", "task_id": "task_id + n", "sort_at": due}),
        ):
            columns = list(session.execute(text(f"SELECT * FROM {table} LIMIT 0")).keys())
            names = ", ".join(f'"{name}"' for name in columns)
            values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
            rows = f"INSERT INTO {table} ({names}) {NUMBERS} SELECT {values} FROM {table}, n"
            session.execute(text(rows), {"most": most - 1})
            if database.dialect == "postgresql":  # as its own housekeeping does by itself
                session.execute(text(f"ANALYZE {table}"))

    database.write(copy)

    def listed() -> None:
        with database.read() as session:
            page = worklist(session, house.agent, count=True)
        assert len(page.items) == 20 and page.total == min(most, MOST_COUNTED)

    return listed


def slowest(call: Callable[[], Any]) -> Cost:
    """The wall and the processor's time of all but the slowest of twenty calls (p95)."""
    walls, cpus = [], []
    for _ in range(CALLS):
        one = cost(call, 1)
        walls.append(one.wall)
        cpus.append(one.cpu)
    at = CALLS * 95 // 100
    return Cost(sorted(walls)[at], sorted(cpus)[at])
