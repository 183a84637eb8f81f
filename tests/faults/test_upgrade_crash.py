"""`careloom setup` that crashes while it brings a database up leaves none of it, and run again it
brings up what an unbroken one does."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from kills.deeds import bring_up
from kills.longer import seed, times
from kills.nursery import KILLED, born
from prepared import dropped
from sqlalchemy import create_engine, inspect

from careloom.platform.store.upgrade import is_current

pytestmark = pytest.mark.timeout(3600)
Schema = dict[str, list[str]]


KINDS = ("sqlite", "postgresql")[: times("POINTS") // 2]  # the short form has SQLite's only


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wanted(kind: str, request: pytest.FixtureRequest) -> Schema:
    """What an unbroken one brings up."""
    template = request.getfixturevalue(f"{kind}_template")
    if kind == "sqlite":
        return schema(f"sqlite:///{template}")
    return schema(f"{request.getfixturevalue('postgresql')}/{template}")


@pytest.fixture
def empty(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """The address of an empty database, each time another."""
    made: list[str] = []

    def another() -> str:
        made.append(f"sqlite:///{tmp_path / str(len(made))}.db")
        if kind == "postgresql":
            server, name = request.getfixturevalue("postgresql"), f"t_{uuid4().hex}"
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            made[-1] = f"{server}/{name}"
        return made[-1]

    yield another
    for url in made:
        if url.startswith("postgresql"):
            dropped(url)


def test_an_upgrade_that_crashes_is_whole_or_not_at_all(
    empty: Callable[[], str],
    wanted: Schema,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    def brought_up(url: str, *at: object) -> int | None:
        child = born(bring_up, url, *at, environment={}, printed=tmp_path / "log")
        return child.ended(120)

    chance, most = random.Random(shown := seed()), min(times("POINTS") // 2, 40)
    writes = range(1, len(wanted) + 1)  # as many as tables there are at least
    points = [("before_commit", 1), *(("write", n) for n in chance.sample(writes, len(writes)))]
    for point, number in chance.sample(points[: most + 1], most):
        url, at = empty(), f"{point} {number}, seed {shown}"
        assert brought_up(url, point, number) == KILLED, at
        assert schema(url) == {}, at
        assert brought_up(url) == 0, at
        assert is_current(url) and schema(url) == wanted, at
    record_property("crash points", most)


def schema(url: str) -> Schema:
    """Table -> its columns and indexes."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    looked = inspect(engine)
    found = {
        table: sorted(
            f"{kind} {each['name']}"
            for kind, all_of in (
                ("column", looked.get_columns(table)),
                ("index", looked.get_indexes(table)),
            )
            for each in all_of
        )
        for table in looked.get_table_names()
    }
    engine.dispose()
    return found
