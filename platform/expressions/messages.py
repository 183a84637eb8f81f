"""Errors in words. The words stand in templates/words/<language>/expressions.json.

Types among an error's parameters are given in both languages at once, as labels of definitions
are, so whoever shows the error needs no knowledge of types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh-CN", "en")
FOLDER = Path(__file__).parents[2] / "templates" / "words"


@cache
def words(language: str) -> Mapping[str, str]:
    """This room's catalogue in one language."""
    found: dict[str, str] = json.loads((FOLDER / language / "expressions.json").read_text("utf-8"))
    return found


@cache
def type_words(name: str) -> dict[str, str]:
    """A type's name, or several parted by " / ", as a label in every language."""
    return {language: _type(name, language) for language in LANGUAGES}


def _type(name: str, language: str) -> str:
    known = words(language)
    if " / " in name:
        sign = f" {known['type.or']} " if language == "en" else known["type.or"]
        return sign.join(_type(part, language) for part in name.split(" / "))
    if name.startswith("list of "):
        item = known.get(f"type.{name[8:]}", name[8:])
        return known["type.list_of"].format(item=re.sub("^an? ", "", item))
    return known.get(f"type.{name}", name)


def sentence(code: str, params: Mapping[str, Any], language: str) -> str:
    """An error's (or, with a code of `errors.WARNINGS`, a warning's) sentence."""
    known = words(language)
    text = known.get(f"problem.{code}") or known.get(f"warning.{code}") or code

    def fill(gap: re.Match[str]) -> str:
        value = params.get(gap[1], gap[0])
        return str(value.get(language, "")) if isinstance(value, Mapping) else str(value)

    return re.sub(r"\{(\w+)\}", fill, text)
