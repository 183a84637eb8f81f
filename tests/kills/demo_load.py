"""`careloom demo` killed at random moments and run again, until it ends as an unbroken run does.

    python -m kills.demo_load --kills N --database sqlite|postgresql --seed SEED

The clock stands still, for what is made up hangs on the moment it is made up for.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import prepared
import servers
from flask import Flask
from served import TUESDAY

from careloom.platform.records.check import violations
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.upgrade import upgrade
from careloom.platform.verbs import demo
from careloom.platform.web.app import create_app
from careloom.runtime.demo.present import write_present
from careloom.runtime.demo.write import write_past
from careloom.runtime.flows.soundness import flows_are_sound

from .__main__ import address, bound
from .crash_points import arm
from .deeds import Place, open_app
from .nursery import Child, born

DAYS = 1
PATIENCE = 300
Outcome = Counter[tuple[str, ...]]
#: leases of processes are no two alike
UNTOLD = {"node", "alembic_version"}
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
TOLD = {
    "lead": """
        SELECT l.external_id, l.name, l.mobile, l.status, l.received_at, l.contacted_at,
            l.deal_at, l.deal_amount, p.login
        FROM form_lead_intake l LEFT JOIN person p ON p.id = l.owner""",
    "call": """
        SELECT l.external_id, f.result, f.summary, f.started_at
        FROM form_followup_log f JOIN form_lead_intake l ON l._id = f.lead""",
    "task": """
        SELECT l.external_id, t.step_key, t.state, t.due_at
        FROM task t JOIN form_lead_intake l ON l._id = t.subject_id""",
    "event": "SELECT name FROM event",
}


def load(place: Place, point: str = "", number: int = 0) -> None:
    """In a process of its own: what `careloom demo` does, up to the crash, else to its end; then
    it tells how many points it passed."""
    database = _database(open_app(place))
    passed = arm(point, number)
    write_past(database, DAYS, place.now, lambda _done, _all: None)
    write_present(database, place.now)
    print("passed", json.dumps(vars(passed)), flush=True)


@dataclass
class Clinic:
    """The demo clinic before its leads, as a template, and what an unbroken load makes of it."""

    template: str
    folder: Path
    unbroken: Outcome = field(default_factory=Counter)
    passed: dict[str, int] = field(default_factory=dict)  # crash points of an unbroken load
    seconds: float = 0.0

    @contextmanager
    def fresh(self) -> Iterator["Site"]:
        """A clinic without leads, gone at the end."""
        home = Path(tempfile.mkdtemp(dir=self.folder))
        url = prepared.copied(self.template, home)
        try:
            yield Site(Place(url, home, TUESDAY))
        finally:
            if url.startswith("postgresql"):
                prepared.dropped(url)
            shutil.rmtree(home)


@dataclass
class Site:
    """One copy of it, whose loads die."""

    place: Place

    def load(self, *at: Any) -> Child:
        """Begin a load."""
        printed = self.place.home / "log"
        return born(load, self.place, *at, environment={}, printed=printed)

    def ended(self, *at: Any) -> Child:
        """A load, after its end or its crash."""
        child = self.load(*at)
        assert child.ended(PATIENCE) is not None, "it hangs"
        return child

    def outcome(self) -> Outcome:
        """What stands in the database, without ids; how many rows each table has."""
        found: Outcome = Counter()
        database = open_database(self.place.url, self.place.home, TurnedClock(self.place.now))
        with database.snapshot() as session:
            ask = session.connection().exec_driver_sql
            for (name,) in ask(TABLES[database.dialect]).all():
                if name not in UNTOLD:
                    found["rows", name] = ask(f'SELECT count(*) FROM "{name}"').scalar_one()
            for what, query in TOLD.items():
                found.update((what, *map(str, row)) for row in ask(query))
        with database.read() as session:
            wrong = [*violations(session), *flows_are_sound(session)]
        database.close()
        assert wrong == [], wrong
        return found


@contextmanager
def clinic(empty: str) -> Iterator[Clinic]:
    """The demo clinic in the database at `empty`, which has no table yet."""
    folder = Path(tempfile.mkdtemp(prefix="careloom-demo-"))
    home = folder / "template"
    home.mkdir()
    url = empty.replace("{home}", str(home))
    upgrade(url)
    database = open_database(url, home, TurnedClock(TUESDAY))
    create_app(database)  # the areas bring their kinds of definition
    demo.load_demo(database)
    database.close()
    made = Clinic(url, folder)
    with made.fresh() as site:
        since = time.monotonic()
        child = site.ended()
        assert child.process.exitcode == 0, child.words()
        made.seconds = time.monotonic() - since
        made.unbroken = site.outcome()
        made.passed = json.loads(child.words().split("passed ")[-1])
    yield made
    shutil.rmtree(folder)


def kill_until_loaded(site: Site, seconds: float, chance: random.Random, most: int) -> int:
    """Kill the load at random moments, at most so often, then let it end; how often it died."""
    killed = 0
    while killed < most:
        child = site.load()
        child.process.join(chance.uniform(0, seconds))
        if not child.runs():
            assert child.process.exitcode == 0, child.words()
            return killed
        child.kill()
        killed += 1
    child = site.ended()
    assert child.process.exitcode == 0, child.words()
    return killed


def difference(one: Outcome, other: Outcome) -> list[str]:
    """What only one of two outcomes has."""
    missing, extra = one - other, other - one
    return [f"missing: {each}" for each in missing] + [f"too much: {each}" for each in extra]


def main() -> int:
    """Kill so often; 1 when a load ended otherwise than the unbroken one."""
    parser = argparse.ArgumentParser(prog="kills.demo_load", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    chance, killed, loads = random.Random(given.seed), 0, 0
    try:
        with clinic(address(given.database)) as made:
            while killed < given.kills:
                with made.fresh() as site:
                    most = min(chance.randrange(1, 9), given.kills - killed)
                    killed += kill_until_loaded(site, made.seconds, chance, most)
                    wrong = difference(made.unbroken, site.outcome())
                loads += 1
                print(
                    f"{killed:4}  load {loads}, {'NOT SOUND' if wrong else 'as unbroken'}",
                    flush=True,
                )
                if wrong:
                    print(*wrong[:20], f"NOT SOUND, seed {given.seed}", sep="\n")
                    return 1
    finally:
        servers.end_run()
    print(f"demo loads {loads}, killed {killed} times, seed {given.seed}; {bound(killed)}")
    return 0


def _database(app: Flask) -> Database:
    found = app.extensions["careloom.database"]
    assert isinstance(found, Database)
    return found


if __name__ == "__main__":
    sys.exit(main())
