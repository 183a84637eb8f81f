"""Several at once, over each kind of database: one answer, one file, one free list."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from careloom.platform.exports.ask import answer, ask
from careloom.platform.exports.make import take_allowed, take_freely
from careloom.platform.exports.question import Question
from careloom.platform.records import take
from careloom.platform.store.errors import Conflict, Refusal

from .desk import REASON, Desk

AT_ONCE = 4


def at_once(one: Callable[[int], Any]) -> list[str]:
    """What comes of each: `done`, or the code it was refused with."""
    start = Barrier(AT_ONCE)

    def tried(number: int) -> str:
        start.wait()
        try:
            one(number)
        except Refusal as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(tried, range(AT_ONCE)))


def asked(desk: Desk) -> int:
    question = Question("lead", "csv")
    return desk.database.write(lambda s: ask(s, desk.clerk, question, REASON, free=3).id)


def test_of_two_answers_at_once_one_counts(either_desk: Desk) -> None:
    desk, number = either_desk, asked(either_desk)
    second = desk.site.person("second", "G", "head")
    people = [desk.head, second]

    def one(turn: int) -> None:
        actor, yes = people[turn % 2], turn < 2
        desk.database.write(lambda s: answer(s, actor, number, yes).id)

    assert at_once(one) == [*["E_EXPORT_ANSWERED"] * (AT_ONCE - 1), "done"]
    names = [event.name for event in desk.events()]
    assert len(names) == 2 and names[1] in ("export:allowed", "export:refused")


def test_one_yes_used_twice_at_once_gives_one_file(either_desk: Desk, tmp_path: Path) -> None:
    desk, number = either_desk, asked(either_desk)
    desk.database.write(lambda s: answer(s, desk.head, number, True).id)
    paths = [tmp_path / f"{turn}.csv" for turn in range(AT_ONCE)]
    found = at_once(lambda turn: take_allowed(desk.database, desk.clerk, number, paths[turn]))
    assert found == [*["E_EXPORT_NO_YES"] * (AT_ONCE - 1), "done"]
    assert sum(path.exists() for path in paths) == 1
    assert len(desk.events("records:exported")) == 1
    assert list(tmp_path.glob("*.part")) == []


def test_a_yes_that_is_used_while_a_file_is_written_is_used_up(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, in an order that is certain: the second begins and ends within the first."""
    number, write = asked(desk), take._write_csv
    desk.database.write(lambda s: answer(s, desk.head, number, True).id)

    def writing(*given: Any) -> int:
        monkeypatch.setattr(take, "_write_csv", write)
        take_allowed(desk.database, desk.clerk, number, tmp_path / "within.csv")
        return write(*given)

    monkeypatch.setattr(take, "_write_csv", writing)
    with pytest.raises(Conflict) as refused:
        take_allowed(desk.database, desk.clerk, number, tmp_path / "around.csv")
    assert refused.value.code == "E_EXPORT_NO_YES"
    assert [path.name for path in tmp_path.glob("*.csv*")] == ["within.csv"]


def test_pieces_that_leave_at_once_are_counted_together(either_desk: Desk, tmp_path: Path) -> None:
    """Each of one record, and three leave freely: the fourth does not."""
    desk = either_desk

    def one(turn: int) -> None:
        question = Question("lead", "csv", where=f'name = "{("Ann", "Bob", "Cid", "Dan")[turn]}"')
        take_freely(desk.database, desk.clerk, question, tmp_path / f"{turn}.csv", free=3)

    assert at_once(one) == ["E_EXPORT_WANTS_YES", *["done"] * 3]
    assert len(desk.events("records:exported")) == 3
