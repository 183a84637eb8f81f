"""One round: import, worker and agent run side by side, one of them is killed, all begin anew."""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .verdict import Acknowledged, Verdict, judge

BIN = Path(sys.executable).parent
TESTS = Path(__file__).parents[1]
ROWS = 80
PATIENCE = 180
SETTLED_EVERY = 5  # rounds: a loss stays a loss, so it need not be looked for after each
HEADERS = ("渠道", "称呼", "手机号", "意向项目", "业务线", "接收时间", "平台线索号", "个人信息同意")
TARGETS = ("import", "work", "agent", "all")


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

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "CARELOOM_HOME": str(self.home),
            "CARELOOM_DATABASE_URL": self.url,
            "PYTHONPATH": str(TESTS),
        }

    def careloom(self, *words: str) -> str:
        """Run a verb to its end; what it printed. Raises Failed."""
        done = subprocess.run(
            [str(BIN / "careloom"), *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        if done.returncode:
            raise Failed(f"careloom {' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout

    def start(self, name: str, *words: str) -> subprocess.Popen[str]:
        log = (self.home / f"{name}.log").open("a")
        return subprocess.Popen(
            words, env=self.environment(), stdout=subprocess.PIPE, stderr=log, text=True
        )


def open_clinic(url: str, home: Path) -> Clinic:
    """Set the demo clinic up; one import unharmed tells when it begins to write and ends."""
    clinic = Clinic(url, home)
    clinic.careloom("setup", "--demo")
    file = leads_file(clinic, "warm-up")
    since = time.monotonic()
    clinic.careloom("import", "lead_intake", str(file), "--dry-run")
    clinic.reading, since = time.monotonic() - since, time.monotonic()
    clinic.careloom("import", "lead_intake", str(file), "--accept-good")
    clinic.writing = max(time.monotonic() - since, clinic.reading + 0.2)
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
    """Let import, worker and agent run, kill at a random moment; what was killed, in words."""
    file = leads_file(clinic, f"r{number}")
    target = TARGETS[number % len(TARGETS)]
    moment = chance.uniform(clinic.reading * 0.8, clinic.writing * 1.1)
    careloom, import_it = str(BIN / "careloom"), ("import", "lead_intake", str(file))
    agent_words = (sys.executable, "-m", "kills.agent", str(chance.randrange(10**9)))
    running = {
        "work": clinic.start("work", careloom, "work"),
        "agent": clinic.start("agent", *agent_words),
    }
    _wait_until_ready(clinic, running["agent"])
    running["import"] = clinic.start("import", careloom, *import_it, "--accept-good")
    time.sleep(moment)
    killed = list(running) if target == "all" else [target]
    for name in killed:
        if running[name].poll() is None:
            running[name].send_signal(signal.SIGKILL)
            clinic.kills[name] = clinic.kills.get(name, 0) + 1
    time.sleep(chance.uniform(0, 0.5))
    _end_the_rest(clinic, running, killed)
    return f"{target} after {moment:.2f} s"


def _wait_until_ready(clinic: Clinic, agent: subprocess.Popen[str]) -> None:
    assert agent.stdout is not None
    if agent.stdout.readline() != "ready\n":
        raise Failed(f"the agent did not start:\n{(clinic.home / 'agent.log').read_text()[-4000:]}")


def _end_the_rest(
    clinic: Clinic, running: dict[str, subprocess.Popen[str]], killed: list[str]
) -> None:
    """The import goes to its end, worker and agent are killed as well: they have none."""
    if "import" not in killed:
        running["import"].communicate(timeout=PATIENCE)
        if running["import"].returncode:
            log = (clinic.home / "import.log").read_text()
            raise Failed(f"the import failed by itself:\n{log[-4000:]}")
    for name in ("work", "agent"):
        process = running[name]
        if name not in killed and process.poll() is not None:
            log = (clinic.home / f"{name}.log").read_text()
            raise Failed(f"{name} ended by itself:\n{log[-4000:]}")
        process.kill()
    for name in ("work", "agent", "import"):
        printed, _ = running[name].communicate(timeout=PATIENCE)
        if name == "agent":
            acknowledge(clinic.acknowledged, printed)


def acknowledge(acknowledged: Acknowledged, printed: str) -> None:
    """What the agent was told; a line cut short by the kill was not printed whole, and may count
    or not."""
    for line in printed.splitlines(keepends=True):
        words = line.split()
        if not line.endswith("\n"):
            continue
        if words[0] == "lead":
            acknowledged.leads.add(int(words[1]))
        elif words[0] == "task":
            record = None if words[2] == "None" else int(words[2])
            acknowledged.tasks[int(words[1])] = record


def settle(clinic: Clinic) -> Verdict:
    """Finish the imports, do all that is due, then look for loss; what `check` tells counts."""
    file = leads_file(clinic, f"settled-{len(clinic.acknowledged.file_rows)}")
    clinic.careloom("import", "lead_intake", str(file), "--accept-good")
    clinic.unsettled.clear()
    clinic.careloom("work", "--burst")
    verdict = judge(clinic.url, clinic.acknowledged)
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
    clinic = open_clinic(url.replace("{home}", str(home)), home)
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
