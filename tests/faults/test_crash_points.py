"""A crash at a named point of a deed: the database is as before or as after, never between, and
the deed done again ends as if there had been no crash.

The points are counted, not guessed: an unharmed run tells how many writes and commits a deed has.
"""

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kills.crash_points import POINTS
from kills.deeds import DEEDS, Place, do
from kills.longer import seed, times
from kills.nursery import KILLED, Child, born
from receiver import receiving

from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.outbound.addresses import read_allowed
from careloom.platform.outbound.client import Client
from careloom.platform.records.check import violations
from careloom.platform.store.clock import TurnedClock
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.channels.deliver import LEASE
from careloom.runtime.work.worker import work_once

from ..runtime.channels.ring import END, TELL, connect, keys
from ..runtime.clinic import LEAD, Clinic, flow_of, form, listed, text

pytestmark = pytest.mark.timeout(3600)

# Leases are of processes, and no two are alike; who looked at what is written after the answer.
UNTOLD = {"node", "alembic_version", "view_log", "viewed"}
# Old answers are cleared away now and then; a file imported twice is told of twice.
COMES_AND_GOES = {"answer", "event"}
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
GUEST = form("guest", {"name": text("Name")}, **{"x-label": "name", "x-match": [["name"]]})
APPROVAL = {
    "key": "approve",
    "kind": "approve",
    "title": "Approve",
    "who": [{"key": "supervisors", "role": "supervisor"}],
    "due": "4h",
    "limits": [{"key": "hurry", "after": "3h", "do": "remind"}],
    "rejected": [{"key": "no", "kind": "end", "result": "rejected"}],
}
ROWS = 25
LATE = timedelta(minutes=16)  # a call that was due in fifteen
State = dict[str, tuple[int, str]]


@dataclass
class Crashed:
    """A clinic whose processes die, and how often they did."""

    clinic: Clinic
    clock: TurnedClock
    home: Path
    token: str = ""
    made: int = 0
    points: int = 0
    app: Any = None
    receiver: Any = None

    def place(self) -> Place:
        return Place(self.clinic.database.url, self.clinic.database.home, self.clock.now())

    def child(self, deed: str, given: Any, *at: Any) -> Child:
        """The deed in a process of its own, ended."""
        child = born(do, self.place(), deed, given, *at, environment={}, printed=self.home / "log")
        assert child.ended(120) is not None, "it hangs"
        return child

    def again(self, deed: str, given: Any) -> None:
        if deed == "call":  # who took it is dead, and is known to be when the lease ends
            self.clock.turn(LEASE + timedelta(seconds=1))
        DEEDS[deed](self.app, given)

    def state(self) -> State:
        """Table -> its rows, and a hash of all they hold."""
        found = {}
        with self.clinic.database.snapshot() as session:
            ask = session.connection().exec_driver_sql
            for (name,) in ask(TABLES[self.clinic.database.dialect]).all():
                if name not in UNTOLD:
                    rows = sorted(map(repr, ask(f'SELECT * FROM "{name}"').all()))
                    found[name] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
        return found

    def sound(self) -> None:
        with self.clinic.database.read() as session:
            assert list(violations(session)) == []

    def next_day(self, less: timedelta = timedelta(0)) -> None:
        """The same time of another day, or so much earlier: nobody has had their day's share of
        leads, and nothing of the day before is left to be done."""
        self.clock.turn(timedelta(days=1) - less)
        work_once(self.clinic.database)

    def new(self) -> int:
        self.made += 1
        return self.made


@pytest.fixture
def crashed(clinic: Clinic, clock: TurnedClock, tmp_path: Path) -> Iterator[Crashed]:
    with receiving() as receiver:
        yield crashed_in(Crashed(clinic, clock, tmp_path, receiver=receiver))


def crashed_in(made: Crashed) -> Crashed:
    clinic = made.clinic
    database, sue = clinic.database, clinic.people["sue"]
    clinic.publish("form", GUEST)
    made.token = database.write(lambda s: access_tokens.issue(s, SYSTEM, sue, "test")[1])
    made.app = create_app(database, settings_from({"CARELOOM_HOME": str(database.home)}))
    work_once(database)
    return made


def post(it: Crashed, path: str, **body: Any) -> dict[str, Any]:
    return {"path": path, "body": body, "key": f"key-{it.new()}", "token": it.token}


def a_submission(it: Crashed) -> dict[str, Any]:
    return post(it, "/api/records/lead", name=f"客户{it.made}", mobile="13800000000")


def a_task(it: Crashed) -> dict[str, Any]:
    """A first call, completed by the supervisor it was escalated to."""
    it.next_day(LATE)
    it.clinic.started(f"客户{it.new()}")
    it.clock.turn(LATE)
    work_once(it.clinic.database)
    task = listed(it.clinic, "sue")[-1]
    values = {"result": "answered", "note": "约好了"}
    return post(it, f"/api/tasks/{task.id}/complete", values=values)


def a_task_back(it: Crashed) -> dict[str, Any]:
    """A first call that the supervisor has completed, taken back."""
    given = a_task(it)
    it.again("http", given)
    it.clock.turn(timedelta(seconds=1))  # two processes number what they do by the clock
    return post(it, given["path"].replace("complete", "take-back"))


