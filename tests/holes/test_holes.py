"""The short form of `make holes`: some of the holes, others each day; and the table itself."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holes.table import HOLES
from holes.tree import ROOT

TESTS = Path(__file__).parents[1]
FEWEST = 30
TRIED = 4  # of each half, in one run of the gate


def test_every_defence_stands_where_the_table_says() -> None:
    assert len(HOLES) >= FEWEST
    assert len({hole.name for hole in HOLES}) == len(HOLES)
    for hole in HOLES:
        source = (ROOT / hole.file).read_text("utf-8")
        cut = hole.cut(source)  # raises Moved
        if hole.file.endswith(".py"):
            ast.parse(cut)


def test_every_test_that_is_named_exists() -> None:
    for hole in HOLES:
        for test in hole.tests:
            file, _, name = test.partition("::")
            text = (TESTS / file).read_text("utf-8")
            assert not name or re.search(rf"^def {name.partition('[')[0]}\(", text, re.M), test


@pytest.mark.timeout(600)
@pytest.mark.parametrize("half", ["1/2", "2/2"])
def test_a_hole_is_noticed(half: str, record_property: Any) -> None:
    """Which ones are tried, the day says; `make holes` tries all."""
    asked = ["--short", f"--part={half}", f"--some={TRIED}"]
    paths = [str(TESTS), str(TESTS / "data"), str(TESTS / "journeys")]
    done = subprocess.run(
        [sys.executable, "-m", "holes", *asked],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    record_property("holes", done.stdout.count("\ncaught"))
