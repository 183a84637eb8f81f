"""What a record is found by when somebody types its name: the name itself, its pinyin, initials.

"周女士" is found by 周女, zhounv and zns. A character with several readings is found by any
of them (曾 as zeng and as ceng). Its pinyin, syllable by syllable, stands in front, so that names
are in order by this text as people look them up: 阿 before 宝 before 周, those that sound alike by
their letters.
"""

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

# The phrase book is 20 MB that names do not need: they are read character by character.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")

from pypinyin import Style, pinyin  # noqa: E402
from sqlalchemy import ColumnElement, Text, func, literal  # noqa: E402

MOST_LETTERS = 40  # of a label: the beginning of a long text is what people search by
MOST_READINGS = 8
#: surnames that are read otherwise than the same character in most other words
SURNAMES = {
    **{"曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "区": "ou"},
    **{"朴": "piao", "翟": "zhai", "盖": "ge", "缪": "miao", "乐": "yue", "覃": "qin"},
}
COLUMN = "_found_by"
#: PostgreSQL's other collations pass over spaces, and differ from one machine to the next
TYPE = Text().with_variant(Text(collation="C"), "postgresql")
ORDERED = 200  # letters by which names are put in order; the longest text has no room in an index


def in_order(column: ColumnElement[str | None]) -> ColumnElement[str | None]:
    """The beginning of what a record is found by: what an index over it, and a list, go by.

    Its bounds stand in the statement itself, for SQLite knows the index by nothing else.
    """
    begin, most = (literal(bound, literal_execute=True) for bound in (1, ORDERED))
    return func.substr(column, begin, most, type_=column.type)


def found_by(label: str | None) -> str | None:
    """The text that a search looks into, in small letters; None for a blank label."""
    if not label or not label.strip():
        return None
    plain = " ".join(label.lower().split())
    letters = [_readings(letter) for letter in plain.replace(" ", "")[:MOST_LETTERS]]
    if all(len(each) == 1 and not each[0][1:] for each in letters):
        return plain  # nothing in it is read otherwise than it is written
    spoken: dict[str, None] = {plain: None, plain.replace(" ", ""): None}
    for reading in islice(_spoken(letters), MOST_READINGS):
        spoken["".join(reading)] = None
        spoken["".join(syllable[0] for syllable in reading)] = None
    return " ".join((_in_order(plain), *spoken))


def _in_order(plain: str) -> str:
    """The text that names are put in order by: zhou nv shi; what is not Chinese stays as it is."""
    first = SURNAMES.get(plain[0], _readings(plain[0])[0])
    syllables = [first, *(_readings(letter)[0] for letter in plain[1:MOST_LETTERS])]
    parts = (
        f" {said} " if said != letter else letter
        for letter, said in zip(plain, syllables, strict=False)
    )
    return " ".join("".join(parts).split())


def _spoken(letters: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """The usual reading of all, then with one letter read otherwise, the surname's first."""
    usual = tuple(each[0] for each in letters)
    yield usual
    for at, each in enumerate(letters):
        for other in each[1:]:
            yield (*usual[:at], other, *usual[at + 1 :])


@lru_cache(maxsize=16_384)
def _readings(letter: str) -> tuple[str, ...]:
    """How one character is read, the usual reading first; any other stands for itself."""
    if not "\u3400" <= letter <= "\u9fff":
        return (letter,)
    found = pinyin(letter, style=Style.NORMAL, heteronym=True)
    return tuple(found[0]) if found and found[0] else (letter,)
