"""SECURITY.md says what the code has."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from careloom.platform.identity import passwords
from careloom.platform.store.file_kinds import KINDS

PAGE = (Path(__file__).parents[1] / "SECURITY.md").read_text(encoding="utf-8")
LIMITS = re.findall(r"^\| (.+?) \| ([0-9,]+) \| `(.+?)\.py` `([A-Z_]+)` \|$", PAGE, re.MULTILINE)


def test_there_are_limits_to_compare() -> None:
    section = PAGE.split("## Limits", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    assert len(LIMITS) == len(rows) - 1 >= 20, "but for the heading, each row is read"


@pytest.mark.parametrize(("what", "number", "place", "name"), LIMITS)
def test_a_limit_is_what_the_code_has(what: str, number: str, place: str, name: str) -> None:
    module = import_module("careloom." + place.replace("/", "."))
    assert getattr(module, name) == int(number.replace(",", "")), what


def test_the_kinds_of_files_are_those_that_are_taken_in() -> None:
    section = PAGE.split("## Files", 1)[1].split("\n## ", 1)[0]
    told = re.findall(r"^\| (`\..+?) \| `(.+?)` \|$", section, re.MULTILINE)
    kinds = [(" ".join(f"`{ending}`" for ending in kind.endings), kind.type) for kind in KINDS]
    assert told == kinds


@pytest.mark.usefixtures("slow_hashing")
def test_passwords_are_hashed_as_it_says() -> None:
    found = re.search(r"argon2id, (\d+) MiB, (\d+) passes", PAGE)
    assert found is not None
    memory, passes = int(found[1]) * 1024, int(found[2])
    kept = passwords.hashed("an unlikely one 7")
    assert kept.startswith(f"$argon2id$v=19$m={memory},t={passes},")
