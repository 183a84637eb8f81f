"""Changes of a definition in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..definitions.compare import LANGUAGES, Change, Part
from .words import knows, say, say_or, text

LONGEST = 120
INTO = " › "


def told(language: str, change: Change) -> str:
    """A change as a sentence: which part, which of its properties, from what to what."""
    thing = INTO.join(_thing(language, part) for part in change.parts)
    thing = thing or say(language, "compare.whole")
    said = {
        "thing": thing,
        "word": INTO.join(_word(language, word) for word in change.word),
        "before": _value(language, change.before, change.after),
        "after": _value(language, change.after, change.before),
    }
    if change.act == "moved":
        return _moved(language, change, said)
    if not change.word and change.act in ("added", "removed"):
        return say(language, f"compare.{change.act}", **said)
    return say(language, f"compare.word_{change.act}", **said)


def _moved(language: str, change: Change, said: dict[str, str]) -> str:
    """Within its list, or from one place to another."""
    if change.before is None and change.after is None:
        return say(language, "compare.moved", **said)
    places = {"before": change.before, "after": change.after}
    named = {
        side: say(language, "compare.top") if at is None else _value(language, at, None)
        for side, at in places.items()
    }
    return say(language, "compare.moved_to", **{**said, **named})


def _thing(language: str, part: Part) -> str:
    title = text(part.title, language) or part.key
    key = f"compare.part.{part.container}"
    return say(language, key if knows(language, key) else "compare.part", title=title)


def _word(language: str, word: str) -> str:
    return say_or(language, f"compare.word.{word}", word)


def _value(language: str, value: Any, other: Any) -> str:
    """A value, short. A label is said in the asker's language, unless it differs in another."""
    if value is None:
        return say(language, "compare.nothing")
    if isinstance(value, bool):
        return say(language, "compare.true" if value else "compare.false")
    if isinstance(value, Mapping) and value.keys() <= LANGUAGES:
        words = text(value, language)
        if words == text(other, language):
            words = " / ".join(str(value[tongue]) for tongue in sorted(value, reverse=True))
        return _cut(say(language, "compare.quoted", words=words))
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return _cut(say(language, "page.comma").join(map(str, value)))
    if isinstance(value, list | Mapping):
        return _cut(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return _cut(say(language, "compare.quoted", words=value) if value == str(value) else str(value))


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
