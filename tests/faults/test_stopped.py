"""A process that stands still in the middle of a write, as under SIGSTOP or a debugger: others are
not held up for ever, and when it goes on it writes nothing that has been done meanwhile."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kills.deeds import Place, stand_still
from kills.nursery import Child, born
from sqlalchemy import text

from careloom.platform.store import writer_lock
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Unavailable
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, sound

pytestmark = pytest.mark.timeout(300)
LEADS = 3
POINT = ("write", 3)  # after its lease of ids, within one of its first batches
STANDS = 2.0  # seconds: twice what PostgreSQL gives who is stopped here


@contextmanager
def stopped(clinic: Clinic, clock: TurnedClock, log: Path) -> Iterator[Child]:
    """A worker that stands still in the middle of starting the flows of some new leads."""
    for number in range(LEADS):
        clinic.lead(f"客户{number}")
    place = Place(clinic.database.url, clinic.database.home, clock.now())
    child = born(stand_still, place, "work", {}, *POINT, environment={}, printed=log)
    try:
        until = time.monotonic() + 60
        while not _stands_still(child):
            assert child.runs() and time.monotonic() < until, child.words()
            time.sleep(0.01)
        yield child
    finally:
        child.kill()


def _stands_still(child: Child) -> bool:
    state = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


def test_what_a_stopped_worker_had_begun_is_done_once_by_another(
    clinic: Clinic, clock: TurnedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL undoes its transaction; of SQLite, which has one writer, the others are told."""
    work_once(clinic.database)
    with stopped(clinic, clock, tmp_path / "log") as child:
        if clinic.database.dialect == "sqlite":
            _are_told(clinic, monkeypatch)
        else:
            time.sleep(STANDS)
            work_once(clinic.database)
            assert _instances(clinic) == LEADS
        before = _rows(clinic)
        child.send(signal.SIGCONT)
        assert child.ended(60) == 0, child.words()
        if clinic.database.dialect == "postgresql":
            assert _rows(clinic) == before, "the woken one wrote"
    work_once(clinic.database)
    assert _instances(clinic) == LEADS
    assert sound(clinic)


def test_what_a_stopped_worker_had_begun_is_undone_when_it_is_killed(
    sqlite_clinic: Clinic, clock: TurnedClock, tmp_path: Path
) -> None:
    clinic = sqlite_clinic
    work_once(clinic.database)
    with stopped(clinic, clock, tmp_path / "log") as child:
        assert _instances(clinic) < LEADS
        child.kill()
    work_once(clinic.database)
    assert _instances(clinic) == LEADS
    assert sound(clinic)


def _are_told(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(writer_lock, "PATIENCE_SECONDS", 0.5)
        since = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            clinic.lead("客户")
        assert refused.value.code == "E_WRITER_HELD"
        assert time.monotonic() - since < 10
    assert _instances(clinic) < LEADS, "reading goes on"


def _instances(clinic: Clinic) -> int:
    with clinic.database.read() as session:
        query = "SELECT count(*), count(DISTINCT subject_id) FROM instance"
        found, subjects = session.execute(text(query)).one()
    assert found == subjects, "a flow was begun twice for one lead"
    return int(found)


def _rows(clinic: Clinic) -> dict[str, int]:
    """How many there are of what a worker writes."""
    tables = (
        "instance",
        "task",
        "task_actor",
        "timer",
        "event",
        "handoff",
        "step_taken",
        "incident",
    )
    with clinic.database.read() as session:
        return {
            table: int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
            for table in tables
        }
