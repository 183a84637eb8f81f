"""The words of the interface, in each language, and the labels of definitions.

`templates/words/<language>/*.json` (and `<language>.json`) are flat: key to sentence. Each room
keeps its own file; a key in two files is an error.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..store.errors import Phrase

LANGUAGES = ("zh-CN", "en")
ROOT = Path(__file__).parents[2] / "templates" / "words"
_GAP = re.compile(r"\{(\w+)\}")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All words of one language. Raises ValueError for a key in two files."""
    words: dict[str, str] = {}
    single = ROOT / f"{language}.json"
    for path in [*([single] if single.exists() else []), *sorted((ROOT / language).glob("*.json"))]:
        for key, sentence in json.loads(path.read_text("utf-8")).items():
            if key in words:
                raise ValueError(f"{path}: {key} stands in another file too")
            words[key] = sentence
    return words


def knows(language: str, key: str) -> bool:
    """Whether the catalogue has words for a key."""
    return key in catalogue(language)


def say(language: str, key: str, /, **params: Any) -> str:
    """The sentence for a key, its gaps filled. A key without words is shown as it is.

    A parameter that is a label in two languages is said in the one asked for, a phrase in its own
    words, a tuple one after another.
    """
    sentence = catalogue(language).get(key)
    if sentence is None:
        sentence = next((catalogue(other)[key] for other in LANGUAGES if knows(other, key)), key)

    def fill(gap: re.Match[str]) -> str:
        name = gap[1]
        return _said(language, params[name]) if name in params else gap[0]

    return _GAP.sub(fill, sentence)


def say_or(language: str, key: str, otherwise: str) -> str:
    """The sentence for a key where the catalogue has one: of what a clinic may add to."""
    return say(language, key) if knows(language, key) else otherwise


def phrase(language: str, part: Phrase) -> str:
    """A phrase in the language."""
    return say(language, part.key, **part.params)


def _said(language: str, value: Any) -> str:
    if isinstance(value, Phrase):
        return phrase(language, value)
    if isinstance(value, tuple):
        return say(language, "page.comma").join(_said(language, each) for each in value)
    return text(value, language)


def text(value: Any, language: str) -> str:
    """A definition's label: text, or `{"zh-CN": …, "en": …}` in the language or the other."""
    if isinstance(value, Mapping):
        for tongue in (language, *LANGUAGES):
            if value.get(tongue):
                return str(value[tongue])
        return ""
    return "" if value is None else str(value)
