"""The demo clinic, set up by the command, on a database of each kind."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from careloom_command import Command
from prepared import copied, dropped


@pytest.fixture(scope="session")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Command]:
    """Bare database's kind -> the demo clinic in it; copied, never opened."""
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
def demo(
    request: pytest.FixtureRequest,
    set_up: dict[str, Command],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Command]:
    """`careloom setup --demo` done."""
    kind = request.param
    if kind not in set_up:
        home = tmp_path_factory.mktemp(kind)
        if kind == "sqlite":
            bare = f"sqlite:///{request.getfixturevalue('sqlite_template')}"
        else:
            server = request.getfixturevalue("postgresql")
            bare = f"{server}/{request.getfixturevalue('postgresql_template')}"
        set_up[kind] = Command(home, copied(bare, home))
        set_up[kind].run("setup", "--demo")
    made = set_up[kind]
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    yield (command := Command(home, copied(made.url, home)))
    if kind == "postgresql":
        dropped(command.url)
