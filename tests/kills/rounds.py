"""One round: server, import, worker and agent run side by side, one of them is killed, all begin
anew."""

import csv
import random
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import agent
from .nursery import Child, born, careloom
from .verdict import Acknowledged, Verdict, judge
from .visitor import Visitors, free_port, wait_for

ROWS = 80
PATIENCE = 900
SETTLED_EVERY = 5  # rounds: a loss stays a loss, so it need not be looked for after each
HEADERS = ("渠道", "称呼", "手机号", "意向项目", "业务线", "接收时间", "平台线索号", "个人信息同意")
TARGETS = ("import", "work", "agent", "web", "all")


class Failed(Exception):
    """A process that was not killed ended with an error."""


@dataclass
class Clinic:
    """A demo clinic in a folder of its own, and what its processes have been promised."""

    url: str
    home: Path
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    kills: dict[str, int] = field(default_factory=dict)
    reading: float = 0.0  # seconds an import takes before it writes
    writing: float = 0.0  # seconds until it has written
    unsettled: list[list[str]] = field(default_factory=list)  # rows of files that may be half in
    visitors: Visitors = field(default_factory=lambda: Visitors("", 0))

    def environment(self) -> dict[str, str]:
        return {"CARELOOM_HOME": str(self.home), "CARELOOM_DATABASE_URL": self.url}

    def careloom(self, *words: str) -> str:
        """Run a verb to its end; what it printed. Raises Failed."""
        child = self.start(words[0], *words)
        if status := child.ended(PATIENCE):
            raise Failed(f"careloom {' '.join(words)}: {status}\n{child.words()[-4000:]}")
        assert status == 0, f"careloom {' '.join(words)} goes on and on"
        return child.words()

    def start(self, name: str, *words: str) -> Child:
        """Begin a verb; what it prints goes to the log of that name."""
        printed = self.home / f"{name}.log"
        return born(careloom, *words, environment=self.environment(), printed=printed)

    def serve(self) -> Child:
        """Serve, without the worker, until it answers; the visitors go there."""
        port = free_port()
        server = self.start("web", "run", "--port", str(port), "--no-work")
        try:
            wait_for(port, PATIENCE)
        except TimeoutError:
            server.kill()
            raise Failed(f"web did not come up:\n{server.words()[-4000:]}") from None
        self.visitors.go_on(port)
        return server


def open_clinic(url: str, home: Path, seed: int = 0) -> Clinic:
    """Set the demo clinic up; one import unharmed tells when it begins to write and ends."""
    clinic = Clinic(url, home)
    clinic.careloom("setup", "--demo")
    token = clinic.careloom("tokens", "issue", "agent").split()[-1]
    clinic.visitors = Visitors(token, seed)
    file = leads_file(clinic, "warm-up")
    since = time.monotonic()
    clinic.careloom("import", "lead_intake", str(file), "--dry-run")
    clinic.reading, since = time.monotonic() - since, time.monotonic()
    clinic.careloom("import", "lead_intake", str(file), "--accept-good")
    clinic.writing = max(time.monotonic() - since, clinic.reading + 0.2)
    clinic.visitors.pause()
    clinic.visitors.begin()
    return clinic


def leads_file(clinic: Clinic, name: str) -> Path:
    """New leads, one twice and one faulty, after those whose import may have been cut short."""
    path = clinic.home / f"{name}.csv"
    rows = []
    for number in range(ROWS):
        external = f"{name}-{number}"
        clinic.acknowledged.file_rows.add(external)
        mobile = f"1990{random.Random(external).randrange(10**7):07d}"
        rows.append(["美团", f"客户{external}", mobile, "超声洁治", "口腔", "2026-03-02 09:00"])
        rows[-1] += [external, "是"]
    clinic.unsettled += rows
    faulty = ["没有的渠道", *rows[1][1:6], f"{name}-bad", "是"]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        writer.writerows([*clinic.unsettled, rows[0], faulty])
    return path


