"""Files made to harm, as an import and as an upload: T51, T53, T54, T56, T68; and T55, what a
spreadsheet makes of a file that was taken out.
"""

import csv
import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from careloom.platform.records.sheet import read_sheet
from careloom.platform.records.take import write_file
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Malformed

from .clinic import Clinic, open_clinic
from .unchanged import nothing_changes

HEADERS = ["name", "note"]
REFUSED = {
    "E_FILE_BROKEN", "E_FILE_KIND", "E_FILE_EMPTY", "E_FILE_COLUMNS", "E_FILE_ROWS",
    "E_FILE_TOO_LARGE", "E_HEADER_TWICE",
}  # fmt: skip


@pytest.fixture
def clinic(sqlite: Database, tmp_path: Path) -> Clinic:
    return open_clinic(sqlite, tmp_path / "home")


def book() -> bytes:
    made, out = Workbook(), io.BytesIO()
    made.active.append(HEADERS)
    made.active.append(["Wang", "x"])
    made.save(out)
    return out.getvalue()


def with_part(name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book())) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, change(content) if part == name else content)
    return out.getvalue()


PARTS = ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml")
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
WEB = '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'
INNER = '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://169.254.169.254/">%p;]>'
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)


def declared(words: str) -> Callable[[bytes], bytes]:
    """Put a document type before the root, and use its entity in the first text there is."""

    def change(content: bytes) -> bytes:
        text = content.decode()
        start = text.index("?>") + 2 if text.startswith("<?xml") else 0
        entity = "&a11;" if "a11" in words else "&a;" if "ENTITY a " in words else ""
        return (text[:start] + words + text[start:].replace(">name<", f">{entity}name<")).encode()

    return change


def wide(content: bytes) -> bytes:
    cells = "".join(f'<c r="{column}1" t="str"><v>x</v></c>' for column in columns(1_000))
    return content.replace(b"<sheetData>", f'<sheetData><row r="1">{cells}</row>'.encode(), 1)


def columns(most: int) -> list[str]:
    letters = [chr(65 + n) for n in range(26)]
    return (letters + [a + b for a in letters for b in letters] + ["AAA"] * most)[:most]


TYPES = {"a file": FILE, "a web page": WEB, "inner": INNER, "laughs": LAUGHS}
WORKBOOKS: dict[str, bytes] = {
    **{
        f"{kind} in {part}": with_part(part, declared(words))
        for kind, words in TYPES.items()
        for part in PARTS
    },
    **{f"half of {part}": with_part(part, lambda content: content[:200]) for part in PARTS},
    **{f"no {part}": with_part(part, lambda content: b"") for part in PARTS},
    **{f"rubbish in {part}": with_part(part, lambda content: b"\x00\xff<" * 50) for part in PARTS},
    "no zip": b"PK\x03\x04" + b"\x00" * 60,
    "cut": book()[:-40],
    "flipped": book()[:400] + b"\xff" * 40 + book()[440:],
    "html": b"<html><table><tr><td>name</td></tr></table></html>",
    "wide": with_part(PARTS[0], wide),
    "nothing": b"",
}  # fmt: skip
CELLS = "x" * (1 << 20) + "y"
SHEETS: dict[str, bytes] = {
    "bytes": bytes(range(256)) * 40,
    "an open quote": b'name,note\n"Wang,x\n' * 50,
    "a huge cell": f"name,note\nWang,{CELLS}\n".encode(),
    "many columns": (",".join(f"c{n}" for n in range(10_000)) + "\n").encode(),
    "a header twice": b"name,name\na,b\n",
    "blank": b"\n\n\n",
    "only a mark": b"\xef\xbb\xbf",
    "half a letter": "name\n王".encode("utf-16")[:-1],
    "lone surrogates": b"\xff\xfen\x00a\x00m\x00e\x00\n\x00\x00\xd8\x00\xd8",
    "NULs": b"name\x00,note\nWa\x00ng,x\n",
    "utf-32": "name,note\nWang,x\n".encode("utf-32"),
    "a web page": b"<html><body>name,note</body></html>",
    "a script": b'=HYPERLINK("http://x","y"),note\n=cmd|\' /C calc\'!A0,x\n',
}


def answer_of(clinic: Clinic, name: str, content: bytes) -> Any:
    visitor = clinic.site.visitor()
    assert visitor.sign_in("here").status_code == 303
    csrf = visitor.csrf("/no-such-page")
    sent = {"csrf": csrf, "file": (io.BytesIO(content), name)}
    return visitor.client.post("/records/lead/import", data=sent)


