"""The clinic's own words, which whoever guesses a password tries first: its units' names and codes,
and the address where it is served."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from ..store.kept import kept
from .tree import tree

PRODUCT = "careloom"
SHORTEST = 4  # letters that are a word; of Chinese half as many
_PARTS = re.compile(r"[^\W\d_]+")


def own_words(session: Session, address: str) -> frozenset[str]:
    """The words, folded and without anything but letters. address: where people open Careloom."""
    titles = kept(session, "own words", lambda: frozenset(_of_units(session)))
    return titles | {PRODUCT} | set(_words_of(urlsplit(address).hostname or ""))


def _of_units(session: Session) -> Iterator[str]:
    for place in tree(session).places.values():
        titles = place.title.values() if isinstance(place.title, dict) else [place.title]
        for title in (*titles, place.code):
            yield from _words_of(str(title))


def _words_of(text: str) -> Iterator[str]:
    """A name whole, and each word of it."""
    parts = _PARTS.findall(unicodedata.normalize("NFKC", text).casefold())
    for word in {"".join(parts), *parts}:
        if _is_word(word):
            yield word


def _is_word(letters: str) -> bool:
    return len(letters) >= (SHORTEST if letters.isascii() else SHORTEST // 2)


def is_made_of(text: str, words: frozenset[str]) -> bool:
    """Whether a password is such words, or a part of one, with only digits and marks besides.

    text: folded.
    """
    letters = "".join(_PARTS.findall(text))
    if _is_word(letters) and any(letters in word for word in words):
        return True
    rest = letters
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "\0")
    return bool(letters) and not rest.replace("\0", "")
