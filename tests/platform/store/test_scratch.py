"""What a killed process left in a folder that was to be thrown away is removed; nothing else is."""

import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest

from careloom.platform.store.scratch import DAY, scratch, sweep_scratch


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary things of this test alone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left(machine: Path, name: str, ago: timedelta = DAY + timedelta(hours=1)) -> Path:
    """A folder with somebody's data, as old as that."""
    folder = machine / name
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "careloom.db").write_text("Zhou")
    at = time.time() - ago.total_seconds()
    os.utime(folder, (at, at))
    return folder


def test_a_folder_is_nobody_elses_and_gone_afterwards(machine: Path) -> None:
    with scratch("rehearsal") as folder:
        assert folder.parent == machine and folder.stat().st_mode & 0o077 == 0
        (folder / "careloom.db").write_text("Zhou")
    assert list(machine.iterdir()) == []


def test_what_was_left_for_a_day_is_removed(machine: Path) -> None:
    for name in ("careloom-rehearsal-ab12_3cd", "careloom-stories-x", "careloom-export-x"):
        left(machine, name)
    young = left(machine, "careloom-rehearsal-young", DAY - timedelta(hours=1))
    others = left(machine, "careloom-elsewhere-x"), left(machine, "my-careloom-export-x")
    with scratch("export") as folder:
        assert sweep_scratch() == 3
        assert set(machine.iterdir()) == {young, *others, folder}
    assert (young / "inner" / "careloom.db").exists()


def test_what_only_bears_such_a_name_is_left_alone(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = left(machine, "mine")
    (machine / "careloom-export-link").symlink_to(mine)
    (machine / "careloom-export-file").write_text("")
    os.utime(machine / "careloom-export-file", (0, 0))
    assert sweep_scratch() == 0 and (mine / "inner").exists()
    theirs = left(machine, "careloom-export-theirs")
    monkeypatch.setattr(os, "geteuid", lambda: theirs.stat().st_uid + 1)
    assert sweep_scratch() == 0 and (theirs / "inner").exists()
