"""A file of rows, CSV or XLSX -> headers and rows of cells, within bounds."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError  # nosec B405 # only what it raises

from charset_normalizer import from_bytes
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from ..store.errors import Malformed
from .formula_cells import as_written

MOST_BYTES = 50 * 1024 * 1024
MOST_INFLATED = 400 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 300
MOST_CELL = 32_768


#: what openpyxl, the zip and the XML within it raise for a file that is none; entities and foreign
#: definitions are refused by defusedxml, whose errors are ValueErrors
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    InvalidFileException,
    ParseError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    OverflowError,
)


@dataclass(frozen=True)
class Sheet:
    """headers: the texts of the first row. rows: (row number as the file shows it, cells)."""

    headers: list[str]
    rows: list[tuple[int, list[Any]]]


def read_sheet(name: str, content: bytes) -> Sheet:
    """Read a file by its ending. Raises Malformed: E_FILE_KIND, E_FILE_TOO_LARGE, E_FILE_EMPTY,
    E_FILE_BROKEN, E_FILE_ROWS, E_FILE_COLUMNS, E_HEADER_TWICE."""
    if len(content) > MOST_BYTES:
        raise Malformed("E_FILE_TOO_LARGE", most=MOST_BYTES // 1024 // 1024)
    ending = Path(name).suffix.lower()
    if ending in (".csv", ".txt", ".tsv"):
        lines = _csv(content)
    elif ending == ".xlsx":
        lines = _xlsx(content)
    else:
        raise Malformed("E_FILE_KIND", ending=ending or name[:40])
    return _sheet(lines)


def _sheet(lines: Iterator[tuple[int, list[Any]]]) -> Sheet:
    first = next(lines, None)
    if first is None or not any(str(cell or "").strip() for cell in first[1]):
        raise Malformed("E_FILE_EMPTY")
    headers = [str(cell if cell is not None else "").strip() for cell in first[1]]
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > MOST_COLUMNS:
        raise Malformed("E_FILE_COLUMNS", most=MOST_COLUMNS)
    named = [header for header in headers if header]
    twice = next((header for header in named if named.count(header) > 1), None)
    if twice:
        raise Malformed("E_HEADER_TWICE", header=twice[:40])
    rows: list[tuple[int, list[Any]]] = []
    for number, cells in lines:
        if all(cell is None or not str(cell).strip() for cell in cells):
            continue
        if len(rows) == MOST_ROWS:
            raise Malformed("E_FILE_ROWS", most=MOST_ROWS)
        rows.append((number, cells))
    return Sheet(headers, rows)


def _csv(content: bytes) -> Iterator[tuple[int, list[Any]]]:
    text = _text(content)
    delimiter = _delimiter(text)
    # 1 MB in one cell is no cell; the field's own limit says it in words.
    csv.field_size_limit(2**20)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        # A quoted cell may have several lines; a spreadsheet shows them as one row.
        for number, cells in enumerate(reader, start=1):
            yield number, [as_written(cell) if cell else None for cell in cells]
    except csv.Error as error:
        raise Malformed("E_FILE_BROKEN", detail=str(error)[:80]) from error


def _text(content: bytes) -> str:
    """UTF-8, else GB 18030 (what Chinese spreadsheets save), else what looks most likely."""
    for encoding in ("utf-8-sig", "gb18030"):
        if encoding == "utf-8-sig" and content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16", errors="replace")
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    best = from_bytes(content).best()
    if best is None:
        raise Malformed("E_FILE_BROKEN", detail="encoding")
    return str(best)


def _delimiter(text: str) -> str:
    line = text.split("\n", 1)[0]
    return max(",;\t", key=line.count)


def _xlsx(content: bytes) -> Iterator[tuple[int, list[Any]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_INFLATED:
                raise Malformed("E_FILE_TOO_LARGE", most=MOST_INFLATED // 1024 // 1024)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
    except BROKEN as error:
        raise Malformed("E_FILE_BROKEN", detail=type(error).__name__) from error
    try:
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            if len(cells) > MOST_COLUMNS and any(c is not None for c in cells[MOST_COLUMNS:]):
                raise Malformed("E_FILE_COLUMNS", most=MOST_COLUMNS)
            yield number, list(cells[:MOST_COLUMNS])
    except BROKEN as error:  # a sheet is read as it is walked through
        raise Malformed("E_FILE_BROKEN", detail=type(error).__name__) from error
    finally:
        book.close()
