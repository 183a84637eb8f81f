"""A soak goes on where it was, fits into its time, and counts nothing that failed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from soak import __main__ as soaking
from soak.__main__ import Soak, shorten
from soak.ledger import Ledger, Run
from soak.parts import PARTS, Part

FIRST, SECOND = PARTS[0], PARTS[1]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int, int]]]:
    """What would have been run; the third of it fails."""
    runs: list[tuple[str, int, int]] = []

    def run(soak: Soak, part: Part, many: int, seed: int) -> Run:
        runs.append((part.name, many, seed))
        return Run(soak.ledger.sources, part.name, many, seed, len(runs) != 3, many, 10.0)

    monkeypatch.setattr(Soak, "_run", run)
    yield runs


def begun(folder: Path, many: int) -> Soak:
    return Soak(Ledger(folder), {part.name: many if part is FIRST else 0 for part in PARTS})


def test_it_goes_on_where_it_was_and_plays_what_failed_again(
    played: list[tuple[str, int, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soak = begun(tmp_path, 900)
    soak.play(FIRST, seed=7)
    assert played == [(FIRST.name, 200, 7), (FIRST.name, 200, 8), (FIRST.name, 200, 9)]
    assert len(soak.failed) == 1 and soak.left(FIRST) == 500

    again = begun(tmp_path, 900)
    again.play(FIRST, seed=7)
    assert played[3:] == [(FIRST.name, 200, 9), (FIRST.name, 200, 10), (FIRST.name, 100, 11)]
    assert again.left(FIRST) == 0 and again.failed == []
    assert again.table().splitlines()[1].split()[2:] == ["900", "900", "900", "50", "0.1"]

    monkeypatch.setattr("soak.ledger.sources", lambda: "others")
    assert begun(tmp_path, 900).left(FIRST) == 900, "of other sources nothing is known"


def test_a_bounded_one_plays_a_share_of_each_part(tmp_path: Path) -> None:
    wanted = {part.name: 100 if part in (FIRST, SECOND) else 0 for part in PARTS}
    soak = Soak(Ledger(tmp_path), wanted)
    shorten(soak, soak.seconds() / 4)
    assert [soak.left(part) for part in (FIRST, SECOND)] == [25, 25]
    shorten(soak, 0)
    assert [soak.left(part) for part in (FIRST, SECOND)] == [1, 1], "one of each at least"
    soak.play(FIRST, seed=1)
    assert soak.ledger.runs == [], "time is over"


def test_a_run_that_counts_nothing_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended:
        returncode = 0

    monkeypatch.setattr(soaking.subprocess, "run", lambda *_words, **_given: Ended())
    soak = begun(tmp_path, 1)
    soak.play(FIRST, seed=1)
    assert len(soak.failed) == 1 and soak.left(FIRST) == 1


def test_every_part_plays_what_there_is() -> None:
    for part in PARTS:
        for word in part.words:
            assert not word.startswith("tests/") or Path(word).is_file(), word
