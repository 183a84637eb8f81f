"""Where files' bytes live: a folder of this machine, or an S3-like bucket that machines share.

A home knows ids and bytes, and nothing of names, people or rights. What is put is there whole or
not at all. One machine is served by the folder; more than one need the bucket.
"""

import logging
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO, Protocol

from .away import no_room
from .errors import Unavailable
from .synced import sync_folder

log = logging.getLogger("careloom.files")

ID = re.compile(r"[0-9a-f]{32}")
CHUNK = 1 << 20


class Missing(Exception):
    """There are no bytes under this id."""


class Bodies(Protocol):
    """A home of bytes. Each may raise Unavailable when its home cannot be reached."""

    def put(self, file_id: str, source: BinaryIO) -> None:
        """Keep all bytes from the source's place on; safe on the disk when this returns."""

    def open(self, file_id: str) -> BinaryIO:
        """The bytes, to read from the beginning and to be closed. Raises Missing."""

    def remove(self, file_id: str) -> None:
        """Let the bytes go, if they are there."""

    def listed(self) -> Iterator[tuple[str, datetime]]:
        """Every id there is, with when its bytes were written by the home's own clock (UTC)."""

    def tidy(self, before: datetime) -> None:
        """Remove what writers that were killed before then left half written."""


@contextmanager
def answering() -> Iterator[None]:
    """What the disk answers with is told as Unavailable, and to the log."""
    try:
        yield
    except OSError as error:
        log.error("the disk of the files answers: %s", error.strerror or type(error).__name__)
        raise Unavailable("E_DISK_FULL" if no_room(error) else "E_FILES_AWAY") from error


class Folder:
    """Files in a folder of this machine, spread over 256 folders by their first two digits."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parts = root / "parts"

    def put(self, file_id: str, source: BinaryIO) -> None:
        path, part = self._path(file_id), self._parts / f"{file_id}.{secrets.token_hex(4)}"
        with answering():
            for folder in (self._parts, path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._write(part, source)
                os.replace(part, path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            for folder in (path.parent, self._root):  # the file's name, and its folder's
                sync_folder(folder)

    def _write(self, part: Path, source: BinaryIO) -> None:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            copyfileobj(source, out, CHUNK)
            out.flush()
            os.fsync(out.fileno())

    def open(self, file_id: str) -> BinaryIO:
        with answering():
            try:
                return self._path(file_id).open("rb")
            except (FileNotFoundError, IsADirectoryError):
                raise Missing(file_id) from None

    def remove(self, file_id: str) -> None:
        self._path(file_id).unlink(missing_ok=True)

    def listed(self) -> Iterator[tuple[str, datetime]]:
        for path in self._root.glob("[0-9a-f][0-9a-f]/*"):
            if ID.fullmatch(path.name) and (written := _written(path)) is not None:
                yield path.name, written

    def tidy(self, before: datetime) -> None:
        for part in self._parts.glob("*"):
            if (written := _written(part)) is not None and written < before:
                part.unlink(missing_ok=True)

    def _path(self, file_id: str) -> Path:
        if not ID.fullmatch(file_id):
            raise ValueError(f"{file_id!r} is no file's id")
        return self._root / file_id[:2] / file_id


def _written(path: Path) -> datetime | None:
    """When a file was last written; None when another process was faster and it is gone."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
