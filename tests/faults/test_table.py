"""The README's table of faults: each has tests that exist, or a reason why there is none."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
ROWS = [f"F{number:02d}" for number in range(1, 41)]
ROW = re.compile(r"^\| (F\d\d) \| [^|]+ \| (.+) \|$", re.MULTILINE)
FILE = re.compile(r"`([\w/]+\.py)`: ((?:`\w+`(?:, )?)+)")
CELLS = dict(ROW.findall((TESTS / "faults" / "README.md").read_text("utf-8")))


def test_no_row_is_left_out() -> None:
    assert list(CELLS) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_every_test_that_is_named_exists(row: str) -> None:
    named = FILE.findall(CELLS[row])
    said = CELLS[row].startswith(("not here: ", "the same, "))
    assert named or said, "there are tests, or a reason why there is nothing that breaks"
    for file, names in named:
        tree = ast.parse((TESTS / file).read_text("utf-8"))
        there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        wanted = set(re.findall(r"`(\w+)`", names))
        assert not wanted - there, f"{file}: {sorted(wanted - there)}"
