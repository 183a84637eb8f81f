"""Twenty processes that write into one SQLite file at once: each has its turn, and none is
refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kills.acknowledged import Acknowledged
from kills.deeds import Place, write_leads
from kills.longer import times
from kills.nursery import born
from sqlalchemy import text

from careloom.platform.store.clock import TurnedClock
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, sound

pytestmark = pytest.mark.timeout(3600)
WRITERS = 20
LONGEST = 15  # seconds, of one write, on a machine that has much else to do


def test_twenty_processes_write_and_none_of_them_is_refused(
    sqlite_clinic: Clinic,
    clock: TurnedClock,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    clinic, leads = sqlite_clinic, times("WRITES")
    place = Place(clinic.database.url, clinic.database.home, clock.now())
    children = [
        born(
            write_leads,
            place,
            clinic.people["sue"],
            f"客户{number}",
            leads,
            environment={},
            printed=tmp_path / f"{number}.log",
        )
        for number in range(WRITERS)
    ]
    told, longest = Acknowledged(), 0.0
    for child in children:
        assert child.ended(600) == 0, child.words()
        told.read(child.words())
        longest = max(longest, float(child.words().rsplit("longest ", 1)[1]))
    assert longest < LONGEST
    assert len(told.leads) == WRITERS * leads
    with clinic.database.read() as session:
        assert set(session.scalars(text("SELECT _id FROM form_lead"))) == told.leads
    work_once(clinic.database)
    assert sound(clinic)
    record_property("longest wait", longest)
