"""The lead file is what its truth file says, and the generator still writes it."""

import csv
import json
from datetime import datetime
from pathlib import Path

import make_leads
from openpyxl import load_workbook

HERE = Path(__file__).parent
TRUTH = json.loads((HERE / "leads_1000.truth.json").read_text(encoding="utf-8"))


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def sheet(path: Path) -> list[tuple[object, ...]]:
    book = load_workbook(path, read_only=True)
    assert book.active is not None
    return list(book.active.iter_rows(values_only=True))


def test_the_generator_still_writes_these_files(tmp_path: Path) -> None:
    make_leads.make(tmp_path)
    for name in ("leads_1000.csv", "leads_1000.truth.json"):
        assert (tmp_path / name).read_bytes() == (HERE / name).read_bytes()
    assert sheet(tmp_path / "leads_1000.xlsx") == sheet(HERE / "leads_1000.xlsx")


def test_the_numbers_add_up() -> None:
    faulty = {problem["row"] for problem in TRUTH["problems"]}
    assert len(cells(HERE / "leads_1000.csv")) - 1 == TRUTH["rows"] == 1000
    assert len(faulty) == TRUTH["bad"] == 37
    assert TRUTH["good"] + TRUTH["bad"] + TRUTH["duplicates"] == TRUTH["rows"]
    assert len({(problem["column"], problem["code"]) for problem in TRUTH["problems"]}) >= 8


def test_csv_and_spreadsheet_hold_the_same_leads() -> None:
    lines, rows = cells(HERE / "leads_1000.csv"), sheet(HERE / "leads_1000.xlsx")
    assert [line[0] for line in lines] == [row[0] for row in rows]
    assert [line[8] for line in lines] == [row[8] or "" for row in rows]
    assert sum(isinstance(row[5], datetime) for row in rows) > 950
    assert sum(isinstance(row[2], int) for row in rows) > 100


def test_every_telephone_number_is_made_up() -> None:
    for lead, _again in make_leads.in_one_file(make_leads.random.Random(943)):
        if lead.mobile and not lead.faults:
            assert lead.mobile.startswith("199000") and len(lead.mobile) == 11
