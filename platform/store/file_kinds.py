"""Which files may come in, told by their ending and their content both, and made harmless.

An ending that is not listed is refused, and so is content that is not what its ending says. HTML
and SVG are not listed: they run. Pictures are drawn anew, which drops where and when they were
taken, with what, and whatever else was hidden beside the picture.
"""

import codecs
import re
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import puremagic
from PIL import Image, ImageOps

from .errors import Invalid, Problem

MOST_PIXELS = 50_000_000
HEAD = 4096
CHUNK = 1 << 20
IN_MEMORY = 4 << 20
DRAWN_AGAIN = {"quality": 92, "optimize": False}
LAYOUTS = ("icc_profile", "transparency")  # what a picture needs to look the same
CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
#: one picture at a time is unpacked: 50 million pixels take 200 MB
_drawing = threading.Lock()

Judge = Callable[[BinaryIO], bool]


@dataclass(frozen=True)
class FileKind:
    """One kind of file. type: the media type it is served as; image: Pillow's name of its format.

    judge: looks closer where the first bytes do not say enough.
    """

    endings: tuple[str, ...]
    type: str
    image: str = ""
    judge: Judge | None = None


def _office(part: str) -> Judge:
    """An Office document: a zip with the part that makes it this kind."""

    def judge(source: BinaryIO) -> bool:
        try:
            with zipfile.ZipFile(source) as opened:
                return {"[Content_Types].xml", part} <= set(opened.namelist())
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return False

    return judge


def _text(source: BinaryIO) -> bool:
    """Letters from first to last, in UTF-8 or GB 18030, and no markup."""
    ways = [codecs.getincrementaldecoder(name)() for name in ("utf-8", "gb18030")]
    first = True
    while chunk := source.read(CHUNK):
        if CONTROLS.search(chunk):
            return False
        if first and chunk.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
            return False
        ways = [way for way in ways if _decodes(way, chunk, False)]
        first = False
    return any(_decodes(way, b"", True) for way in ways)


def _decodes(way: codecs.IncrementalDecoder, chunk: bytes, final: bool) -> bool:
    try:
        way.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


_OFFICE = "application/vnd.openxmlformats-officedocument"
KINDS = (
    FileKind((".jpg", ".jpeg"), "image/jpeg", image="JPEG"),
    FileKind((".png",), "image/png", image="PNG"),
    FileKind((".webp",), "image/webp", image="WEBP"),
    FileKind((".pdf",), "application/pdf"),
    FileKind(
        (".docx",), f"{_OFFICE}.wordprocessingml.document", judge=_office("word/document.xml")
    ),
    FileKind((".xlsx",), f"{_OFFICE}.spreadsheetml.sheet", judge=_office("xl/workbook.xml")),
    FileKind(
        (".pptx",), f"{_OFFICE}.presentationml.presentation", judge=_office("ppt/presentation.xml")
    ),
    FileKind((".txt",), "text/plain", judge=_text),
    FileKind((".csv",), "text/csv", judge=_text),
    FileKind((".dcm",), "application/dicom"),
    FileKind((".mp4",), "video/mp4"),
    FileKind((".mov",), "video/quicktime"),
)
BY_ENDING = {ending: kind for kind in KINDS for ending in kind.endings}
ENDINGS = tuple(BY_ENDING)
IMAGE_ENDINGS = tuple(ending for ending, kind in BY_ENDING.items() if kind.image)


def harmless(name: str, source: BinaryIO) -> tuple[str, BinaryIO]:
    """A file's media type, and its bytes as they may be kept: a picture's are drawn anew.

    name: cleaned already. source: seekable, read from its beginning; the caller closes it, and
    what is returned too. Raises Invalid with one problem at `/file`.
    """
    ending = "." + name.rpartition(".")[2].lower()
    kind = BY_ENDING.get(ending) if "." in name else None
    if kind is None:
        raise _refused("E_FILE_TYPE", allowed=" ".join(ENDINGS))
    source.seek(0)
    if not source.read(1):
        raise _refused("E_FILE_NO_BYTES")
    if not _is(kind, source):
        raise _refused("E_FILE_CONTENT", ending=ending)
    source.seek(0)
    return kind.type, _drawn_anew(kind, source, ending) if kind.image else source


def is_image(type: str) -> bool:
    """Whether a media type of ours is a picture's."""
    return any(kind.image and kind.type == type for kind in KINDS)


def _refused(code: str, **params: object) -> Invalid:
    return Invalid(problems=[Problem("/file", code, params)])


def _is(kind: FileKind, source: BinaryIO) -> bool:
    """Whether the content is what the ending says."""
    source.seek(0)
    if kind.judge is not None:
        return kind.judge(source)
    try:
        found = puremagic.magic_string(source.read(HEAD))
    except (puremagic.PureError, ValueError):
        return False
    return any(match.mime_type == kind.type for match in found)


def _drawn_anew(kind: FileKind, source: BinaryIO, ending: str) -> BinaryIO:
    """The picture alone, upright, its first image if it moves. Its size is read before anything
    is unpacked."""
    try:
        with _drawing, Image.open(source, formats=[kind.image]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise _refused("E_FILE_PIXELS", most=MOST_PIXELS // 1_000_000)
            upright = ImageOps.exif_transpose(opened)
            upright.info = {key: upright.info[key] for key in LAYOUTS if key in upright.info}
            made = cast(BinaryIO, SpooledTemporaryFile(max_size=IN_MEMORY))
            upright.save(made, kind.image, **DRAWN_AGAIN)
    except Image.DecompressionBombError:
        raise _refused("E_FILE_PIXELS", most=MOST_PIXELS // 1_000_000) from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise _refused("E_FILE_CONTENT", ending=ending) from error
    made.seek(0)
    return made
