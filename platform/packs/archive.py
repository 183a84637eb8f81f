"""A pack's folder or zip -> its files by name, in memory, nothing unpacked and nothing trusted."""

import io
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..store.errors import Malformed, Problem

MOST_FILES = 2_000
MOST_BYTES = 20 * 1024 * 1024
MOST_RATIO = 100
SMALL = 64 * 1024
"""Below this a file may shrink as far as it likes: a bomb needs more."""
MOST_DIRECTORY = 1024 * 1024
MOST_DEEP = 4
PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z", re.ASCII)
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"
ENCRYPTED, PATCHED = 0x1 | 0x40 | 0x2000, 0x20


def files_at(path: Path) -> dict[str, bytes]:
    """A pack's files from a folder or a zip. Raises Malformed with the file's place."""
    if path.is_dir():
        return dict(_files(path))
    if path.stat().st_size > MOST_BYTES:
        raise refusal("", "E_PACK_SIZE")
    return unzipped(path.read_bytes())


def refusal(name: str, code: str, **params: object) -> Malformed:
    """What is wrong with one file, by its name in the pack."""
    shown = name.encode("unicode_escape").decode()[:200]
    return Malformed("E_PACK", [Problem(f"/{shown}" if name else "", code, params)])


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    size = 0
    for number, (name, entry) in enumerate(_entries(folder, ""), start=1):
        if number > MOST_FILES:
            raise refusal("", "E_PACK_SIZE")
        if not entry.is_file(follow_symlinks=False):
            raise refusal(name, "E_PACK_FILE")
        size += entry.stat(follow_symlinks=False).st_size
        if size > MOST_BYTES:
            raise refusal(name, "E_PACK_SIZE")
        yield name, Path(entry.path).read_bytes()


def _entries(folder: Path, before: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = before + entry.name
        if entry.is_dir(follow_symlinks=False):
            if name.count("/") >= MOST_DEEP:
                raise refusal(name, "E_PACK_PLACE")
            yield from _entries(Path(entry.path), name + "/")
        else:
            yield name, entry


def unzipped(content: bytes) -> dict[str, bytes]:
    """The files of a zip. Raises Malformed: at the first thing that is not as an honest zip is."""
    if len(content) > MOST_BYTES:
        raise refusal("", "E_PACK_SIZE")
    directory = _directory(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            _judge(infos)
            _in_line(content, infos, directory)
            return _under_one_roof(dict(_inflated(archive, infos)))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise refusal("", "E_PACK_ZIP") from error


def _directory(content: bytes) -> int:
    """Where the list of files begins. It ends the file, and is as long as it says."""
    end = len(content) - 22
    if end < 0 or content[end : end + 4] != END or content[end - 20 : end - 16] == END_64:
        raise refusal("", "E_PACK_ZIP")
    size = int.from_bytes(content[end + 12 : end + 16], "little")
    start = int.from_bytes(content[end + 16 : end + 20], "little")
    if size > MOST_DIRECTORY:
        raise refusal("", "E_PACK_SIZE")
    if start + size != end:
        raise refusal("", "E_PACK_ZIP")
    return start


def _judge(infos: list[zipfile.ZipInfo]) -> None:
    """Names, kinds and stated sizes, before a byte is inflated."""
    if len(infos) > MOST_FILES:
        raise refusal("", "E_PACK_SIZE")
    seen: set[str] = set()
    total = 0
    for info in infos:
        name = info.orig_filename
        _judge_name(name)
        folded = unicodedata.normalize("NFC", name).casefold().rstrip("/")
        if folded in seen:
            raise refusal(name, "E_PACK_FILE_TWICE")
        seen.add(folded)
        mode = stat.S_IFMT(info.external_attr >> 16)
        if mode not in (0, stat.S_IFREG) and not (info.is_dir() and mode == stat.S_IFDIR):
            raise refusal(name, "E_PACK_FILE")
        if info.flag_bits & ENCRYPTED:
            raise refusal(name, "E_PACK_ENCRYPTED")
        if info.flag_bits & PATCHED or info.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise refusal(name, "E_PACK_ZIP")
        total += info.file_size
        bomb = info.file_size > SMALL and info.file_size > MOST_RATIO * max(1, info.compress_size)
        if total > MOST_BYTES or bomb or (info.is_dir() and info.file_size):
            raise refusal(name, "E_PACK_SIZE")


def _judge_name(name: str) -> None:
    parts = name.removesuffix("/").split("/")
    if len(parts) > MOST_DEEP or not all(PART.match(part) for part in parts):
        raise refusal(name, "E_PACK_FILE_NAME")


def _in_line(content: bytes, infos: list[zipfile.ZipInfo], directory: int) -> None:
    """One file after the other: none inside another, none before or between that is not listed."""
    at = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        start = info.header_offset
        if start - at not in (0, 12, 16, 20, 24) or (at == 0 and start):  # a data descriptor
            raise refusal(info.orig_filename, "E_PACK_ZIP")
        names = int.from_bytes(content[start + 26 : start + 28], "little")
        extra = int.from_bytes(content[start + 28 : start + 30], "little")
        at = start + 30 + names + extra + info.compress_size
    if directory - at not in (0, 12, 16, 20, 24):
        raise refusal("", "E_PACK_ZIP")


def _inflated(
    archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]
) -> Iterator[tuple[str, bytes]]:
    """Each file's bytes; what comes out is counted, whatever the list says."""
    total = 0
    for info in infos:
        if info.is_dir():
            continue
        try:
            with archive.open(info) as file:
                content = file.read(MOST_BYTES - total + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise refusal(info.orig_filename, "E_PACK_ZIP") from error
        total += len(content)
        if total > MOST_BYTES or len(content) != info.file_size:
            raise refusal(info.orig_filename, "E_PACK_SIZE")
        yield info.orig_filename, content


def _under_one_roof(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Zipping a folder puts its name before everything: taken off."""
    roofs = {name.partition("/")[0] for name in files}
    if "pack.json" not in files and len(roofs) == 1:
        roof = roofs.pop() + "/"
        return {name.removeprefix(roof): content for name, content in files.items()}
    return dict(files)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The same files always make the same zip: in order of their names, without their times."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, files[name], compresslevel=9)
    return made.getvalue()
