"""A disk of a few megabytes, in memory, to be filled to the last."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class Refused(Exception):
    """Nothing may be mounted here: it takes root."""


@dataclass
class SmallDisk:
    """Where it is mounted."""

    root: Path

    @property
    def _ballast(self) -> Path:
        return self.root / "ballast"

    def fill(self, spare: int) -> None:
        """Leave so many bytes of it free."""
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(self.root).free - spare)

    def clear(self) -> None:
        """There is room again."""
        self._ballast.unlink()


@contextmanager
def small_disk(root: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mounted until the end of the block."""
    root.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "careloom-tests", str(root)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr)
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)
