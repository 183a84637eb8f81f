"""The files and the page for production agree with each other and with the program.

That they work is tried on a freshly made machine: `python -m scale.clean_machine`.
"""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import lacking

from careloom.platform.cli import main
from careloom.platform.web.settings import SETTINGS
from careloom.runtime.work.verbs import work
from scale.guide import DEPLOY, PAGE, blocks, script

VERBS = {**main.commands, "work": work}
NAMES = {setting.name for setting in SETTINGS}
PROGRAM = "/opt/careloom/current/bin/careloom"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]


def unit(path: Path) -> Any:
    """A unit's sections; of a key that is there twice, the last."""
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


def knows(words: list[str]) -> bool:
    """Whether `careloom WORDS` is a verb with these options."""
    command = VERBS[words[0]]
    options = {name for parameter in command.params for name in parameter.opts}
    return {word for word in words if word.startswith("--")} <= options


def test_the_page_is_a_script_that_a_shell_can_read() -> None:
    assert len(blocks()) > 10
    subprocess.run(["bash", "-n"], input=script(), text=True, check=True)


def test_the_page_uses_every_file_there_is() -> None:
    page = PAGE.read_text("utf-8")
    for path in DEPLOY.iterdir():
        assert f"DEPLOY/{path.name}" in page or f"deploy/{path.name}" in page, path.name


def test_the_page_names_verbs_that_exist() -> None:
    said = re.findall(r"(?m)^(?:careloom|drill) ([a-z].*)$", script())
    assert len(said) > 5
    for words in said:
        assert words.split()[0] in VERBS, words


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_unit_starts_a_verb_that_exists_as_an_ordinary_user(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["User"] == "careloom" and service["NoNewPrivileges"] == "yes"
    assert service["EnvironmentFile"] == "/etc/careloom/careloom.env"
    words = re.search(rf"{PROGRAM} ([^\"']+)", service["ExecStart"])
    assert words is not None and knows(words[1].split())


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """With programs that are here instead of those that are not."""
    if shutil.which("systemd-analyze") is None:
        lacking("systemd-analyze")
    for path in UNITS:
        words = path.read_text().replace(PROGRAM, "/bin/true")
        (tmp_path / path.name).write_text(words.replace("/usr/bin/curl", "/bin/true"))
    named = [str(tmp_path / path.name.replace("@", "@8001")) for path in UNITS]
    for path in UNITS:
        if "@" in path.name:
            (tmp_path / path.name.replace("@", "@8001")).symlink_to(tmp_path / path.name)
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *named], capture_output=True, text=True
    )
    ours = [line for line in told.stderr.splitlines() if "careloom" in line]
    assert not ours


def test_the_settings_file_names_settings_that_exist() -> None:
    words = (DEPLOY / "careloom.env").read_text()
    named = set(re.findall(r"(?m)^(?:# )?([A-Z_]+)=\"", words))
    assert named - {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= NAMES
    assert {"CARELOOM_SECRET", "CARELOOM_REDIS_URL", "CARELOOM_PUBLIC_URL"} <= named


def test_the_compose_file_runs_what_the_page_runs() -> None:
    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = made["services"]
    assert set(services) == {"database", "redis", "setup", "web", "work"}
    for name in ("setup", "web", "work"):
        service = services[name]
        assert service["command"][0] == "careloom" and knows(service["command"][1:])
        assert set(service["environment"]) <= NAMES
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert set(service["depends_on"]) <= set(services)
        assert {mount.split(":")[0] for mount in service["volumes"]} <= set(made["volumes"])
    assert (
        services["web"]["deploy"]["replicas"] == 2 and services["work"]["deploy"]["replicas"] == 3
    )
    ports = services["web"]["ports"]
    assert all(port.startswith("127.0.0.1:") for port in ports)
