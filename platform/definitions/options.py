"""The options of a choice: codes with labels, found by code or by a label in either language."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Protocol

Text = str | Mapping[str, str]

NEAREST_OF = 500  # more labels than this are not compared one by one


class Choices(Protocol):
    """What may be chosen: a list's items, the units of an organisation, another form's records."""

    def has(self, key: str) -> bool: ...

    def find(self, text: str) -> str | None:
        """The key whose code or label this is, or None; None also when two labels match."""

    def nearest(self, text: str) -> str:
        """The label most like this text; "" when there is none to offer."""

    def label(self, key: str, language: str) -> str: ...


def folded(text: str) -> str:
    """For comparing labels: width, case and blanks do not matter."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def in_language(text: Text, language: str) -> str:
    """A definition's text in a language, else in any it has."""
    if isinstance(text, str):
        return text
    return text.get(language) or next(iter(text.values()), "")


@dataclass
class Options:
    """Choices held in memory, in the order they are shown."""

    titles: dict[str, Text]
    aliases: dict[str, Sequence[str]] = field(default_factory=dict)
    _found: dict[str, str | None] | None = None

    @classmethod
    def of_items(cls, items: Sequence[Mapping[str, Any]]) -> "Options":
        """From a definition's items: `[{"key", "title"}]`."""
        return cls({item["key"]: item["title"] for item in items})

    def has(self, key: str) -> bool:
        return key in self.titles

    def find(self, text: str) -> str | None:
        if text in self.titles:
            return text
        if self._found is None:
            self._found = self._by_label()
        return self._found.get(folded(text))

    def _by_label(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for key in self.titles:
            found[folded(key)] = None if folded(key) in found else key
        for key, label in self._labels():
            if found.setdefault(folded(label), key) != key:
                found[folded(label)] = None
        return found

    def _labels(self) -> list[tuple[str, str]]:
        pairs = []
        for key, title in self.titles.items():
            labels = [title] if isinstance(title, str) else list(title.values())
            pairs += [(key, label) for label in (*labels, *self.aliases.get(key, ()))]
        return pairs

    def nearest(self, text: str) -> str:
        wanted, best, score = folded(text), "", -1.0
        for _, label in self._labels()[:NEAREST_OF]:
            likeness = SequenceMatcher(None, wanted, folded(label)).ratio()
            if likeness > score:
                best, score = label, likeness
        return best

    def label(self, key: str, language: str) -> str:
        title = self.titles.get(key)
        return key if title is None else in_language(title, language)
