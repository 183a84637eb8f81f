"""Folders for what is thrown away: they may hold anybody's data, so what a killed process left in
one is removed too."""

import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal, get_args

log = logging.getLogger("careloom.scratch")

Purpose = Literal["export", "rehearsal", "stories"]
DAY = timedelta(days=1)
_OURS = re.compile(f"careloom-(?:{'|'.join(get_args(Purpose))})-[a-z0-9_]+")


@contextmanager
def scratch(purpose: Purpose) -> Iterator[Path]:
    """A new folder that no other user may look into, gone afterwards with all that is in it."""
    with tempfile.TemporaryDirectory(prefix=f"careloom-{purpose}-") as folder:
        yield Path(folder)


def sweep_scratch(kept_for: timedelta = DAY) -> int:
    """Remove the folders that are older than any work in one takes; returns how many.

    They lie where every user of the machine may put things: what bears such a name and is another
    user's, or a link to elsewhere, is left alone.
    """
    before = time.time() - kept_for.total_seconds()
    gone = 0
    with os.scandir(tempfile.gettempdir()) as found:
        for each in found:
            if _OURS.fullmatch(each.name) and _is_left(each, before):
                log.warning("%s was left by a process that was killed; it is removed", each.path)
                shutil.rmtree(each.path, ignore_errors=True)
                gone += 1
    return gone


def _is_left(each: os.DirEntry[str], before: float) -> bool:
    try:
        found = each.stat(follow_symlinks=False)
    except FileNotFoundError:  # another process was quicker
        return False
    mine = each.is_dir(follow_symlinks=False) and found.st_uid == os.geteuid()
    return mine and found.st_mtime < before
