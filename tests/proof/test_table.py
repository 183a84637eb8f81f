"""The README's table of threats: every row has tests, and every test that it names exists."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
ROWS = [f"T{n:02d}" for n in range(1, 81)]
NOT_HERE = re.compile(r"\| (T\d\d) \| [^|]+ \| not here: (.+) \|")
ROW = re.compile(r"\| (T\d\d) \| [^|]+ \| (.+) \|")
FILE = re.compile(r"`([\w/]+\.py)`: ((?:`\w+`(?:, )?)+)")


def table() -> dict[str, dict[str, list[str]]]:
    """Row -> file -> the names of its tests."""
    text = (TESTS / "proof" / "README.md").read_text("utf-8")
    return {
        row: {file: re.findall(r"`(\w+)`", names) for file, names in FILE.findall(cell)}
        for row, cell in ROW.findall(text)
    }


def not_here() -> dict[str, str]:
    """Rows about what is not here (yet), and why."""
    return dict(NOT_HERE.findall((TESTS / "proof" / "README.md").read_text("utf-8")))


def test_no_row_is_left_out() -> None:
    assert list(table()) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_every_test_that_is_named_exists(row: str) -> None:
    named = table()[row]
    assert named or row in not_here(), "there are tests, or a reason why there is nothing to test"
    for file, names in named.items():
        tree = ast.parse((TESTS / file).read_text("utf-8"))
        there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert not set(names) - there, f"{file}: {sorted(set(names) - there)}"
