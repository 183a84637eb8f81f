"""The README's table of threats and the one of the ASVS: every test that they name exists."""

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


ASVS = (TESTS / "proof" / "ASVS.md").read_text("utf-8")
KEPT = re.compile(r"^\| (V[V\d. ]+) \| [^|]+ \| (yes|partly|no|–) \| (.*) \|$", re.M)


def test_each_requirement_of_the_asvs_stands_once_and_says_how_far_it_is_kept() -> None:
    rows = KEPT.findall(ASVS)
    ids = [each for numbers, _, _ in rows for each in numbers.split()]
    assert len(ids) > 120 and len(set(ids)) == len(ids)
    assert all(said.strip() for _, _, said in rows), "a test, or what is to be said instead"
    counts = {word: 0 for word in ("yes", "partly", "no", "–")}
    for numbers, kept, _ in rows:
        counts[kept] += len(numbers.split())
    told = [int(number) for number in re.findall(r"\b\d+\b", ASVS.partition("\nOf ")[2])[:5]]
    assert told == [len(ids), *counts.values()]


@pytest.mark.parametrize("numbers, cell", [(row[0], row[2]) for row in KEPT.findall(ASVS)])
def test_every_test_that_the_asvs_names_exists(numbers: str, cell: str) -> None:
    for file, names in FILE.findall(cell):
        text = (TESTS / file).read_text("utf-8")
        for name in re.findall(r"`(\w+)`", names):
            assert f"def {name}(" in text, f"{numbers}: {file} has no {name}"
