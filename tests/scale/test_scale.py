"""The short form of `python -m scale`: two web processes and two workers, each restarted once
under load, Redis emptied meanwhile; nothing acknowledged is lost, nobody sees an error."""

from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from scale.cluster import cluster
from scale.load import Front, People
from scale.scenes import flush, rolling_restart, settled, submitted, there_and_back

SEED = 7


@pytest.mark.timeout(1800)
def test_a_rolling_restart_loses_nothing_and_shows_nobody_an_error(
    postgresql: str, redis_url: str, tmp_path: Path
) -> None:
    name = f"scale_{uuid4().hex}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with cluster(f"{postgresql}/{name}", tmp_path, workers=2) as made:
        for document in there_and_back(wait=None):
            made.publish("flow", document)
        front = Front(made.ports, made.token("agent"))
        people = People(front, SEED, hands=2, pause=0.3)
        people.start()
        try:
            seconds = rolling_restart(made, people)
            flush(made)
            submitted(people, len(people.acknowledged.leads) + 5)
        finally:
            people.stop()
        figures = settled(made, people, front, seconds)
    print(figures)
    assert figures.leads > 10 and figures.tasks > 0
    assert figures.seen["refused"] > 0  # a server was away, and the other served