def test_t54_t68_a_workbook_made_to_harm_is_refused_soon(record_property: Any) -> None:
    for words, content in WORKBOOKS.items():
        since = time.process_time()
        try:
            read = read_sheet("a.xlsx", content)
        except Malformed as refusal:
            assert refusal.code in REFUSED, words
        else:  # what stands in a part that nobody reads does no harm
            told = str(read.headers) + str(read.rows)
            assert "root:" not in told and "haha" not in told, words
        assert time.process_time() - since < 2, words
    for ending in ("xlsm", "xls", "xlsb", "ods", "xltm", "exe", ""):
        with pytest.raises(Malformed, match="E_FILE_KIND"):
            read_sheet(f"a.{ending}", book())
    record_property("payloads", len(WORKBOOKS) + 7)


def test_t56_a_sheet_of_rubbish_is_read_or_refused_and_never_a_fault(record_property: Any) -> None:
    for words, content in SHEETS.items():
        try:
            read = read_sheet("a.csv", content)
        except Malformed as refusal:
            assert refusal.code in REFUSED, words
        else:
            assert read.headers, words
    record_property("payloads", len(SHEETS))


def test_t54_t56_the_page_says_what_is_wrong_with_a_file(
    clinic: Clinic, record_property: Any
) -> None:
    some = {**SHEETS, **{words: WORKBOOKS[words] for words in list(WORKBOOKS)[::5]}}
    for words, content in some.items():
        ending = "csv" if words in SHEETS else "xlsx"
        answer = answer_of(clinic, f"a.{ending}", content)
        assert answer.status_code in (303, 422), (words, answer.status_code)
        assert "root:" not in answer.text, words
    assert clinic.list().json["total"] == 1, "nothing came in unasked"
    record_property("payloads", len(some))


HARMLESS_NAMES = [
    "a.svg", "a.html", "a.htm", "a.xhtml", "a.js", "a.exe", "a.bat", "a.ps1", "a.php", "a.jsp",
    "a.pdf.html", "a.png.svg", "a", ".png", "a.png\x00.html", "a.gif", "a.xml", "a.zip", "a.jar",
    "a.hta", "a.scr", "a.lnk", "a.url", "a.docm", "a.xlsm", "a.swf", "a.mht", "a.eml", "a.vbs",
]  # fmt: skip
BODIES = [
    b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    b"<!DOCTYPE html><script>alert(1)</script>",
    b"GIF89a/*<svg onload=alert(1)>*/=1;",
    b"\xff\xd8\xff\xe0<script>alert(1)</script>",
    b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    b"%PDF",
    b"PK\x03\x04<script>",
    b"MZ\x90\x00",
    b"#!/bin/sh\nid\n",
    b"\x00" * 64,
]


def test_t51_no_file_that_runs_or_lies_comes_in(clinic: Clinic, record_property: Any) -> None:
    count = 0
    with nothing_changes(clinic.database):
        pairs = [(name, BODIES[1]) for name in HARMLESS_NAMES]
        pairs += [(f"a.{kind}", body) for kind in ("png", "jpg", "webp", "docx") for body in BODIES]
        for name, body in pairs:
            sent = {"file": (io.BytesIO(body), name)}
            answer = clinic.ask("POST", "/api/files", data=sent)
            assert answer.status_code == 422, (name, body[:20], answer.text)
            code = answer.json["problems"][0]["code"]
            assert code in ("E_FILE_TYPE", "E_FILE_CONTENT"), (name, code)
            count += 1
    record_property("payloads", count)


#: beginnings that a spreadsheet takes for a formula, and what may stand before them
FORMULAS = [
    before + start + "1+1"
    for before in ("", " ", "\u3000", "'", "''", '"')
    for start in ("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%")
] + ["=cmd|' /C calc'!A0", "=1\n=2", ";=1", '=HYPERLINK("http://x","y")', "=DDE()", "@SUM(A1)"]


def test_t55_no_cell_of_a_file_taken_out_is_a_formula(
    clinic: Clinic, tmp_path: Path, record_property: Any
) -> None:
    """Opened again: in CSV nothing begins like one, in XLSX there is none; numbers stay numbers."""
    for text in FORMULAS:
        sent = {"values": {"name": "x", "note": text, "age": "7"}}
        assert clinic.ask("POST", "/api/records/lead", json=sent).status_code == 201, text
    for ending in ("csv", "xlsx"):
        write_file(clinic.database, clinic.here, "lead", tmp_path / f"a.{ending}")
    lines = list(csv.reader((tmp_path / "a.csv").open(encoding="utf-8-sig", newline="")))
    cells = [cell for line in lines[1:] for cell in line]
    assert not [
        cell for cell in cells if cell.lstrip(" \u3000").startswith(tuple("=+-@＝＋－＠|%\t\r"))
    ]
    assert cells.count("7") == len(FORMULAS)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as opened:
        sheet = opened.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet and b"<f " not in sheet and b"HYPERLINK" in sheet
    assert sheet.count(b"<v>7</v>") == len(FORMULAS)
    record_property("payloads", 2 * len(FORMULAS))
