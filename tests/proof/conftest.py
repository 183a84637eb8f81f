"""Databases that a whole module asks and none changes, and the clinic in each kind of them."""

from pathlib import Path
from typing import Any

import pytest
from served import demo_home
from shared import shared_postgresql_url, shared_sqlite_url

from careloom.platform.store.database import open_database

from .clinic import open_clinic

__all__ = ["demo_home", "shared_postgresql_url", "shared_sqlite_url"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def clinic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    home: Path = tmp_path_factory.mktemp("home")
    database = open_database(request.getfixturevalue(f"shared_{request.param}_url"), home)
    yield open_clinic(database, home)
    database.close()
