"""What a folder says survives the loss of power."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Have the names of its files, and that one is gone, safe on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
