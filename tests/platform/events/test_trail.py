"""The trail, read newest first: by number where it is sealed, by id where it is not yet."""

from datetime import timedelta

import pytest
from sqlalchemy import true
from sqlalchemy.orm import Session

from careloom.platform.events.log import append
from careloom.platform.events.names import EVENTS, declare
from careloom.platform.events.seal import seal
from careloom.platform.events.trail import Wanted, trail
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Malformed
from careloom.platform.web.words import LANGUAGES, knows

declare({"test:happened": ("n",)})
ALL = Wanted()


def happen(database: Database, *numbers: int, kind: str = "test") -> None:
    def deed(session: Session) -> None:
        for n in numbers:
            append(session, "test:happened", SYSTEM, (kind, n % 2), None, {"n": n})

    database.write(deed)


def read(
    database: Database, wanted: Wanted = ALL, mark: str | None = None, limit: int = 50
) -> tuple[list[int], str | None]:
    with database.read() as session:
        found, after = trail(session, wanted, true(), mark=mark, limit=limit)
        return [event.data["n"] for event in found], after


@pytest.mark.parametrize("size", [1, 2, 3, 5, 20])
def test_every_page_goes_on_where_the_last_one_ended(database: Database, size: int) -> None:
    happen(database, 1, 2, 3, 4)
    database.write(seal)
    happen(database, 5, 6, 7)
    pages, mark = [], None
    while True:
        found, mark = read(database, mark=mark, limit=size)
        pages.append(found)
        if mark is None:
            break
    assert [n for page in pages for n in page] == [7, 6, 5, 4, 3, 2, 1]
    assert all(len(page) == size for page in pages[:-1])


def test_sealing_between_two_pages_neither_repeats_nor_skips(database: Database) -> None:
    happen(database, 1, 2)
    database.write(seal)
    happen(database, 3, 4, 5)
    first, mark = read(database, limit=2)
    database.write(seal)
    happen(database, 6)
    second, mark = read(database, mark=mark, limit=2)
    third, mark = read(database, mark=mark, limit=2)
    assert (first, second, third, mark) == ([5, 4], [3, 2], [1], None)


def test_it_is_narrowed_to_a_subject_a_kind_and_a_time(
    database: Database, clock: TurnedClock
) -> None:
    happen(database, 1, 2)
    happen(database, 3, kind="test:more")
    clock.turn(timedelta(hours=1))
    later = clock.now()
    happen(database, 4, 5)
    database.write(seal)
    assert read(database, Wanted(("test", 0)))[0] == [4, 2]
    assert read(database, Wanted(("test", None)))[0] == [5, 4, 3, 2, 1]
    assert read(database, Wanted(("test:more", None)))[0] == [3]
    assert read(database, Wanted(since=later))[0] == [5, 4]
    assert read(database, Wanted(actor_id=9))[0] == []


@pytest.mark.parametrize("mark", ["", "x", "1t", "1x2", "-1s2", "1s2;", "1t" + "9" * 20])
def test_a_mark_that_is_none_is_refused(sqlite: Database, mark: str) -> None:
    with pytest.raises(Malformed, match="E_CURSOR"):
        read(sqlite, mark=mark)


def test_every_event_has_a_sentence_in_both_languages() -> None:
    import careloom.platform.cli
    import careloom.runtime.area  # noqa: F401  with the above: every event there is

    ours = [name for name in EVENTS if not name.startswith("test:")]
    wanting = [(tongue, n) for n in ours for tongue in LANGUAGES if not knows(tongue, f"event.{n}")]
    assert len(ours) > 20 and wanting == []
