"""What a wheel carries: its users have neither Node nor a checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AREAS = ("platform", "runtime", "builders", "templates", "blueprints")
LEFT_OUT = {".md", ".ts", ".vue", ".css"}  # sources and pages for developers; svg comes built


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files in a wheel made of a copy of the checkout, so that nothing is left behind in it."""
    copy, out = tmp_path_factory.mktemp("copy") / "careloom", tmp_path_factory.mktemp("wheel")
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    for name in ("node_modules", "templates/static"):
        (copy / name).parent.mkdir(exist_ok=True)
        subprocess.run(["cp", "-r", str(ROOT / name), str(copy / name)], check=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), "."],
        cwd=copy,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        return {name.removeprefix("careloom/") for name in wheel.namelist()}


def test_a_wheel_carries_every_file_the_package_reads(names: set[str]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", *AREAS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wanted = {
        name
        for name in listed.stdout.splitlines()
        if Path(name).suffix not in LEFT_OUT and "/src/" not in name
    }
    assert not wanted - names


def test_a_wheel_carries_the_browser_side_built(names: set[str]) -> None:
    assert "templates/static/.vite/manifest.json" in names
    built = {name for name in names if name.startswith("templates/static/assets/")}
    assert {Path(name).suffix for name in built} >= {".js", ".css", ".gz", ".br"}
    assert not {name for name in names if name.startswith("tests/") or "/src/" in name}
