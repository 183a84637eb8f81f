"""A throw-away copy of the package, in which holes are made."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .hole import Hole

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("__init__.py", "platform", "runtime", "builders", "templates", "blueprints")


def copied(folder: Path) -> Path:
    """The package under `folder`, compiled files and all; returns what goes on `sys.path`."""
    there = folder / "careloom"
    there.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, there / part)
        else:
            shutil.copy2(source, there / part)
    return folder


@contextmanager
def holed(tree: Path, hole: Hole) -> Iterator[None]:
    """The copy with one hole in it, mended afterwards. Raises Moved."""
    path = tree / "careloom" / hole.file
    whole = path.read_text("utf-8")
    cut = hole.cut(whole)
    compiled = path.parent / "__pycache__"
    for old in compiled.glob(f"{path.stem}.*.pyc"):
        old.unlink()
    path.write_text(cut, "utf-8")
    try:
        yield
    finally:
        path.write_text(whole, "utf-8")
        for old in compiled.glob(f"{path.stem}.*.pyc"):
            old.unlink()
