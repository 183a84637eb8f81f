"""python -m scale: instances in flight while Redis forgets everything and processes are restarted.

    python -m scale --instances 2000 --flushes 10 --rolls 1

Two web processes and three workers over a durable PostgreSQL and a Redis. People submit leads, each
of which starts the pack's flow and two that end by themselves, and complete their tasks. Ends with
0 when every instance arrived, nothing acknowledged was lost and nobody saw an error.
"""

import argparse
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import servers

from .cluster import Cluster, cluster
from .load import Front, People
from .scenes import Figures, flush, restart, settled, submitted, there_and_back


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scale", description=__doc__)
    parser.add_argument("--instances", type=int, default=2000, help="leads; three instances each")
    parser.add_argument("--flushes", type=int, default=10)
    parser.add_argument("--rolls", type=int, default=1, help="rolling restarts of all processes")
    parser.add_argument("--wait", default="1m", help="how long each instance waits in the middle")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    try:
        server, name = servers.postgresql(durable=True), f"scale_{uuid4().hex}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        with (
            TemporaryDirectory(prefix="careloom-scale-") as folder,
            cluster(f"{server}/{name}", Path(folder)) as made,
        ):
            print("everything runs", flush=True)
            figures = played(made, given)
        print(figures)
        print(f"flushes {given.flushes}, seed {given.seed}")
        return 0
    finally:
        servers.end_run()


def played(made: Cluster, given: argparse.Namespace) -> Figures:
    """Flushes and restarts at even distances while the leads come in; then all is waited for."""
    for document in there_and_back(given.wait):
        made.publish("flow", document)
    front = Front(made.ports, made.token("agent"))
    people = People(front, given.seed, hands=8, leads=given.instances)
    restarts = made.processes * given.rolls
    deeds = random.Random(given.seed).sample(
        [*["flush"] * given.flushes, *restarts], given.flushes + len(restarts)
    )
    seconds, since = {}, time.monotonic()
    people.start()
    try:
        for number, deed in enumerate(deeds, 1):
            submitted(people, given.instances * number // (len(deeds) + 1))
            what = "flush" if isinstance(deed, str) else f"restart {deed.name}"
            print(f"{len(people.acknowledged.leads):6} leads  {what}", flush=True)
            if isinstance(deed, str):
                flush(made)
            else:
                seconds[f"{deed.name} left in"] = restart(made, deed, people)
        people.wait()
    finally:
        people.stop()
    seconds["submitted in"] = time.monotonic() - since
    return settled(made, people, front, seconds)


if __name__ == "__main__":
    sys.exit(main())
