"""The power goes while SQLite writes: of its log all that was told to be on the disk is there, and
of what came after it some part, or rubbish. What was acknowledged stands; nothing stands half.
"""

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kills.longer import seed, times
from sqlalchemy import text

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, sound

LEADS = 8


def test_what_was_acknowledged_outlives_the_power(
    sqlite_clinic: Clinic,
    clock: TurnedClock,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    clinic, told = sqlite_clinic, list[tuple[int, int]]()
    log = clinic.database.home / "careloom.db-wal"
    with clinic.database.read() as held:  # so that the log is not begun anew meanwhile
        assert held.execute(text("SELECT count(*) FROM form_lead")).scalar_one() == 0
        for number in range(LEADS):
            lead = clinic.started(f"客户{number}")
            told.append((log.stat().st_size, lead))
        whole = log.stat().st_size
        chance, cuts = random.Random(shown := seed()), times("POINTS") * 2
        for number in range(min(cuts, 200)):
            at = chance.randrange(told[0][0], whole + 1)
            rubbish = chance.randbytes(min(whole - at, 8192)) if number % 2 else b""
            home = tmp_path / str(number)
            powerless(clinic.database.home, home, at, rubbish)
            there = restarted(clinic, home, clock)
            promised = {lead for size, lead in told if size <= at}
            assert promised <= there, f"byte {at} of {whole}, seed {shown}"
            shutil.rmtree(home)
    record_property("cuts", min(cuts, 200))


def powerless(home: Path, copy: Path, at: int, rubbish: bytes) -> None:
    """The folder as a disk has it on which the log ends there, or goes on with rubbish."""
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("*-shm"))
    with (copy / "careloom.db-wal").open("r+b") as file:
        file.truncate(at)
        file.seek(0, os.SEEK_END)
        file.write(rubbish)


def restarted(clinic: Clinic, home: Path, clock: TurnedClock) -> set[int]:
    """The leads that are there once it works again, whole."""
    database = open_database(f"sqlite:///{home / 'careloom.db'}", home, clock)
    try:
        with database.read() as session:
            assert session.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
            there = set(session.scalars(text("SELECT _id FROM form_lead")))
        again = replace(clinic, database=database)
        assert sound(again)
        there.add(again.started("客户"))
        work_once(database)
        assert sound(again)
    finally:
        database.close()
    return there
