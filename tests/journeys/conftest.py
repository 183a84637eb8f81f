"""The demo clinic, set up by the command, on a database of each kind."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from careloom_command import Command
from prepared import copied, dropped


@pytest.fixture(params=["sqlite", "postgresql"])
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Command]:
    """`careloom setup --demo` done, once in the run; a copy of it for each test."""
    kind = request.param
    if kind == "sqlite":
        bare = f"sqlite:///{request.getfixturevalue('sqlite_template')}"
    else:
        server = request.getfixturevalue("postgresql")
        bare = f"{server}/{request.getfixturevalue('postgresql_template')}"

    def build(home: Path) -> Command:
        command = Command(home, copied(bare, home))
        command.run("setup", "--demo")
        return command

    made = servers.once(f"set-up-{kind}", build)[1]
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    yield (command := Command(home, copied(made.url, home)))
    if kind == "postgresql":
        dropped(command.url)
