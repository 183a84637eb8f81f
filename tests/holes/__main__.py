"""make holes: take each defence away in a copy of the package, and see that the tests notice."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import servers

from .hole import Hole
from .play import Outcome, play
from .table import HOLES
from .tree import copied


def main() -> int:
    """Play the holes; 1 when a defence went unmissed, or its tests fail with it in place too."""
    parser = argparse.ArgumentParser(prog="make holes", description=__doc__)
    parser.add_argument("--only", default="", help="those whose name or file has this in it")
    parser.add_argument("--part", default="1/1", help="n/m: every m-th hole, from the n-th on")
    parser.add_argument("--some", type=int, default=0, help="so many of these, others each day")
    parser.add_argument("--day", type=int, default=time.time_ns() // 10**9 // 86_400)
    parser.add_argument("--short", action="store_true", help="without trying the whole copy first")
    given = parser.parse_args()
    number, parts = (int(text) for text in given.part.split("/"))
    wanted = [hole for hole in HOLES if given.only in hole.name or given.only in hole.file]
    wanted = wanted[number - 1 :: parts]
    if given.some:
        print(f"day {given.day}", flush=True)
        wanted = todays(wanted, given.some, given.day)
    servers.run_folder()
    began, used = time.monotonic(), time.process_time()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="holes-", dir=servers.quick_folder()) as folder:
        tree = copied(Path(folder))
        if not given.short:
            wrong += sum(not sound(hole, outcome) for hole, outcome in play(tree, wanted, True))
        wrong += sum(not caught(hole, outcome) for hole, outcome in play(tree, wanted))
    servers.end_run()
    spent = time.process_time() - used + children()
    print(f"holes: {len(wanted)}, caught: {len(wanted) - wrong}", end="")
    print(f" ({time.monotonic() - began:.0f} s, {spent:.0f} s of processor time)", flush=True)
    return 1 if wrong or not wanted else 0


def todays(holes: list[Hole], most: int, day: int) -> list[Hole]:
    """So many, going on each day where the day before ended."""
    first = day * most % max(len(holes), 1)
    return [*holes, *holes][first : first + min(most, len(holes))]


def sound(hole: Hole, outcome: Outcome) -> bool:
    """Say so when a hole's tests do not all pass with the defence in place."""
    if not outcome.whole:
        print(f"NOT WHOLE  {hole.name}: {outcome}", flush=True)
    return outcome.whole


def caught(hole: Hole, outcome: Outcome) -> bool:
    """Say whether a hole was found, and by which test."""
    by = next(iter(outcome.failed), "").removeprefix("tests/")
    word = "caught" if outcome.caught(hole) else "MISSED"
    print(f"{word}  {outcome.seconds:5.1f} s  {hole.name}  {by}", flush=True)
    if not outcome.caught(hole):
        print(f"        {outcome}", flush=True)
    return outcome.caught(hole)


def children() -> float:
    """The processor time of the processes that have ended, in seconds."""
    told = os.times()
    return told.children_user + told.children_system


if __name__ == "__main__":
    sys.exit(main())