def kill_once(clinic: Clinic, number: int, chance: random.Random) -> str:
    """Let all of them run, kill at a random moment; what was killed, in words."""
    file = leads_file(clinic, f"r{number}")
    target = TARGETS[number % len(TARGETS)]
    moment = chance.uniform(clinic.reading * 0.8, clinic.writing * 1.1)
    running = {"web": clinic.serve(), "work": clinic.start("work", "work")}
    running["agent"] = born(
        agent.main,
        chance.randrange(10**9),
        environment=clinic.environment(),
        printed=clinic.home / "agent.log",
    )
    _wait_until_ready(running["agent"])
    words = ("import", "lead_intake", str(file), "--accept-good")
    running["import"] = clinic.start("import", *words)
    time.sleep(moment)
    killed = list(running) if target == "all" else [target]
    for name in killed:
        if running[name].runs():
            running[name].kill()
            clinic.kills[name] = clinic.kills.get(name, 0) + 1
    time.sleep(chance.uniform(0, 0.3))
    _end_the_rest(clinic, running, killed)
    return f"{target} after {moment:.2f} s"


def _wait_until_ready(child: Child) -> None:
    until = time.monotonic() + PATIENCE
    while "ready\n" not in child.words():
        if not child.runs() or time.monotonic() > until:
            raise Failed(f"the agent did not start:\n{child.words()[-4000:]}")
        time.sleep(0.01)


def _end_the_rest(clinic: Clinic, running: dict[str, Child], killed: list[str]) -> None:
    """The import goes to its end; the others are killed as well: they have none."""
    if "import" not in killed and running["import"].ended(PATIENCE) != 0:
        raise Failed(f"the import failed by itself:\n{running['import'].words()[-4000:]}")
    clinic.visitors.pause()
    for name in ("web", "work", "agent"):
        if name not in killed and not running[name].runs():
            raise Failed(f"{name} ended by itself:\n{running[name].words()[-4000:]}")
        running[name].kill()
    acknowledge(clinic.acknowledged, running["agent"].words())
    clinic.acknowledged.leads |= set(dict(clinic.visitors.told).values())


def acknowledge(acknowledged: Acknowledged, printed: str) -> None:
    """What the agent was told; a line cut short by the kill was not printed whole, and may count
    or not."""
    for line in printed.splitlines(keepends=True):
        words = line.split()
        if not line.endswith("\n") or not words:
            continue
        if words[0] == "lead":
            acknowledged.leads.add(int(words[1]))
        elif words[0] == "task":
            record = None if words[2] == "None" else int(words[2])
            acknowledged.tasks[int(words[1])] = record


def settle(clinic: Clinic) -> Verdict:
    """Have every submission answered, finish the imports, do all that is due, then look for loss;
    what `check` tells counts."""
    server = clinic.serve()
    clinic.visitors.end(PATIENCE)
    server.kill()
    clinic.visitors.pause()
    clinic.visitors.begin()
    clinic.acknowledged.leads |= set(clinic.visitors.told.values())
    file = leads_file(clinic, f"settled-{len(clinic.acknowledged.file_rows)}")
    clinic.careloom("import", "lead_intake", str(file), "--accept-good")
    clinic.unsettled.clear()
    clinic.careloom("work", "--burst")
    verdict = judge(clinic.url, clinic.acknowledged)
    verdict.stuck += clinic.visitors.refused
    try:
        clinic.careloom("check")
    except Failed as failure:
        verdict.stuck.append(str(failure))
    return verdict


@dataclass(frozen=True)
class Round:
    """One kill: its number, what was killed in words, the clinic, and how it stood afterwards,
    where that was looked at."""

    number: int
    killed: str
    clinic: Clinic
    verdict: Verdict | None


def rounds(url: str, seed: int, numbers: Iterable[int]) -> Iterator[Round]:
    """Round after round on one database; the last one has a verdict.

    The folder stays when that was not sound.
    """
    chance = random.Random(seed)
    home = Path(tempfile.mkdtemp(prefix="careloom-kills-"))
    clinic = open_clinic(url.replace("{home}", str(home)), home, seed)
    sound = False
    try:
        last = None
        for number in numbers:
            if last is not None:
                yield last
            killed = kill_once(clinic, number, chance)
            due = number % SETTLED_EVERY == SETTLED_EVERY - 1
            last = Round(number, killed, clinic, settle(clinic) if due else None)
        if last is not None:
            verdict = last.verdict or settle(clinic)
            sound = verdict.sound
            yield Round(last.number, last.killed, clinic, verdict)
    finally:
        if sound:
            shutil.rmtree(home)
