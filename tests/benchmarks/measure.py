"""How claims are measured: ours and a named reference in turns, in one run, in one process.

A machine that is slow today is slow for both, so what is compared is the ratio; the microseconds
stand beside it to be understood by, never to be asserted.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psycopg
import servers

from careloom.platform.store.database import Database, open_database
from careloom.platform.store.upgrade import upgrade

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Cost:
    """What one call costs: seconds on the wall, and of this process's processor."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Result:
    """One claim's figures. goal: what `ratio` is to reach, in the issue's own words, or none."""

    what: str
    ours: Cost
    reference: str
    theirs: Cost
    goal: str = ""

    def line(self) -> str:
        """The figures as one line of a table: times in µs, ours as a multiple of the reference."""
        cells = [
            self.what,
            f"{self.ours.wall * 1e6:,.0f} / {self.ours.cpu * 1e6:,.0f}",
            self.reference,
            f"{self.theirs.wall * 1e6:,.0f} / {self.theirs.cpu * 1e6:,.0f}",
            f"{times(self.ours.wall, self.theirs.wall)} / {times(self.ours.cpu, self.theirs.cpu)}",
            self.goal,
        ]
        return f"| {' | '.join(cells)} |"


def times(ours: float, theirs: float) -> str:
    """How many times the reference's cost ours is: "2.3", or "1/85" where it is less than a
    half."""
    return f"1/{theirs / ours:.0f}" if ours < theirs / 2 else f"{ours / theirs:.2f}"


def cost(call: Callable[[], Any], times: int) -> Cost:
    """The mean cost of a call over so many of them."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        call()
    return Cost((time.perf_counter() - wall) / times, (time.process_time() - cpu) / times)


def in_turns(
    ours: Callable[[], Any], theirs: Callable[[], Any], times: int, rounds: int = 15
) -> tuple[Cost, Cost]:
    """Medians over the rounds; each round measures the one, then the other."""
    cost(ours, max(1, times // 10)), cost(theirs, max(1, times // 10))
    found = [(cost(ours, times), cost(theirs, times)) for _ in range(rounds)]
    return middle(one for one, _ in found), middle(other for _, other in found)


def middle(costs: Iterator[Cost]) -> Cost:
    """The median of the wall's and of the processor's seconds, each for itself."""
    every = list(costs)
    return Cost(median(one.wall for one in every), median(one.cpu for one in every))


@contextmanager
def fresh(kind: str) -> Iterator[Database]:
    """A migrated database of a kind, on the disk and as durable as a clinic's."""
    with TemporaryDirectory(prefix="careloom-bench-") as home:
        url = address(kind, Path(home))
        upgrade(url)
        database = open_database(url, Path(home))
        yield database
        database.close()


def address(kind: str, home: Path) -> str:
    """Where a new, empty database of a kind is."""
    if kind == "sqlite":
        return f"sqlite:///{home}/careloom.db"
    server, name = servers.postgresql(durable=True), f"bench_{uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"
