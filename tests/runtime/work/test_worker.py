"""The worker: woken by a commit, looking by itself, losing nothing when nobody wakes it."""

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from careloom.platform.events import log
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.runtime.flows.model import Instance
from careloom.runtime.tasks.model import Task
from careloom.runtime.work.dispatch import drain
from careloom.runtime.work.waiting import anything_due, anything_unsealed
from careloom.runtime.work.worker import Worker, start_worker, work_once

from ..clinic import Clinic, listed, rows, soon, sound


def test_a_commit_wakes_the_worker(sqlite_clinic: Clinic) -> None:
    stop = start_worker(sqlite_clinic.database)
    try:
        sqlite_clinic.lead()
        assert soon(lambda: bool(listed(sqlite_clinic, "ann")))
    finally:
        stop()
    assert log.wake == []


def test_a_worker_that_nobody_wakes_looks_by_itself(
    clinic: Clinic, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill between a commit and its nudge."""
    clinic.lead("before it started")
    worker = Worker(clinic.database)
    monkeypatch.setattr(worker, "nudge", lambda: None)
    worker.start()
    try:
        assert soon(lambda: len(rows(clinic, Instance)) == 1)
        clinic.lead("while it runs")
        assert soon(lambda: len(rows(clinic, Instance)) == 2)
        clock.turn(timedelta(minutes=16))
        assert soon(lambda: all(task.escalated_at for task in rows(clinic, Task)))
    finally:
        worker.stop()
    assert sound(clinic)


def test_idling_asks_and_writes_nothing(sqlite_clinic: Clinic) -> None:
    sqlite_clinic.started()
    work_once(sqlite_clinic.database)
    with sqlite_clinic.database.read() as session:
        assert not anything_due(session)
        assert not anything_unsealed(session)
    assert work_once(sqlite_clinic.database) == 0


def test_a_worker_outlives_trouble(sqlite_clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def trouble(database: Database, **given: Any) -> int:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("no space left")
        return drain(database, **given)

    monkeypatch.setattr("careloom.runtime.work.worker.drain", trouble)
    sqlite_clinic.lead()
    stop = start_worker(sqlite_clinic.database)
    try:
        assert soon(lambda: bool(listed(sqlite_clinic, "ann")))
    finally:
        stop()
    assert len(calls) > 1


KILLED = """
import os, sys
from pathlib import Path
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database
from careloom.platform.web.app import create_app
from careloom.platform.events import log
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import submit
from datetime import datetime, UTC
url, home, unit = sys.argv[1:]
database = open_database(url, Path(home), TurnedClock(datetime(2026, 3, 3, 2, 0, tzinfo=UTC)))
create_app(database)
log.wake.append(lambda: os._exit(9))
values = {"name": "killed", "status": "new", "clinic": unit}
database.write(lambda session: submit(session, SYSTEM, "lead", values))
"""


def test_a_kill_between_the_commit_and_the_nudge_loses_nothing(clinic: Clinic) -> None:
    database, unit = clinic.database, str(clinic.units["one"])
    command = [sys.executable, "-c", KILLED, database.url, str(database.home), unit]
    assert subprocess.run(command, check=False).returncode == 9
    drain(database)
    assert [task.label for task in listed(clinic, "ann")] == ["killed"]
    assert sound(clinic)
