"""The demo clinic that is killed at: its folder, its processes, and what was promised by them."""

import csv
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers import free_port

from .acknowledged import Acknowledged
from .nursery import Child, born, careloom
from .under_way import Mark, watched
from .visitor import Visitors

ROWS = 20  # two chunks: what they begin is most of the work of a settled clinic
PATIENCE = 900
REST_SECONDS = 0.1  # of a visitor: so that the worker keeps up, and a thousand kills stay small
HEADERS = ("渠道", "称呼", "手机号", "意向项目", "业务线", "接收时间", "平台线索号", "个人信息同意")


class Failed(Exception):
    """A process that was not killed ended with an error."""


@dataclass
class Clinic:
    """A demo clinic in a folder of its own.

    marks: whether each process is in the middle of something. unsettled: rows of files that may be
    half in.
    """

    url: str
    home: Path
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    marks: dict[str, Mark] = field(default_factory=dict)
    unsettled: list[list[str]] = field(default_factory=list)
    visitors: Visitors = field(default_factory=lambda: Visitors("", 0))
    _born: int = 0
    _files: int = 0

    def careloom(self, *words: str) -> str:
        """Run a verb to its end; what it printed. Raises Failed."""
        child = self.start(words[0], careloom, *words)
        if status := child.ended(PATIENCE):
            raise Failed(f"careloom {' '.join(words)}: {status}\n{child.words()[-4000:]}")
        assert status == 0, f"careloom {' '.join(words)} goes on and on"
        return child.words()

    def start(self, name: str, work: Any, *given: Any) -> Child:
        """Begin a process of that name, with a new mark; what it prints goes to its log."""
        self._born += 1
        if name in self.marks:
            (self.home / f"{name}-{self._born - 1}.mark").unlink(missing_ok=True)
        file = self.home / f"{name}-{self._born}.mark"
        self.marks[name] = Mark(file)
        environment = {"CARELOOM_HOME": str(self.home), "CARELOOM_DATABASE_URL": self.url}
        printed = self.home / f"{name}.log"
        return born(watched, file, work, *given, environment=environment, printed=printed)

    def serve(self) -> Child:
        """Serve, without the worker; the visitors go there, and knock until it answers."""
        port = free_port()
        server = self.start("web", careloom, "run", "--port", str(port), "--no-work")
        self.visitors.go_on(port)
        return server

    def leads_file(self) -> Path:
        """New leads, one twice and one faulty, after those whose import may have been cut short."""
        self._files += 1
        path = self.home / f"leads-{self._files}.csv"
        rows = []
        for number in range(ROWS):
            external = f"r{self._files}-{number}"
            self.acknowledged.file_rows.add(external)
            mobile = f"1990{random.Random(external).randrange(10**7):07d}"
            rows.append(["美团", f"客户{external}", mobile, "超声洁治", "口腔", "2026-03-02 09:00"])
            rows[-1] += [external, "是"]
        self.unsettled += rows
        faulty = ["没有的渠道", *rows[1][1:6], f"r{self._files}-bad", "是"]
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADERS)
            writer.writerows([*self.unsettled, rows[0], faulty])
        return path

    def import_words(self) -> tuple[str, ...]:
        """The verb that brings all unsettled rows in, and some new ones."""
        return "import", "lead_intake", str(self.leads_file()), "--accept-good"


def open_clinic(url: str, home: Path, seed: int = 0) -> Clinic:
    """Set the demo clinic up, and have people who are to come to its door."""
    clinic = Clinic(url, home)
    clinic.careloom("setup", "--demo")
    token = clinic.careloom("tokens", "issue", "agent").split()[-1]
    clinic.visitors = Visitors(token, seed, threads=4, rest=REST_SECONDS)
    return clinic
