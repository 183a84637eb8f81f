"""The reference in blueprints/README.md is what the schema of stories says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "platform/definitions/schemas/story.json").read_text("utf-8"))
README = (ROOT / "blueprints/README.md").read_text("utf-8")


def kind(part: dict[str, Any]) -> str:
    """A property's kind in a word or two."""
    if "$ref" in part:
        return str(part["$ref"]).removeprefix("#/$defs/")
    if "enum" in part:
        return " \\| ".join(f"`{each}`" for each in part["enum"])
    if "oneOf" in part:
        return " or ".join(kind(each) for each in part["oneOf"])
    if part.get("type") == "array":
        return f"[{kind(part['items'])} …]"
    named = part.get("type", "")
    return " or ".join(named) if isinstance(named, list) else str(named)


def rows(part: dict[str, Any]) -> Iterator[str]:
    """A line for each property but the key."""
    for name, its in part["properties"].items():
        if name not in ("key", "format"):
            needed = "**" if name in part.get("required", ()) else ""
            told = its.get("description", "")
            yield f"| {needed}`{name}`{needed} | {kind(its)} | {told} |"


def reference() -> str:
    """The tables as the README holds them; what has to be given is bold."""
    lines = ["| of a story | kind | what |", "|---|---|---|", *rows(SCHEMA)]
    parts = SCHEMA["$defs"]
    lines += ["", "| of a scene | kind | what |", "|---|---|---|", *rows(parts["scene"])]
    for head, begin in (("Deeds", "deed_"), ("Expectations", "expect_")):
        for name, part in parts.items():
            if name.startswith(begin):
                verb = name.removeprefix(begin)
                lines += ["", f"**{verb}** ({head.lower()[:-1]}): {part['description']}.", ""]
                lines += ["| with | kind | what |", "|---|---|---|", *rows(part)]
    return "\n".join(lines)


def test_the_reference_is_the_schemas() -> None:
    assert reference() in README
