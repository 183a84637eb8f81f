"""What `parts/problems.html` and `parts/trail.html` are given, by pages of every area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """One line of the summary above a form that was refused. key, title: of the field it leads to;
    empty where it is about none."""

    words: str
    key: str = ""
    title: str = ""


@dataclass(frozen=True)
class Change:
    """A field's value before and after, in words; empty for blank."""

    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """One line of a trail. detail: who, and about what; url: where that is; state: empty, `open` or
    `bad`; changes: what became of each field."""

    words: str
    at: str
    detail: str = ""
    url: str = ""
    state: str = ""
    changes: Sequence[Change] = ()
