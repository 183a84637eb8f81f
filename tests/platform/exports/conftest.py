"""The desk, over SQLite and over each kind of database."""

from pathlib import Path

import pytest

from careloom.platform.store.database import Database

from .desk import Desk, open_desk


@pytest.fixture
def desk(sqlite: Database, tmp_path: Path) -> Desk:
    return open_desk(sqlite, tmp_path / "home")


@pytest.fixture
def either_desk(database: Database, tmp_path: Path) -> Desk:
    return open_desk(database, tmp_path / "home")