def a_signer(it: Crashed) -> dict[str, Any]:
    """One more person who has to say yes, after the supervisor's own yes."""
    if not it.made:
        it.clinic.publish("flow", flow_of(APPROVAL, {"key": "end", "kind": "end"}))
    it.clinic.started(f"客户{it.new()}")
    path = f"/api/tasks/{listed(it.clinic, 'sue')[-1].id}/add-sign"
    return post(it, path, to=str(it.clinic.people["max"]), way="after")


def a_version(it: Crashed) -> dict[str, Any]:
    properties = LEAD["properties"] | {f"more_{n}": text("More") for n in range(it.new())}
    layout = [{"key": "all", "fields": list(properties)}]
    return {"kind": "form", "document": LEAD | {"properties": properties, "x-layout": layout}}


def a_pack(it: Crashed) -> dict[str, Any]:
    number = it.new()
    forms = [form(f"pack_{number}_{part}", {"name": text("Name")}) for part in ("a", "b")]
    return {"key": f"pack_{number}", "objects": [("form", each) for each in forms]}


def a_file(it: Crashed) -> dict[str, Any]:
    number = it.new()
    lines = ["name", *(f"客人{number}-{row}" for row in range(ROWS))]
    unit = it.clinic.units["one"]
    return {"form": "guest", "file": "\n".join(lines).encode(), "unit": unit}


def fresh_leads(it: Crashed) -> dict[str, Any]:
    """Events that are to begin flows."""
    it.next_day()
    for _ in range(3):
        it.clinic.lead(f"客户{it.new()}")
    return {}


def due_timers(it: Crashed) -> dict[str, Any]:
    """Reminders and escalations; those of earlier turns are behind us."""
    it.next_day(LATE)
    for _ in range(3):
        it.clinic.lead(f"客户{it.new()}")
    work_once(it.clinic.database)
    it.clock.turn(LATE)
    return {}


def a_call(it: Crashed) -> dict[str, Any]:
    """What another system is to be told of a lead."""
    allowed = f"http://127.0.0.1:{it.receiver.port}"
    if not it.made:
        connect(it.clinic, Client(read_allowed(allowed)), it.receiver.port)
        it.clinic.publish("flow", flow_of(TELL, END))
    it.next_day()
    it.clinic.started(f"客户{it.new()}")
    it.clock.turn(timedelta(seconds=1))  # two processes number what they do by the clock
    return {"allowed": allowed}


#: what -> (deed, what it is given, whether it is one transaction)
CASES: dict[str, tuple[str, Callable[[Crashed], dict[str, Any]], bool]] = {
    "submit": ("http", a_submission, True),
    "complete": ("http", a_task, True),
    "take back": ("http", a_task_back, True),
    "add sign": ("http", a_signer, True),
    "publish": ("publish", a_version, True),
    "pack apply": ("apply", a_pack, True),
    "import": ("import", a_file, False),
    "start of flows": ("work", fresh_leads, False),
    "timers": ("work", due_timers, False),
    "call": ("call", a_call, False),
}


@pytest.mark.parametrize("what", CASES)
def test_a_deed_that_crashes_is_whole_or_not_at_all(
    crashed: Crashed, what: str, record_property: Callable[[str, object], None]
) -> None:
    deed, prepare, single = CASES[what]
    given, begin = prepare(crashed), crashed.state()
    unharmed = crashed.child(deed, given)
    assert unharmed.process.exitcode == 0, unharmed.words()
    passed = json.loads(unharmed.words().split("passed ")[-1])
    grown = growth(begin, crashed.state())
    chance = seed()
    for point, number in some_points(passed, chance):
        at = f"{what}, {point} {number} of {passed[point]}, seed {chance}"
        given, before = prepare(crashed), crashed.state()
        child = crashed.child(deed, given, point, number)
        if not single and child.process.exitcode == 0:
            # On a busy machine a worker's batches are cut by time, so there are fewer or more.
            assert growth(before, crashed.state()) == grown, at
            continue
        assert child.process.exitcode == KILLED, f"{at}: {child.words()}"
        after = crashed.state()
        if single and growth(before, after) != grown:
            assert changed(before, after) == [], at
            assert (point, number) != ("after_commit", passed[point]), at
        crashed.sound()
        crashed.again(deed, given)
        assert growth(before, crashed.state()) == grown, at
        crashed.points += 1
    work_once(crashed.clinic.database)
    crashed.sound()
    # However often one was sent, it was sent as the same one.
    assert what != "call" or len(set(keys(crashed.receiver))) == crashed.made
    record_property("crash points", crashed.points)


def some_points(passed: dict[str, int], chance: int) -> list[tuple[str, int]]:
    """Drawn by the seed: as many commits as wanted, always the last among them, and half as many
    writes."""
    drawn, wanted = random.Random(chance), times("POINTS")
    found = []
    for point in POINTS:
        if not passed[point]:
            continue
        numbers = list(range(1, passed[point] + 1))
        last, most = ([], wanted // 2) if point == "write" else ([numbers.pop()], wanted - 1)
        found += [(point, number) for number in drawn.sample(numbers, min(len(numbers), most))]
        found += [(point, number) for number in last]
    return found


def changed(before: State, after: State) -> list[str]:
    """The tables that are not as they were."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def growth(before: State, after: State) -> dict[str, int]:
    """By how many rows each table grew or shrank."""
    grown = {
        name: count - before.get(name, (0, ""))[0]
        for name, (count, _) in after.items()
        if name not in COMES_AND_GOES and not name.startswith("form_pack_")
    }
    return {name: by for name, by in grown.items() if by}
