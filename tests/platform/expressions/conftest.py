"""The evaluators a formula is asked of: Node with the browser's, a database of each kind."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from formulas.evaluators import ROOT, Browser, Sql


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """runtime/src/evaluate.ts, bundled and running."""
    if shutil.which("node") is None or not (ROOT / "node_modules/.bin/rolldown").exists():
        pytest.skip("Node and the browser's packages are not installed (`make build`)")
    started = Browser(tmp_path_factory.mktemp("browser"))
    yield started
    started.close()


@pytest.fixture
def databases(postgresql: str, tmp_path: Path) -> Iterator[list[Sql]]:
    """Empty tables of the formulas' world on SQLite and PostgreSQL."""
    name = f"formulas_{uuid4().hex}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        address = postgresql.replace("postgresql://", "postgresql+psycopg://")
        opened = [Sql(f"sqlite:///{tmp_path / 'world.db'}"), Sql(f"{address}/{name}")]
        yield opened
        for database in opened:
            database.close()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
