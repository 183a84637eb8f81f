"""make kills: kill at random moments, count what was lost or doubled, print the seed."""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Mapping
from uuid import uuid4

import psycopg
import servers

from .rounds import Round, rounds


def main() -> int:
    """Run the rounds; 1 when anything was lost, doubled or stuck."""
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--minutes", type=float, help="go on for so long instead of so many kills")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.database}", flush=True)
    try:
        wanted = numbers(given.kills, given.minutes)
        return report(rounds(lambda: address(given.database), given.seed, wanted), given.seed)
    finally:
        servers.end_run()


def numbers(kills: int, minutes: float | None) -> Iterator[int]:
    """0, 1, 2 … as many as wanted, or as the time allows."""
    until = time.monotonic() + minutes * 60 if minutes is not None else None
    number = 0
    while time.monotonic() < until if until is not None else number < kills:
        yield number
        number += 1


def address(kind: str) -> str:
    """A new database's; PostgreSQL keeps fsync on. `{home}` stands for the clinic's folder."""
    if kind == "sqlite":
        return "sqlite:///{home}/careloom.db"
    server, name = servers.postgresql(durable=True), f"kills_{uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


def report(played: Iterator[Round], seed: int) -> int:
    """Print each round and the sum; stop at the first that is not sound."""
    since = time.monotonic()
    last: Round | None = None
    for last in played:
        told = "" if last.verdict is None else "sound" if last.verdict.sound else "NOT SOUND"
        print(f"{last.number + 1:4}  {last.killed:24}  {told}", flush=True)
        if last.verdict is not None and not last.verdict.sound:
            break
    if last is None or last.verdict is None:
        return 0
    verdict, tally = last.verdict, last.tally
    for name in ("lost", "doubled", "stuck"):
        for sentence in getattr(verdict, name)[:20]:
            print(f"{name}: {sentence}")
    if not verdict.sound:
        print(f"left for a look: {last.clinic.home}")
    print(
        f"acknowledged: {tally.leads} leads ({tally.told} of them over HTTP,"
        f" {tally.resent} sent more than once), {tally.tasks} tasks,"
        f" {tally.file_rows} rows of files; killed: {named(tally.killed)};"
        f" in the middle of something: {named(tally.hit)}; let go at first: {tally.missed}"
    )
    print(
        f"kills {last.number + 1}, lost {len(verdict.lost)}, doubled {len(verdict.doubled)},"
        f" stuck {len(verdict.stuck)}, seed {seed}, {time.monotonic() - since:.0f} s;"
        f" {bound(last.number + 1)}"
    )
    return 0 if verdict.sound else 1


def named(numbers: Mapping[str, int]) -> str:
    """`agent 3, web 2`"""
    return ", ".join(f"{name} {number}" for name, number in sorted(numbers.items()))


def bound(kills: int) -> str:
    """What so many kills without a loss say: the rule of three."""
    return f"without a loss, at most {300 / kills:.2f} % of kills lose something (95 %)"


if __name__ == "__main__":
    sys.exit(main())
