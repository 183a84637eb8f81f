"""Databases that a whole module asks and none changes."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest


@pytest.fixture(scope="module")
def shared_sqlite_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SQLite database for a module."""
    path = tmp_path_factory.mktemp("shared") / "careloom.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def shared_postgresql_url(postgresql: str, postgresql_template: str) -> Iterator[str]:
    """A PostgreSQL database for a module; dropped afterwards."""
    name = f"t_{uuid4().hex}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {postgresql_template} STRATEGY FILE_COPY"
        )
        yield f"{postgresql}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
