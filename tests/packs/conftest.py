"""What tests of packs are given: the demo clinic, and its people by login."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import servers

import careloom.platform.records.kinds  # noqa: F401  registers the platform's kinds
from careloom.platform.definitions.kinds import register
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.verbs.demo import load_demo
from careloom.runtime.flows.check import FLOW
from careloom.runtime.forms.view_kind import VIEW
from careloom.runtime.printouts.check import PRINTOUT
from careloom.runtime.reports.check import REPORT
from careloom.runtime.reports.dashboard import DASHBOARD

FOUNDED = datetime(2026, 3, 1, tzinfo=UTC)  # before any test's clock, for grants begin with it

for kind in (FLOW, REPORT, DASHBOARD):
    register(kind)
register(VIEW)
register(PRINTOUT)


@pytest.fixture(scope="session")
def demo_home(sqlite_template: Path) -> Path:
    """A folder whose careloom.db holds the demo clinic; copy it, never open it."""

    def build(home: Path) -> None:
        shutil.copyfile(sqlite_template, home / "careloom.db")
        database = open_database(f"sqlite:///{home}/careloom.db", home, TurnedClock(FOUNDED))
        load_demo(database)
        database.close()

    return servers.once("demo-founded", build)[0]


@pytest.fixture(scope="module")
def demo(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The demo clinic, one for the module; tests only add to it."""
    home = tmp_path_factory.mktemp("module") / "home"
    shutil.copytree(demo_home, home)
    database = open_database(f"sqlite:///{home}/careloom.db", home)
    yield database
    database.close()
