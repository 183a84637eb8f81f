"""Very many moments come at once, those of a morning and those of three days off: each is done
once, and who comes meanwhile is not held up behind them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import quantiles
from typing import Any

import pytest
from kills.longer import times
from sqlalchemy import text

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.runtime.work import dispatch
from careloom.runtime.work.dispatch import drain
from careloom.runtime.work.worker import Worker

from ..runtime.clinic import Clinic, Document, flow_of, soon, sound

pytestmark = pytest.mark.timeout(3600)
END: Document = {"key": "end", "kind": "end"}
LONG = 1_000
"""From so many on it lasts long enough to be measured beside."""
FRESH = 60
"""Leads that come meanwhile, and as many before."""
LEFT = "SELECT count(*) FROM timer"
CALLS = "SELECT count(*) FROM task WHERE step_key = 'call'"
RECALLED = "SELECT count(*) FROM task WHERE step_key = 'recall'"


def task(key: str) -> Document:
    return {
        "key": key,
        "kind": "task",
        "title": key,
        "who": {"role": "agent"},
        "outcomes": [{"key": "done", "title": "Done"}],
    }


def case(key: str, when: str, *steps: Document) -> Document:
    return {"key": key, "when": when, "steps": list(steps)}


FLOW = flow_of(
    {
        "key": "which",
        "kind": "branch",
        "cases": [
            case("fresh", "urgent", task("call"), {"key": "called", "kind": "end"}),
            {"key": "old", "steps": []},
        ],
    },
    {"key": "pause", "kind": "wait", "for": "80h"},
    task("recall"),
    END,
)


def count(clinic: Clinic, query: str) -> int:
    with clinic.database.read() as session:
        return int(session.execute(text(query)).scalar_one())


def come_due(clinic: Clinic, clock: TurnedClock, many: int) -> None:
    """So many recalls, one in seven at one moment and the others over three days, all of them due
    by now: nobody has worked meanwhile."""
    clinic.publish("flow", FLOW)
    step = timedelta(days=3) / many
    for number in range(many):
        clinic.lead(f"老客户{number}")
        if number % 50 == 0:
            drain(clinic.database)
        if number % 7:
            clock.turn(step)
    drain(clinic.database)
    assert count(clinic, LEFT) == many
    clock.turn(timedelta(hours=80))


@contextmanager
def working(database: Database) -> Iterator[None]:
    worker = Worker(database)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def waits(clinic: Clinic, many: int) -> list[float]:
    """How long each of so many leads, one after the other, waits for its call."""
    found = []
    for number in range(many):
        before, since = count(clinic, CALLS), time.monotonic()
        clinic.lead(f"新客户{number}", urgent=True)
        while count(clinic, CALLS) == before:
            assert time.monotonic() - since < 60
            time.sleep(0.001)
        found.append(time.monotonic() - since)
    return found


def test_each_is_done_once_and_nobody_is_held_up(
    clinic: Clinic, clock: TurnedClock, record_property: Callable[[str, object], None]
) -> None:
    many = times("HERD")
    come_due(clinic, clock, many)
    fresh = FRESH if many >= LONG else 3
    with working(clinic.database):
        during = waits(clinic, fresh)
        left = count(clinic, LEFT)
        assert soon(lambda: count(clinic, LEFT) == 0, 600)
        after = waits(clinic, fresh)
    assert count(clinic, RECALLED) == many
    once = "SELECT count(DISTINCT instance_id) FROM task WHERE step_key = 'recall'"
    assert count(clinic, once) == many
    assert sound(clinic)
    if many >= LONG:
        assert left > 0, "it was over too soon to be measured"
        slow, usual = (quantiles(each, n=20)[-1] for each in (during, after))
        told = f"p95 {slow * 1e3:.0f} ms beside {many} recalls, {usual * 1e3:.0f} ms without"
        print(f"{clinic.database.dialect}: {told}")
        assert slow < 2 * usual, told
    record_property("recalls", many)


def test_a_batch_of_them_ends_for_whoever_waits_and_for_what_has_just_happened(
    sqlite_clinic: Clinic, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = sqlite_clinic.database
    come_due(sqlite_clinic, clock, 6)
    nudged, plain = threading.Event(), dispatch.fire

    def fire(*given: Any) -> bool:
        nudged.set()
        return plain(*given)

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "fire", fire)
        assert drain(database, until_idle=False, nudged=nudged) == 1
    with monkeypatch.context() as patch:
        patch.setattr(database, "is_waited_for", lambda: True)
        assert drain(database, until_idle=False) == 1
    assert drain(database, until_idle=False) == 4
    assert count(sqlite_clinic, RECALLED) == 6
