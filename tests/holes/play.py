"""Run the named tests against the copy, one forked process for each hole.

What comes from outside (SQLAlchemy, Flask, pytest …) is imported once, before any fork; the house
itself is imported by each process anew, from the copy, so that the hole is in it.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
import servers

from .hole import Hole
from .tree import ROOT, holed

TESTS = ROOT / "tests"
OUTSIDE = (
    "alembic.command alembic.autogenerate argon2 chinese_calendar cryptography.hazmat.primitives"
    " defusedxml.ElementTree flask hypothesis jsonschema jsonschema_rs lark openpyxl PIL.Image"
    " playwright.sync_api psycopg puremagic pypinyin redis rq sqlalchemy.dialects.postgresql"
    " sqlalchemy.dialects.sqlite sqlalchemy.orm werkzeug.middleware.proxy_fix werkzeug.test"
).split()
SECONDS = 240


@dataclass
class Outcome:
    """What the tests said. failed: test -> the kind of what was raised; broken: before a test."""

    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    met: bool = False
    seconds: float = 0.0

    def caught(self, hole: Hole) -> bool:
        """Whether a test failed because of what it asserts, in code that had the hole in it."""
        kinds = set(self.failed.values())
        return self.met and not self.broken and not kinds.isdisjoint({*ASSERTED, hole.shows})

    @property
    def whole(self) -> bool:
        """Whether all went well, and something was tried."""
        return bool(self.passed) and not self.failed and not self.broken


#: an assertion, or pytest's own word that a refusal did not come
ASSERTED = {"AssertionError", "Failed"}


class Watcher:
    """Hears what pytest says of each test."""

    def __init__(self) -> None:
        self.outcome = Outcome()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcome.broken.append(f"{report.nodeid}: {report.longreprtext[-1500:]}")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Iterator[None]:
        made = yield
        report = made.get_result()  # type: ignore[attr-defined]
        if report.when == "call" and report.passed:
            self.outcome.passed.append(item.nodeid)
        elif report.skipped:
            self.outcome.broken.append(f"{item.nodeid} was skipped")
        elif report.failed and report.when == "call":
            assert call.excinfo is not None
            self.outcome.failed[item.nodeid] = call.excinfo.type.__name__
        elif report.failed:
            self.outcome.broken.append(f"{item.nodeid}: {report.longreprtext[-1500:]}")


def play(tree: Path, holes: Sequence[Hole], whole: bool = False) -> Iterator[tuple[Hole, Outcome]]:
    """Each hole with what its tests said; whole: with no hole in the copy."""
    for name in OUTSIDE:
        importlib.import_module(name)
    for hole in holes:
        began = time.monotonic()
        with nullcontext() if whole else holed(tree, hole):
            outcome = _apart(tree, hole)
        outcome.seconds = round(time.monotonic() - began, 2)
        yield hole, outcome


def _apart(tree: Path, hole: Hole) -> Outcome:
    """In a process of its own, whose end is waited for."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            told = json.dumps(asdict(_tried(tree, hole)))
            with os.fdopen(writing, "w") as out:
                out.write(told)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    _, status = os.waitpid(child, 0)
    if status or not said:
        return Outcome(broken=[f"the process ended with {status}"])
    return Outcome(**json.loads(said))


def _tried(tree: Path, hole: Hole) -> Outcome:
    """Run the hole's tests here, against the copy."""
    sys.path.insert(0, str(tree))
    os.chdir(ROOT)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.environ[servers.OF] = f"-{os.getpid()}"  # what was built without the hole would hide it
    watcher = Watcher()
    # A fault that hangs must not hang us: pytest-timeout kills the process, which is told above.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # none other is needed, and they are slow
    settings = ["-x", "-q", "-c", "setup.cfg", "-p", "no:cacheprovider", "-p", "pytest_timeout"]
    settings.append(f"--timeout={SECONDS}")
    pytest.main([*settings, *(str(TESTS / test) for test in hole.tests)], plugins=[watcher])
    watcher.outcome.met = _met(tree, hole.file)
    return watcher.outcome


def _met(tree: Path, file: str) -> bool:
    """Whether the house was imported from the copy, and the holed file with it."""
    house = sys.modules.get("careloom")
    if house is None or house.__file__ != str(tree / "careloom" / "__init__.py"):
        return False
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    imported = file.endswith(".py") and "migrations" not in file  # Alembic keeps those to itself
    return not imported or str(tree / "careloom" / file) in files
