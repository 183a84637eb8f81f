"""The small clinic, on each database in turn."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prepared import Templates, copied, dropped

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database

from .clinic import Clinic, clinic_in, plug_in


def _copy(templates: Templates, bare: str, home: Path, clock: TurnedClock) -> Iterator[Clinic]:
    plug_in()
    template = templates.of(bare, clinic_in, TurnedClock(clock.now()))
    shutil.copytree(template.home, home)
    url = copied(template.url, home)
    database = open_database(url, home, clock)
    yield replace(template.result, database=database)
    database.close()
    if database.dialect == "postgresql":
        dropped(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def clinic(
    request: pytest.FixtureRequest, templates: Templates, tmp_path: Path, clock: TurnedClock
) -> Iterator[Clinic]:
    """Two branches, their people, three forms and the flow follow_up."""
    if request.param == "sqlite":
        bare = f"sqlite:///{request.getfixturevalue('sqlite_template')}"
    else:
        server = request.getfixturevalue("postgresql")
        bare = f"{server}/{request.getfixturevalue('postgresql_template')}"
    yield from _copy(templates, bare, tmp_path / "home", clock)


@pytest.fixture
def sqlite_clinic(
    templates: Templates, sqlite_template: Path, tmp_path: Path, clock: TurnedClock
) -> Iterator[Clinic]:
    """The same on SQLite only, for what does not depend on the kind."""
    yield from _copy(templates, f"sqlite:///{sqlite_template}", tmp_path / "home", clock)
