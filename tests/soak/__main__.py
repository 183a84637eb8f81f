"""make soak: every fault at length, one part after the other; a table of counts at the end.

Broken off, by MINUTES or by hand, it goes on where it was, as long as the sources are the same.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .ledger import ROOT, Ledger, Run
from .parts import PARTS, Part


@dataclass
class Soak:
    """A soak under way. until: when no further run begins; wanted: part -> how many."""

    ledger: Ledger
    wanted: dict[str, int]
    until: float = float("inf")
    failed: list[str] = field(default_factory=list)

    def left(self, part: Part) -> int:
        return max(0, self.wanted[part.name] - self.ledger.done(part.name))

    def each(self, part: Part) -> float:
        """Seconds that one takes: as measured here, else as the table says."""
        runs = self.ledger.of(part.name)
        return sum(run.seconds for run in runs) / many if (many := _sum(runs)) else part.each

    def seconds(self) -> float:
        """What is left will take so long."""
        return sum(self.left(part) * self.each(part) for part in PARTS)

    def play(self, part: Part, seed: int) -> None:
        """Runs of this part until it is whole, fails, or time is over."""
        while (left := self.left(part)) and time.monotonic() < self.until:
            run = self._run(part, min(left, part.most), seed + len(self.ledger.of(part.name)))
            self.ledger.add(run)
            if not run.passed:
                self.failed.append(f"{part.name}, seed {run.seed}: {self._log(part, run.seed)}")
                return

    def _run(self, part: Part, many: int, seed: int) -> Run:
        since, log = time.monotonic(), self._log(part, seed)
        with log.open("w") as file:
            status = subprocess.run(
                part.command(many, seed),
                cwd=ROOT,
                env=part.environment(many, seed),
                stdout=file,
                stderr=subprocess.STDOUT,
            ).returncode
        took = time.monotonic() - since
        counted = sum(map(int, re.findall(part.counts, log.read_text(), re.MULTILINE)))
        passed = status == 0 and counted > 0
        clock = f"{datetime.now():%H:%M:%S}"
        word = "" if passed else f"  FAILED, status {status}"
        print(
            f"{clock}  {part.name:24} {many:5}  seed {seed:7}  {took:6.0f} s{word}",
            flush=True,
        )
        return Run(self.ledger.sources, part.name, many, seed, passed, counted, round(took, 1))

    def _log(self, part: Part, seed: int) -> Path:
        return self.ledger.folder / f"{part.name.replace(' ', '-')}-{seed}.log"

    def table(self) -> str:
        """Part by part: how much was wanted and played, what it counted, how long it took."""
        lines = [f"{'part':24} {'wanted':>7} {'played':>7} {'counted':>8} {'s':>7} {'s each':>7}"]
        for part in PARTS:
            runs = self.ledger.of(part.name)
            seconds, counted = sum(run.seconds for run in runs), sum(run.counted for run in runs)
            each = f"{seconds / _sum(runs):7.1f}" if runs else f"{'':7}"
            lines.append(
                f"{part.name:24} {self.wanted[part.name]:7} {_sum(runs):7} {counted:8}"
                f" {seconds:7.0f} {each}"
            )
        return "\n".join(lines)


def _sum(runs: list[Run]) -> int:
    return sum(run.many for run in runs)


def main() -> int:
    """Play; 1 when anything failed, and 3 when time was over before all was played."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, help="end after so long, a share of each part")
    parser.add_argument("--parts", default="", help="only those that begin so, commas between")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "soak")
    given = parser.parse_args()
    soak = Soak(Ledger(given.folder), {part.name: part.how_many(os.environ) for part in PARTS})
    begins = tuple(given.parts.split(","))
    for part in PARTS:
        if not part.name.startswith(begins):
            soak.wanted[part.name] = 0
    if given.minutes is not None:
        shorten(soak, given.minutes * 60)
    print(f"sources {soak.ledger.sources}, seed {given.seed}; logs in {given.folder}")
    print(
        f"about {soak.seconds() / 60:.0f} minutes, on two cores that have much else to do",
        flush=True,
    )
    for part in PARTS:
        soak.play(part, given.seed)
    print(soak.table())
    for words in soak.failed:
        print(f"FAILED {words}")
    if soak.failed:
        return 1
    return 3 if any(soak.left(part) for part in PARTS) else 0


def shorten(soak: Soak, seconds: float) -> None:
    """The same share of what is left of each part, one at least, so that all fits."""
    soak.until = time.monotonic() + seconds
    share = min(1.0, seconds / max(soak.seconds(), 1.0))
    for part in PARTS:
        if left := soak.left(part):
            soak.wanted[part.name] -= left - max(1, int(left * share))


if __name__ == "__main__":
    sys.exit(main())
