"""What can be read on a PDF's pages."""

import io

from pypdf import PdfReader


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def text_of(pdf: bytes) -> str:
    """All of it, without the ends of lines."""
    return "".join("".join(pages_of(pdf)).split("\n"))
