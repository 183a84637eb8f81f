"""The short form of `make kills`: one kill of each process on each kind of database."""

from collections.abc import Callable

import psycopg
import pytest

from kills.crew import NAMES
from kills.rounds import TARGETS, rounds

SEED = 7


@pytest.mark.timeout(900)
def test_kills_lose_nothing_and_double_nothing_on_sqlite(
    record_property: Callable[[str, object], None],
) -> None:
    record_property("kills", few_kills("sqlite:///{home}/careloom.db"))


@pytest.mark.timeout(900)
def test_kills_lose_nothing_and_double_nothing_on_postgresql(
    postgresql: str, record_property: Callable[[str, object], None]
) -> None:
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE kills")
    record_property("kills", few_kills(f"{postgresql}/kills"))


def few_kills(url: str) -> int:
    """How many processes were killed in the middle of something: one at least in each round."""
    *_, last = rounds(lambda: url, SEED, range(len(TARGETS)))
    assert last.verdict is not None
    assert last.verdict.sound, last.verdict
    assert last.tally.told
    assert last.tally.tasks
    assert all(last.tally.hit[name] for name in NAMES), last.tally
    return last.tally.hit.total()
