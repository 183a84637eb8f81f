"""What may come in as a file, and what of it is kept."""

import resource
import struct
import zipfile
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from careloom.platform.store.errors import Invalid
from careloom.platform.store.file_kinds import harmless, is_image
from careloom.platform.store.file_names import clean_name

GPS = {1: "N", 2: (31.0, 14.0, 25.07), 3: "E", 4: (121.0, 28.0, 1.0)}
SVG = (
    b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
)
HTML = b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n"


def picture(format: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (8, 6)) -> bytes:
    made = BytesIO()
    Image.new(mode, size, 1).save(made, format)
    return made.getvalue()


def photo() -> bytes:
    """A picture of a telephone held upright: turned by EXIF, with place, maker and a comment."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "PhoneMaker"
    exif.get_ifd(0x8825).update(GPS)
    made = BytesIO()
    Image.new("RGB", (40, 20), "red").save(made, "JPEG", exif=exif, comment=b"Mrs Zhou, room 3")
    return made.getvalue()


def office(*parts: str) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for part in parts:
            out.writestr(part, "<x/>")
    return made.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A PNG whose head says it is this large; a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        sum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + sum

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def peak_memory() -> int:
    """The most bytes this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        harmless(name, BytesIO(content))
    (problem,) = refused.value.problems
    assert problem.path == "/file"
    return problem.code


@pytest.mark.parametrize(
    ("name", "content", "type"),
    [
        ("a.jpg", picture("JPEG"), "image/jpeg"),
        ("a.JPEG", picture("JPEG"), "image/jpeg"),
        ("a.png", picture("PNG"), "image/png"),
        ("a.webp", picture("WEBP"), "image/webp"),
        ("a.pdf", PDF, "application/pdf"),
        ("a.txt", "主诉：牙痛\r\n".encode(), "text/plain"),
        ("a.csv", "姓名,电话\n周女士,199\n".encode("gb18030"), "text/csv"),
        ("a.dcm", b"\0" * 128 + b"DICM\x02\0\0\0UL\x04\0", "application/dicom"),
        ("a.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 50, "video/mp4"),
        ("a.mov", b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + b"\0" * 50, "video/quicktime"),
    ],
)
def test_a_file_that_is_what_it_says_comes_in(name: str, content: bytes, type: str) -> None:
    assert harmless(name, BytesIO(content))[0] == type


def test_office_documents_are_told_apart_by_their_parts() -> None:
    sheet = office("[Content_Types].xml", "xl/workbook.xml")
    assert harmless("a.xlsx", BytesIO(sheet))[0].endswith("spreadsheetml.sheet")
    assert refusal("a.docx", sheet) == "E_FILE_CONTENT"
    assert refusal("a.docx", office("word/document.xml")) == "E_FILE_CONTENT"
    assert refusal("a.docx", b"PK\x03\x04 and no more") == "E_FILE_CONTENT"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.svg", SVG),
        ("a.html", HTML),
        ("a.pdf.html", HTML),
        ("a.exe", b"MZ\x90\0"),
        ("a.docm", office("[Content_Types].xml", "word/document.xml")),
        ("a.gif", picture("GIF", "P")),
        ("pdf", PDF),
        ("a.", PDF),
    ],
)
def test_an_ending_that_is_not_listed_is_refused(name: str, content: bytes) -> None:
    assert refusal(name, content) == "E_FILE_TYPE"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", HTML),
        ("a.png", SVG),
        ("a.jpg", picture("PNG")),
        ("a.png", picture("PNG")[:40]),
        ("a.pdf", HTML),
        ("a.txt", HTML),
        ("a.txt", b"\xef\xbb\xbf \n" + SVG),
        ("a.csv", b"MZ\x90\0\x03"),
        ("a.txt", b"\xff\xfe\xfa\xfb"),
        ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 "),
        ("a.dcm", PDF),
    ],
)
def test_content_that_is_not_what_the_ending_says_is_refused(name: str, content: bytes) -> None:
    assert refusal(name, content) == "E_FILE_CONTENT"


def test_a_file_of_no_bytes_is_refused() -> None:
    assert refusal("a.pdf", b"") == "E_FILE_NO_BYTES"


