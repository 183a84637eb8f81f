"""What other rooms show beside a record: its runs, its tasks. They put themselves in here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...platform.records.record import Record
from .show import Reader


@dataclass(frozen=True)
class Aside:
    """One line beside a record. state, colour: a badge; group: `runs`, `tasks`, `prints`,
    or `events` (words: what is posted to the url as `event`)."""

    group: str
    title: str
    words: str
    url: str
    state: str
    colour: str = ""


#: (reader, record) -> what the reader may see of what a room knows about the record
Tell = Callable[[Reader, Record], list[Aside]]
ASIDES: list[Tell] = []


def asides(reader: Reader, record: Record) -> list[Aside]:
    """Everything the other rooms have to say."""
    return [each for tell in ASIDES for each in tell(reader, record)]
