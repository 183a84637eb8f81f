"""The short form of `make kills`: one kill of each process on each kind of database."""

import psycopg
import pytest

from kills.rounds import TARGETS, rounds

SEED = 7


@pytest.mark.timeout(900)
def test_kills_lose_nothing_and_double_nothing_on_sqlite() -> None:
    few_kills("sqlite:///{home}/careloom.db")


@pytest.mark.timeout(900)
def test_kills_lose_nothing_and_double_nothing_on_postgresql(postgresql: str) -> None:
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE kills")
    few_kills(f"{postgresql}/kills")


def few_kills(url: str) -> None:
    *_, last = rounds(url, SEED, range(len(TARGETS)))
    assert last.verdict is not None
    assert last.verdict.sound, last.verdict
    assert sum(last.clinic.kills.values()) >= 3
    assert last.clinic.acknowledged.leads
