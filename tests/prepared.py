"""What many tests begin with: built once for each kind of database, copied for each test."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from careloom.platform.store.clock import Clock
from careloom.platform.store.database import Database, open_database

Build = Callable[[Database], Any]


@dataclass
class Template:
    """A finished database that nobody opens any more: its address, its data folder, and what the
    builder returned."""

    url: str
    home: Path
    result: Any


@dataclass
class Templates:
    """The templates of one test process; their folders lie in `folder`."""

    folder: Path
    built: dict[tuple[str, Build], Template] = field(default_factory=dict)

    def of(self, bare: str, build: Build, clock: Clock) -> Template:
        """A builder's template, made in a copy of the migrated database at `bare` when it is
        first asked for."""
        key = bare, build
        if key not in self.built:
            home = self.folder / uuid4().hex
            url = copied(bare, home)
            database = open_database(url, home, clock)
            result = build(database)
            database.close()
            self.built[key] = Template(url, home, result)
        return self.built[key]


def copied(template: str, home: Path) -> str:
    """A new database like the one at `template`; its address. SQLite's file is put into `home`."""
    if template.startswith("sqlite"):
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template.removeprefix("sqlite:///"), home / "careloom.db")
        return f"sqlite:///{home}/careloom.db"
    server, _, known = template.rpartition("/")
    name = f"t_{uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {known} STRATEGY FILE_COPY")
    return f"{server}/{name}"


def dropped(url: str) -> None:
    """The end of a PostgreSQL database, whoever is still connected to it."""
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
