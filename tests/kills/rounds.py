"""One round: server, import, worker and agent work side by side; one of them, or all, is killed in
the middle of what it does and born again.

After each kill what was acknowledged over HTTP since the one before must be there; after some the
whole is settled and checked. A clinic serves for some hundred kills, then a new one takes its
place: a check of ever more data would be most of a thousand kills.
"""

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .clinic import Clinic, Failed, open_clinic
from .crew import NAMES, Crew
from .verdict import Verdict, absent, judge

SETTLED_EVERY = 25  # rounds: a loss stays a loss, so it need not be looked for after each
LIFE = 200  # rounds in one clinic
TARGETS = (*NAMES, "all")


@dataclass
class Tally:
    """What was done and promised, summed over all clinics. killed: processes by name; hit: those
    of them that were in the middle of something; missed: looks at which nobody was."""

    killed: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    leads: int = 0
    told: int = 0
    resent: int = 0
    tasks: int = 0
    file_rows: int = 0

    def add(self, clinic: Clinic) -> None:
        """One whose life has ended."""
        promised, visitors = clinic.acknowledged, clinic.visitors
        self.leads += len(promised.leads)
        self.tasks += len(promised.tasks)
        self.file_rows += len(promised.file_rows)
        self.told += len(visitors.told)
        self.resent += visitors.resent


@dataclass(frozen=True)
class Round:
    """One kill: its number, what was killed in words, where, all so far, and how it stood
    afterwards, where that was looked at."""

    number: int
    killed: str
    clinic: Clinic
    tally: Tally
    verdict: Verdict | None


def rounds(fresh: Callable[[], str], seed: int, numbers: Iterable[int]) -> Iterator[Round]:
    """Round after round; the last one has a verdict. fresh: the address of a new database, whose
    `{home}` stands for the clinic's folder.

    The folder stays when a clinic was not sound; then there is no further round.
    """
    wanted, tally, chance = iter(numbers), Tally(), random.Random(seed)
    number: int | None = next(wanted, None)
    while number is not None:
        home = Path(tempfile.mkdtemp(prefix="careloom-kills-"))
        clinic = open_clinic(fresh().replace("{home}", str(home)), home, chance.randrange(10**6))
        crew = Crew(clinic, chance)
        try:
            for turn in range(1, LIFE + 1):
                if turn % SETTLED_EVERY == 1:
                    clinic.visitors.begin()
                killed, lost = _kill(crew, number, tally)
                this, number = number, next(wanted, None)
                over = turn == LIFE or number is None
                verdict = Verdict(lost=lost) if lost else None
                if verdict is None and (over or turn % SETTLED_EVERY == 0):
                    verdict = settle(crew)
                sound = verdict is None or verdict.sound
                if over or not sound:
                    tally.add(clinic)
                yield Round(this, killed, clinic, tally, verdict)
                if not sound:
                    return
                if over:
                    break
        finally:
            crew.end()
        shutil.rmtree(home)


def _kill(crew: Crew, number: int, tally: Tally) -> tuple[str, list[str]]:
    """Let all of them work, kill; what was killed, in words, and what of the last told is lost."""
    clinic, target, missed = crew.clinic, TARGETS[number % len(TARGETS)], crew.missed
    names = NAMES if target == "all" else (target,)
    crew.fill()
    time.sleep(crew.chance.uniform(0, 0.5))
    hit = crew.kill(names)
    tally.killed.update(names)
    tally.hit.update(hit)
    tally.missed += crew.missed - missed
    told = set(dict(clinic.visitors.told).values()) - clinic.acknowledged.leads
    lost = absent(clinic.url, told)
    clinic.acknowledged.leads |= told
    words = target if names == tuple(hit) else f"{target}, at work: {', '.join(hit)}"
    return words, lost


def settle(crew: Crew) -> Verdict:
    """Have every submission answered, finish the imports, do all that is due, then look for loss;
    what `check` tells counts."""
    clinic = crew.clinic
    crew.leave()
    clinic.acknowledged.leads |= set(clinic.visitors.told.values())
    clinic.careloom("work", "--burst")
    verdict = judge(clinic.url, clinic.acknowledged)
    verdict.stuck += clinic.visitors.refused
    try:
        clinic.careloom("check")
    except Failed as failure:
        verdict.stuck.append(str(failure))
    return verdict
