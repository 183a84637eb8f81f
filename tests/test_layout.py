"""The walls of the house: what the folder layout promises."""

import ast
import platform
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AREAS = ("platform", "runtime", "builders")  # each may use those before it

# Inside an area each room may use those below it; rooms on one floor do not know one another.
FLOORS = {
    "platform": (
        {"cli"},
        {"verbs"},
        {"verbs"},
        {"web"},
        {"exports", "packs"},
        {"records"},
        {"definitions"},
        {"identity"},
        {"events", "paper"},
        {"store", "expressions", "outbound"},
    ),
    "runtime": (
        {"area"},
        {"demo", "stories"},
        {"work"},
        {"flows"},
        {"automations"},
        {"steps"},
        {"actions", "printouts"},
        {"forms", "reports", "channels", "tasks", "timers"},
    ),
    "builders": ({"area"}, {"desk"}, {"rehearse"}),
}
OUTSIDE = ("platform/store/migrations",)  # Alembic runs these; they say careloom.…
WORN_OUT = {
    "manager",
    "handler",
    "handlers",
    "helper",
    "helpers",
    "utils",
    "base",
    "common",
    "impl",
}
MOST_LINES = 400


def sources() -> list[Path]:
    """Every Python file inside the house."""
    return [
        path
        for area in AREAS
        for path in sorted((ROOT / area).rglob("*.py"))
        if "node_modules" not in path.parts
    ]


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything that stands in a file, read once."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def imports(path: Path) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Each relative import: its line, its dots, and what it names from the root on."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and node.level:
            start = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                yield node.lineno, node.level, (*start, *name.split("."))


def floor(area: str, room: str) -> int:
    """How high up a room stands; the ground is 0."""
    floors = FLOORS[area]
    for height, rooms in enumerate(reversed(floors)):
        if room in rooms:
            return height
    raise AssertionError(f"{area}/{room} has no floor: give it one here and in the README's map")


def is_outside(path: Path) -> bool:
    return str(path.relative_to(ROOT)).startswith(OUTSIDE)


def test_stdlib_platform_is_untouched() -> None:
    assert platform.python_version()
    for area in AREAS:
        assert not (ROOT / area / "__init__.py").exists()


def test_imports_inside_the_house_are_relative() -> None:
    for path in sources():
        if is_outside(path):
            continue
        for node in nodes(path):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [node.module]
            for name in names:
                assert name.split(".")[0] != "careloom", f"{path}:{node.lineno}: import relatively"


def test_setup_cfg_lists_every_package() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = {"careloom"} | {
        ".".join(("careloom", *path.parent.relative_to(ROOT).parts)) for path in sources()
    }
    found |= {f"careloom.{area}" for area in AREAS if (ROOT / area).is_dir()}
    assert found <= listed
    assert not [name for name in listed if not ROOT.joinpath(*name.split(".")[1:]).is_dir()]


def test_no_module_bears_a_standard_name() -> None:
    names = {path.stem for path in sources()}
    names |= {path.name for area in AREAS for path in (ROOT / area).glob("*") if path.is_dir()}
    assert not (names - {"__init__"}) & sys.stdlib_module_names


def test_no_module_bears_a_worn_out_name() -> None:
    assert not {path.stem for path in sources()} & WORN_OUT


def test_areas_import_downward_only() -> None:
    for path in sources():
        area = path.relative_to(ROOT).parts[0]
        for line, _dots, target in imports(path):
            allowed = AREAS[: AREAS.index(area) + 1]
            assert target[0] in allowed, f"{path}:{line}: {area} may not use {target[0]}"


def test_rooms_import_downward_only() -> None:
    wrong = []
    for path in sources():
        area, *rest = path.relative_to(ROOT).parts
        room = rest[0].removesuffix(".py")
        for line, _dots, target in imports(path):
            if target[0] != area or target[1] == room:
                continue
            if floor(area, target[1]) >= floor(area, room):
                wrong.append(f"{area}/{'/'.join(rest)}:{line} uses {target[1]}")
    assert not wrong, "\n".join(wrong)


def test_one_dot_is_this_room_and_three_another_area() -> None:
    wrong = []
    for path in sources():
        parts = path.relative_to(ROOT).parts
        for line, dots, target in imports(path):
            shared = 0
            while shared < len(parts) - 1 and target[shared : shared + 1] == (parts[shared],):
                shared += 1
            if dots != len(parts) - shared:
                wrong.append(f"{path}:{line}: {len(parts) - shared} dots would do")
    assert not wrong, "\n".join(wrong)


def test_every_room_says_what_it_is_for() -> None:
    for path in sources():
        if path.name == "__init__.py":
            assert ast.get_docstring(ast.parse(path.read_text())), f"{path}: one line at least"


@pytest.mark.parametrize("kind", ["py", "ts", "vue", "css", "html"])
def test_no_file_outgrows_its_room(kind: str) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", f"*.{kind}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    lines = {path: len(path.read_text().splitlines()) for path in files if path.exists()}
    assert not {str(path): count for path, count in lines.items() if count > MOST_LINES}


def test_the_root_holds_no_python_of_its_own() -> None:
    assert [path.name for path in ROOT.glob("*.py")] == ["__init__.py"]


def test_the_lock_file_names_no_address() -> None:
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
