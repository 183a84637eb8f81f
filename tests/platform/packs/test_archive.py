"""A zip is read in memory, and only one that is as an honest zip is."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from careloom.platform.packs.archive import MOST_BYTES, files_at, unzipped, zipped
from careloom.platform.store.errors import Malformed

FILES = {"pack.json": b'{"key": "a"}', "lists/colour.json": b"{}"}


def refused(content: bytes) -> tuple[str, str]:
    """The place and code of the one thing that is wrong."""
    with pytest.raises(Malformed) as refusal:
        unzipped(content)
    (problem,) = refusal.value.problems
    return problem.path, problem.code


def made(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    """A zip of these entries, whatever their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in entries:
            archive.writestr(info, content)
    return buffer.getvalue()


def test_what_was_zipped_comes_out_and_the_same_files_make_the_same_zip() -> None:
    assert unzipped(zipped(FILES)) == FILES
    assert zipped(FILES) == zipped(dict(reversed(FILES.items())))


def test_a_zipped_folder_may_stand_under_its_own_name() -> None:
    assert unzipped(made(*((f"mine/{name}", text) for name, text in FILES.items()))) == FILES


@pytest.mark.parametrize(
    "name",
    [
        "../pack.json",
        "lists/../../x.json",
        "/etc/passwd",
        "C:\\x.json",
        "a\\..\\b.json",
        "lists//x.json",
        "./pack.json",
        ".hidden",
        "a/b/c/d/e.json",
        "表.json",
        "x\u202ejson.",
        "con\n.json",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    assert refused(made((name, b"{}")))[1] == "E_PACK_FILE_NAME"


@pytest.mark.parametrize("again", ["pack.json", "PACK.json", "Pack.JSON"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_stands_once_whatever_its_capitals(again: str) -> None:
    assert refused(made(("pack.json", b"{}"), (again, b"{}")))[1] == "E_PACK_FILE_TWICE"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFBLK])
def test_only_ordinary_files_are_read(kind: int) -> None:
    info = zipfile.ZipInfo("pack.json")
    info.external_attr = (kind | 0o777) << 16
    assert refused(made((info, b"/etc/passwd"))) == ("/pack.json", "E_PACK_FILE")


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    assert refused(made(("data/x.json", b" " * 19_000_000))) == ("/data/x.json", "E_PACK_SIZE")


def test_a_file_that_says_it_is_small_is_counted_while_it_is_inflated() -> None:
    content = bytearray(made(("pack.json", b"x" * 3_000)))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 10)
    assert refused(bytes(content))[1] in ("E_PACK_SIZE", "E_PACK_ZIP")


def test_too_many_files_are_refused() -> None:
    content = made(*((f"data/{number}.json", b"") for number in range(2_001)))
    assert refused(content) == ("", "E_PACK_SIZE")


def test_a_list_of_a_hundred_thousand_files_is_not_even_read() -> None:
    content = made(*((f"d/{number}", b"") for number in range(20_000)))
    assert refused(content) == ("", "E_PACK_SIZE")


def flipped(at: Callable[[bytes], int], by: int) -> bytes:
    content = bytearray(made(("pack.json", b'{"key": "abcdefgh"}')))
    content[at(bytes(content))] ^= by
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"{}" * 40,
        zipped(FILES) + b"trailing",
        b"leading" + zipped(FILES),
        zipped(FILES)[:-10],
        flipped(lambda zip_: zip_.index(b"PK\x01\x02") + 16, 0xFF),  # its checksum
        flipped(lambda zip_: zip_.index(b"pack.json"), 0x01),  # two names for one file
        flipped(lambda zip_: zip_.index(b"PK\x01\x02") + 10, 0x04),  # another way to shrink
    ],
    ids=lambda content: f"{len(content)}-{content[:3].hex()}",
)
def test_a_broken_zip_is_refused(content: bytes) -> None:
    assert refused(content)[1] == "E_PACK_ZIP"


def test_an_encrypted_file_is_refused() -> None:
    content = flipped(lambda zip_: zip_.index(b"PK\x01\x02") + 8, 0x01)
    assert refused(content) == ("/pack.json", "E_PACK_ENCRYPTED")


def test_a_file_that_nobody_lists_is_refused() -> None:
    one, two = made(("pack.json", b"{}")), made(("pack.json", b"{}"), ("data/x.json", b"[]"))
    start = two.index(b"PK\x01\x02")
    listed = one[one.index(b"PK\x01\x02") : one.index(b"PK\x05\x06")]
    end = bytearray(one[one.index(b"PK\x05\x06") :])
    end[12:20] = struct.pack("<II", len(listed), start)
    assert refused(two[:start] + listed + bytes(end))[1] == "E_PACK_ZIP"


def test_a_file_larger_than_all_may_be_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(Malformed):
        files_at(path)


def test_a_folder_with_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pack.json").write_text("{}")
    os.symlink("/etc", tmp_path / "lists")
    with pytest.raises(Malformed) as refusal:
        files_at(tmp_path)
    assert [(p.path, p.code) for p in refusal.value.problems] == [("/lists", "E_PACK_FILE")]
