"""The demo clinic, set up by the command, on a database of each kind."""

from pathlib import Path

import pytest
from careloom_command import Command


@pytest.fixture
def demo(database_url: str, tmp_path: Path) -> Command:
    """`careloom setup --demo` done."""
    command = Command(tmp_path / "home", database_url)
    command.run("setup", "--demo")
    return command