def test_a_photo_loses_where_and_how_it_was_taken_and_stands_upright() -> None:
    given = photo()
    assert b"PhoneMaker" in given and b"Mrs Zhou" in given
    _, kept = harmless("a.jpg", BytesIO(given))
    content = kept.read()
    for secret in (b"PhoneMaker", b"Mrs Zhou", b"Exif", b"GPS"):
        assert secret not in content
    with Image.open(BytesIO(content)) as seen:
        assert seen.size == (20, 40)
        assert dict(seen.getexif()) == {}


def test_a_png_loses_its_texts_and_keeps_what_can_be_seen_through() -> None:
    image, made = Image.new("RGBA", (4, 4), (255, 0, 0, 0)), BytesIO()
    from PIL.PngImagePlugin import PngInfo

    words = PngInfo()
    words.add_text("Author", "Mrs Zhou")
    image.save(made, "PNG", pnginfo=words)
    content = harmless("a.png", BytesIO(made.getvalue()))[1].read()
    assert b"Mrs Zhou" not in content
    with Image.open(BytesIO(content)) as seen:
        assert seen.getpixel((0, 0)) == (255, 0, 0, 0)


def test_what_is_hidden_behind_a_picture_is_not_kept() -> None:
    content = harmless("a.jpg", BytesIO(picture("JPEG") + HTML))[1].read()
    assert b"<script>" not in content


def test_a_moving_picture_becomes_its_first_image() -> None:
    frames, made = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")], BytesIO()
    frames[0].save(made, "WEBP", save_all=True, append_images=frames[1:])
    with Image.open(harmless("a.webp", BytesIO(made.getvalue()))[1]) as seen:
        assert getattr(seen, "n_frames", 1) == 1


@pytest.mark.parametrize("size", [(30_000, 30_000), (60_000, 20_000), (8_000, 7_000)])
def test_a_picture_too_large_to_unpack_is_refused_unpacked(size: tuple[int, int]) -> None:
    content = huge_png(*size)
    assert len(content) < 1_000
    before = peak_memory()
    assert refusal("a.png", content) == "E_FILE_PIXELS"
    assert peak_memory() - before < 50_000_000


def test_a_moving_picture_on_a_huge_canvas_is_refused_unpacked() -> None:
    frames, made = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")], BytesIO()
    frames[0].save(made, "WEBP", save_all=True, append_images=frames[1:])
    content = bytearray(made.getvalue())
    assert content[12:16] == b"VP8X"
    content[24:30] = (16_382).to_bytes(3, "little") * 2  # its canvas: width and height less one
    before = peak_memory()
    assert refusal("a.webp", bytes(content)) == "E_FILE_PIXELS"
    assert peak_memory() - before < 50_000_000


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "I;16", "LA"])
def test_every_way_a_png_has_of_keeping_colours_is_kept(mode: str) -> None:
    with Image.open(harmless("a.png", BytesIO(picture("PNG", mode)))[1]) as seen:
        assert seen.mode == mode


def test_grey_and_printers_colours_of_a_jpeg_are_kept() -> None:
    for mode in ("L", "CMYK"):
        with Image.open(harmless("a.jpg", BytesIO(picture("JPEG", mode)))[1]) as seen:
            assert seen.mode == mode


def test_only_pictures_are_pictures() -> None:
    assert is_image("image/png") and not is_image("application/pdf")


NAMES: list[tuple[Any, str]] = [
    ("片子 1.png", "片子 1.png"),
    ("../../etc/passwd", "passwd"),
    ("C:\\Users\\doc\\x.pdf", "x.pdf"),
    ("invoice\u202efdp.exe", "invoicefdp.exe"),
    ("a\0.pdf", "a.pdf"),
    ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
    ("con.txt", "_con.txt"),
    ("CON", "_CON"),
    ("console.txt", "console.txt"),
    ("  . .hidden.pdf. ", "hidden.pdf"),
    ('a<b>:"|?*.pdf', "a_b______.pdf"),
    ("e\u0301.pdf", "é.pdf"),
    ("", "file"),
    (None, "file"),
    ("...", "file"),
    ("\ud800.pdf", "pdf"),
]


@pytest.mark.parametrize(("given", "clean"), NAMES, ids=[ascii(given) for given, _ in NAMES])
def test_a_name_is_cleaned(given: str | None, clean: str) -> None:
    assert clean_name(given) == clean


def test_a_name_is_cut_and_keeps_its_ending() -> None:
    assert clean_name("x" * 300 + ".pdf") == "x" * 196 + ".pdf"
    assert len(clean_name("x" * 300)) == 200
    assert len(clean_name("x." + "y" * 300)) == 200
