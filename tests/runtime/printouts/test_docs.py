"""The reference in runtime/PRINTOUTS.md is what the schema says, and every code has its words."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from careloom.platform.web.words import LANGUAGES, knows

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "platform/definitions/schemas/printout.json").read_text("utf-8"))
PAGE = (ROOT / "runtime/PRINTOUTS.md").read_text("utf-8")
#: told once for every block
OF_ALL = ("key", "kind", "when", "format")


def kind(part: dict[str, Any]) -> str:
    """A property's kind in a word or two."""
    if "$ref" in part:
        return str(part["$ref"]).removeprefix("#/$defs/")
    if "enum" in part:
        return " ".join(f"`{each}`" for each in part["enum"])
    if part.get("type") == "array":
        items = part["items"]
        inner = f"{{{', '.join(items['properties'])}}}" if "properties" in items else kind(items)
        return f"[{inner} …]"
    if "minimum" in part:
        return f"{part['minimum']}–{part['maximum']}"
    return str(part["type"])


def rows(part: dict[str, Any]) -> Iterator[str]:
    """A line for each property; what has to be given is bold."""
    for name, its in part["properties"].items():
        if name not in OF_ALL or (part is SCHEMA and name != "format"):
            needed = "**" if name in part.get("required", ()) else ""
            yield f"| {needed}`{name}`{needed} | {kind(its)} | {its.get('description', '')} |"


def reference() -> str:
    """The tables as the page holds them."""
    lines = ["| of a printout | kind | what |", "|---|---|---|", *rows(SCHEMA)]
    for way in SCHEMA["$defs"]["block"]["allOf"]:
        name = way["if"]["properties"]["kind"]["const"]
        part = SCHEMA["$defs"][way["then"]["$ref"].rpartition("/")[2]]
        told = list(rows(part))
        if told:
            lines += ["", f"| `{name}` | kind | what |", "|---|---|---|", *told]
        entry = part["properties"].get("fields", part["properties"].get("lines"))
        if entry:
            word = "field" if name == "fields" else "line"
            lines += ["", f"| of a {word} | kind | what |", "|---|---|---|", *rows(entry["items"])]
    return "\n".join(lines)


def test_the_reference_is_the_schemas() -> None:
    assert reference() in PAGE, reference()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_its_words(language: str) -> None:
    codes: set[str] = set()
    for room in ("runtime/printouts", "platform/paper"):
        for path in (ROOT / room).glob("*.py"):
            codes |= set(re.findall(r'"(E_[A-Z_]+)"', path.read_text("utf-8")))
    assert {code for code in codes if not knows(language, f"problem.{code}")} == set()
    assert all(knows(language, f"print.in.{each}") for each in LANGUAGES)


def test_the_page_says_what_the_child_may_use() -> None:
    from careloom.platform.paper.pdf import AT_ONCE, LIMITS, MEGABYTE, MOST_SECONDS

    told = f"{LIMITS['AS'] // MEGABYTE} MB of memory, {LIMITS['CPU']} s of the processor"
    assert told in PAGE and f"{MOST_SECONDS:.0f} s in all" in PAGE
    assert f"{LIMITS['FSIZE'] // MEGABYTE} MB of PDF" in PAGE and f"{AT_ONCE} at once" in PAGE
