"""A disk that answers with an I/O error: to what SQLite reads, writes, syncs and cuts off, and to
the system's calls by which an attached file is put.

SQLite keeps a table of functions for every file it opens; a copy of it is put in its place whose
functions count, fail when they are to, and else do what the first would have.
"""

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

POINTER, INT, INT64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
#: SQLITE_IOERR with what was to be done: READ, WRITE, FSYNC, TRUNCATE
CODES = {"xRead": 266, "xWrite": 778, "xSync": 1034, "xTruncate": 1546}
SHAPES = {
    "xRead": ctypes.CFUNCTYPE(INT, POINTER, POINTER, INT, INT64),
    "xWrite": ctypes.CFUNCTYPE(INT, POINTER, POINTER, INT, INT64),
    "xSync": ctypes.CFUNCTYPE(INT, POINTER, INT),
    "xTruncate": ctypes.CFUNCTYPE(INT, POINTER, INT64),
}
OPEN = ctypes.CFUNCTYPE(INT, POINTER, POINTER, POINTER, INT, POINTER)
#: what stands in sqlite3_io_methods behind its version, as far as it has been there always
METHODS = (
    *("xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock"),
    *("xCheckReservedLock", "xFileControl", "xSectorSize", "xDeviceCharacteristics"),
    *("xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch"),
)


class Methods(ctypes.Structure):
    """sqlite3_io_methods."""

    _fields_ = [("iVersion", INT), *((name, POINTER) for name in METHODS)]


class Vfs(ctypes.Structure):
    """The beginning of sqlite3_vfs."""

    _fields_ = [
        *(("iVersion", INT), ("szOsFile", INT), ("mxPathname", INT), ("pNext", POINTER)),
        *(("zName", ctypes.c_char_p), ("pAppData", POINTER), ("xOpen", POINTER)),
    ]


class NoLibrary(Exception):
    """Python's SQLite is no library of its own here, and cannot be reached into."""


@dataclass
class BadDisk:
    """fails_at: the number of the call that fails, from 1; 0: none. lasts: and every one after it.
    calls: how many there were since it was set."""

    fails_at: int = 0
    lasts: bool = False
    calls: int = 0
    _kept: dict[int, Any] = field(default_factory=dict)

    def set(self, fails_at: int, lasts: bool = False) -> None:
        """From now on it is counted."""
        self.fails_at, self.lasts, self.calls = fails_at, lasts, 0

    def fails(self) -> bool:
        """Count a call, and say whether it is one that fails."""
        self.calls += 1
        if not self.fails_at:
            return False
        return self.calls >= self.fails_at if self.lasts else self.calls == self.fails_at

    def methods(self, address: int) -> Any:
        """The functions at this address, as they are here."""
        if address not in self._kept:
            first = Methods.from_address(address)
            mine = Methods.from_buffer_copy(first)
            made = [self._counting(name, getattr(first, name)) for name in SHAPES]
            for name, function in zip(SHAPES, made, strict=True):
                setattr(mine, name, ctypes.cast(function, POINTER))
            self._kept[address] = mine, made
        return self._kept[address][0]

    def _counting(self, name: str, address: int) -> Any:
        plain, code = SHAPES[name](address), CODES[name]

        def call(*given: Any) -> int:
            return code if self.fails() else int(plain(*given))

        return SHAPES[name](call)


@contextmanager
def bad_disk() -> Iterator[BadDisk]:
    """Under every database that is opened until the end of the block; and under `os.fsync` and
    `os.replace`, by which a file is put. Raises NoLibrary."""
    disk, library = BadDisk(), _library()
    library.sqlite3_vfs_find.restype = ctypes.POINTER(Vfs)
    vfs = library.sqlite3_vfs_find(None).contents
    first, plain = vfs.xOpen, OPEN(vfs.xOpen)

    def opened(its: int, name: int, file: int, flags: int, out: int) -> int:
        code = int(plain(its, name, file, flags, out))
        place = POINTER.from_address(file)
        if code == 0 and place.value:
            place.value = ctypes.addressof(disk.methods(place.value))
        return code

    ours = OPEN(opened)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fsync", "replace"):
            patch.setattr(os, name, _failing(disk, getattr(os, name)))
        vfs.xOpen = ctypes.cast(ours, POINTER)
        try:
            yield disk
        finally:
            disk.set(0)
            vfs.xOpen = first


def _failing(disk: BadDisk, plain: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **more: Any) -> Any:
        if disk.fails():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return plain(*given, **more)

    return call


def _library() -> ctypes.CDLL:
    """SQLite, as Python's own module has it loaded."""
    import _sqlite3  # noqa: F401

    maps = Path("/proc/self/maps").read_text().split()
    found = next((path for path in maps if "libsqlite3" in path), None)
    if found is None:
        raise NoLibrary
    return ctypes.CDLL(found)
