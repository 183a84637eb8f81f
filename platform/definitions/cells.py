"""A spreadsheet's cells: choices by code or label, yes and no as people write them.

The words for yes and no stand in cells.json.
"""

import json
import re
from importlib.resources import files

from .faults import Fault
from .field_text import clean
from .options import Choices, folded

WORDS = json.loads((files(__package__) / "cells.json").read_text("utf-8"))
YES = frozenset(folded(word) for word in WORDS["yes"])
NO = frozenset(folded(word) for word in WORDS["no"])
LIST_BREAK = re.compile(r"[;；|\n]")
FINE_BREAK = re.compile(r"[;；|\n、,，]")  # a label may itself hold one of the last three


def bring_yesno(cell: object) -> bool:
    word = folded(str(cell))
    if word in YES or word == "1.0":
        return True
    if word in NO or word == "0.0":
        return False
    raise Fault("E_YESNO")


def yesno_label(value: bool, language: str) -> str:
    labels = WORDS["labels"]["yes" if value else "no"]
    return str(labels.get(language, labels["en"]))


def bring_choice(cell: object, choices: Choices | None) -> str:
    return _found(_as_text(cell), choices)


def _as_text(cell: object) -> str:
    whole = isinstance(cell, float) and cell.is_integer()
    return clean(format(cell, ".0f") if whole else str(cell), lines=True)


def _found(text: str, choices: Choices | None) -> str:
    if choices is None:
        return text
    key = choices.find(text)
    if key is None:
        raise Fault("E_OPTION", value=text[:80], nearest=choices.nearest(text[:80]))
    return key


def bring_choices(cell: object, choices: Choices | None) -> list[str]:
    """Several choices in one cell, each once, whatever the separator."""
    text = _as_text(cell)
    if choices is not None and (whole := choices.find(text)) is not None:
        return [whole]
    keys: list[str] = []
    for part in _parts(text, LIST_BREAK):
        known = choices.find(part) if choices is not None else None
        keys += [known] if known else [_found(one, choices) for one in _parts(part, FINE_BREAK)]
    return list(dict.fromkeys(keys))


def _parts(text: str, breaks: re.Pattern[str]) -> list[str]:
    return [part.strip() for part in breaks.split(text) if part.strip()]


def bring_reference(cell: object, choices: Choices | None) -> str:
    """The id behind a code, login, title or label; without choices the cell must be an id."""
    text = _as_text(cell)
    if choices is None:
        if text.isascii() and text.isdigit():
            return text
        raise Fault("E_REFERENCE")
    key = choices.find(text)
    if key is None:
        raise Fault("E_NO_SUCH", value=text[:80], nearest=choices.nearest(text[:80]))
    return key
