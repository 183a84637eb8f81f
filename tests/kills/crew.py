"""The processes at work on one clinic: they live on from kill to kill, and who was killed is born
again while the others work."""

import random
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from . import agent
from .clinic import PATIENCE, Clinic, Failed
from .nursery import Child, careloom

NAMES = ("import", "work", "agent", "web")
STOPS_WITHIN = 0.002  # seconds until a signal has reached every thread of a process


@dataclass
class Crew:
    """Import, worker, agent and server. missed: how often nothing was under way, so that the
    process went on and was looked at again."""

    clinic: Clinic
    chance: random.Random
    running: dict[str, Child] = field(default_factory=dict)
    missed: int = 0
    _told: int = 0  # how many submissions were answered when the server was born

    def fill(self, names: Iterable[str] = NAMES) -> None:
        """Whoever of these is not there begins. Raises Failed for one that ended by itself and
        should not have; an import's end is that all rows so far are in."""
        for name in names:
            child = self.running.get(name)
            if child is not None and child.runs():
                continue
            if child is not None:
                if name != "import" or child.ended(0) != 0:
                    raise Failed(f"{name} ended by itself:\n{child.words()[-4000:]}")
                self.clinic.unsettled.clear()
            self.running[name] = self._begin(name)

    def _begin(self, name: str) -> Child:
        if name == "web":
            self._told = len(self.clinic.visitors.told)
            return self.clinic.serve()
        if name == "agent":
            return self.clinic.start(name, agent.main, self.chance.randrange(10**9))
        words = self.clinic.import_words() if name == "import" else ("work",)
        return self.clinic.start(name, careloom, *words)

    def kill(self, names: Iterable[str]) -> list[str]:
        """Kill these at a random moment at which one of them at least is in the middle of
        something; who was. Raises Failed when none ever is."""
        chosen, until = tuple(names), time.monotonic() + PATIENCE
        # An import that ends meanwhile need not begin anew: it would have ever more to follow up.
        needed = [name for name in NAMES if name in chosen or name != "import"]
        while time.monotonic() < until:
            self.fill(needed)
            time.sleep(self.chance.uniform(0, 0.01))
            if not all(self._at_work(name) for name in chosen):
                continue
            for name in chosen:
                self.running[name].send(signal.SIGSTOP)
            time.sleep(STOPS_WITHIN)
            hit = [name for name in chosen if self._in_the_middle(name)]
            for name in chosen:
                self.running[name].send(signal.SIGCONT) if not hit else self._end(name)
            if hit:
                return hit
            self.missed += 1
        raise Failed(f"{', '.join(chosen)}: never in the middle of anything")

    def _at_work(self, name: str) -> bool:
        """Whether it has come so far; a server that nobody has an answer from is not worth a
        kill."""
        if name == "web" and len(self.clinic.visitors.told) == self._told:
            return False
        return self.clinic.marks[name].looked_at

    def _in_the_middle(self, name: str) -> bool:
        return self.running[name].runs() and self.clinic.marks[name].under_way

    def _end(self, name: str) -> None:
        child = self.running.pop(name)
        child.kill()
        if name == "agent":
            self.clinic.acknowledged.read(child.words())

    def leave(self) -> None:
        """Have every submission that was begun answered, some task done and the import finished;
        then nobody is at work. Raises Failed for what never is."""
        self.fill()
        self._have_a_task_done()
        self.clinic.visitors.end(PATIENCE)
        if self.running["import"].ended(PATIENCE) != 0:
            words = self.running["import"].words()
            raise Failed(f"the import failed by itself:\n{words[-4000:]}")
        self.clinic.unsettled.clear()
        self.end()

    def _have_a_task_done(self) -> None:
        """On a slow machine it may be that none was, before the agent was killed again."""
        known, until = self.clinic.acknowledged, time.monotonic() + PATIENCE
        while not known.tasks:
            if time.monotonic() > until:
                raise Failed("agent: no task is ever done")
            self.fill(("work", "agent"))
            known.read(self.running["agent"].words())
            time.sleep(0.05)

    def end(self) -> None:
        """Whatever still runs, and nobody is at the door."""
        self.clinic.visitors.pause()
        for name in tuple(self.running):
            self._end(name)
