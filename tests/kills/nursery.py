"""Processes born warm: forked from one that has imported Careloom already.

A process that is killed within a second or two should not spend five on imports; so a thousand
kills cost little more than what the thousand do before they are killed. Each is a process of its
own in every other way: its own group, its own connections, its own end.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
KILLED = -signal.SIGKILL


@dataclass
class Child:
    """A running process. printed: the file that all it prints goes to, errors too."""

    process: BaseProcess
    printed: Path
    since: int  # where in the file its own words begin

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.is_alive()

    def send(self, number: int) -> None:
        """A signal to it and to all that it has started."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            self.process.kill()  # it has no group of its own yet, or has ended

    def kill(self) -> None:
        """As when the power goes; waits until it is gone."""
        self.send(signal.SIGKILL)
        self.process.join(30)

    def ended(self, seconds: float) -> int | None:
        """Wait for its end; its status as the shell tells it, negative for a signal."""
        self.process.join(seconds)
        return self.process.exitcode

    def words(self) -> str:
        """What it has printed."""
        with self.printed.open(errors="replace") as file:
            file.seek(self.since)
            return file.read()


def born(
    work: Callable[..., None], *given: Any, environment: Mapping[str, str], printed: Path
) -> Child:
    """Begin a process that does `work(*given)` in an environment, then leaves."""
    printed.touch()
    child = _context().Process(
        target=_live, args=(dict(environment), str(printed), work, given), daemon=False
    )
    since = printed.stat().st_size
    child.start()
    return Child(child, printed, since)


def careloom(*words: str) -> None:
    """In a child: the careloom command."""
    from careloom.platform.cli import main

    main.main(args=list(words), prog_name="careloom")


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kills.warm"])
    # The forkserver finds what it is to import by this alone.
    known = os.environ.get("PYTHONPATH", "")
    if str(TESTS) not in known.split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(TESTS), known)))
    return context


def _live(environment: dict[str, str], printed: str, work: Any, given: tuple[Any, ...]) -> None:
    os.setsid()
    multiprocessing.set_start_method("fork", force=True)  # the way of an ordinary process
    out = os.open(printed, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(out, number)
    os.close(out)
    os.environ.update(environment)
    work(*given)
