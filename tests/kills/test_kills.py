"""The short form of `make kills`: one kill of each process on each kind of database."""

from collections.abc import Callable

import psycopg
import pytest

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
    """How many processes were killed."""
    *_, last = rounds(url, SEED, range(len(TARGETS)))
    assert last.verdict is not None
    assert last.verdict.sound, last.verdict
    assert last.clinic.acknowledged.leads
    assert last.clinic.visitors.told
    killed = sum(last.clinic.kills.values())
    assert killed >= 4
    return killed
