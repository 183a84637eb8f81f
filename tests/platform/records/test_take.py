"""Records taken out to a file: what stands in its cells, and that it comes in again as it was."""

import csv
from pathlib import Path
from typing import Any

import make
import pytest
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.identity.tree import unit_by_code
from careloom.platform.records.bring import read_rows
from careloom.platform.records.formula_cells import as_written, kept_text
from careloom.platform.records.lists import list_records
from careloom.platform.records.sheet import read_sheet
from careloom.platform.records.submit import submit
from careloom.platform.records.take import write_file
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid, Malformed, NotAllowed

LEAD = make.form(
    "lead",
    {
        "name": make.field(title="Name"),
        "phone": make.field("phone", title="Phone"),
        "salary": make.field("money", title="Salary", x_scale=2),
        "score": make.field("number", title="Score"),
        "note": make.field("longtext", title="Note"),
    },
    x_label="name",
)
TRICKS = [
    "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "＋1", "－1", "＠A", "|x", "%x",
    " =1", "\u3000=1", "\u00a0=1", "'=1", "''=1", "=1\n=2", '=HYPERLINK("http://x","y")', "\r=1",
]  # fmt: skip
PLAIN = ["a=1", "1", "it's", "'quoted'", "", "王芳", "a\n=1", "#REF!", "1-2"]


@pytest.fixture
def clerk(sqlite: Database) -> Actor:
    make.organisation(sqlite)
    make.publish(sqlite, "form", LEAD)
    rules = [
        make.rule("branch", "read", "export", phone="masked", salary="hidden"),
        make.rule("own", "create", "import"),
    ]
    make.publish(sqlite, "role", make.role("clerk", {"lead": rules}))
    make.publish(sqlite, "role", make.role("reader", {"lead": [make.rule("all", "read")]}))
    return make.person(sqlite, "clerk", "G", "clerk")


@pytest.mark.parametrize("text", [*TRICKS, *PLAIN])
def test_no_text_begins_a_formula_and_each_comes_back_as_it_was(text: str) -> None:
    cell = kept_text(text)
    assert (cell[:1] == "'") == (text in TRICKS or text[:1] == "'")
    assert as_written(cell) == text


@pytest.mark.parametrize("number", [-5, 0, 1.5])
def test_a_number_stays_a_number(number: Any) -> None:
    assert kept_text(number) is number


def test_a_file_holds_readable_fields_only_and_runs_nothing(
    sqlite: Database, clerk: Actor, tmp_path: Path
) -> None:
    values = {"phone": "19912345678", "salary": "77123.45", "score": -5, "note": "-1 @ home"}
    for trick in ("=1+1", "+86", "@x", "'=1"):
        make.record(sqlite, "lead", name=trick, **values)
    for name in ("out.csv", "out.xlsx"):
        assert write_file(sqlite, clerk, "lead", tmp_path / name, sort=["name"]) == 4
    lines = list(csv.reader((tmp_path / "out.csv").open(encoding="utf-8-sig")))
    assert lines[0] == ["Name", "Phone", "Score", "Note"]
    assert {line[0] for line in lines[1:]} == {"'=1+1", "'+86", "'@x", "''=1"}
    assert {tuple(line[1:]) for line in lines[1:]} == {("199****5678", "-5", "'-1 @ home")}
    sheet = load_workbook(tmp_path / "out.xlsx").worksheets[0]
    for row in list(sheet.iter_rows())[1:]:
        assert [cell.data_type for cell in row] == ["s", "s", "n", "s"]
        assert row[2].value == -5 and row[0].value in ("=1+1", "+86", "@x", "'=1")
    assert "77123" not in (tmp_path / "out.csv").read_text("utf-8")


def test_what_may_be_read_and_not_taken_out_is_not_in_the_file(
    sqlite: Database, clerk: Actor, tmp_path: Path
) -> None:
    """A role that reads everywhere and exports at home."""
    rules = [make.rule("all", "read"), make.rule("branch", "export")]
    make.publish(sqlite, "role", make.role("halves", {"lead": rules}))
    actor = make.person(sqlite, "halves", "B1", "halves")

    def two(session: Session) -> None:
        for name, code in (("Here", "B1"), ("There", "B2")):
            at = unit_by_code(session, code).id
            submit(session, SYSTEM, "lead", {"name": name}, unit_id=at)

    sqlite.write(two)
    with sqlite.read() as session:
        assert len(list_records(session, actor, "lead").items) == 2
    assert write_file(sqlite, actor, "lead", tmp_path / "out.csv") == 1
    assert "There" not in (tmp_path / "out.csv").read_text("utf-8")


def test_what_was_taken_out_comes_in_again_as_it_was(
    sqlite: Database, clerk: Actor, tmp_path: Path
) -> None:
    texts = [text for text in TRICKS if "\r" not in text and "\t" not in text]
    for text in texts:
        make.record(sqlite, "lead", name="x", note=text)
    for name in ("out.csv", "out.xlsx"):
        write_file(sqlite, clerk, "lead", tmp_path / name)
        sheet = read_sheet(name, (tmp_path / name).read_bytes())
        column = sheet.headers.index("Note")
        with sqlite.read() as session:
            held = [record.values["note"] for record in list_records(session, clerk, "lead").items]
        assert [cells[column] for _, cells in sheet.rows] == held


def test_it_is_narrowed_like_the_list_and_refused_like_it(
    sqlite: Database, clerk: Actor, tmp_path: Path
) -> None:
    for name in ("Ann", "Bob", "Cid"):
        make.record(sqlite, "lead", name=name, salary="5")
    path = tmp_path / "out.csv"
    assert write_file(sqlite, clerk, "lead", path, where='name > "A"', search="Bob") == 1
    assert write_file(sqlite, clerk, "lead", path, where="salary = 5") == 0, "it is hidden"
    reader = make.person(sqlite, "reader", "G", "reader")
    for actor, kind, more in (
        (reader, NotAllowed, {}),
        (clerk, Invalid, {"where": "nothing = 1"}),
        (clerk, Malformed, {"sort": ["nothing"]}),
    ):
        with pytest.raises(kind):
            write_file(sqlite, actor, "lead", tmp_path / "no.csv", **more)  # type: ignore[arg-type]
    with pytest.raises(Malformed):
        write_file(sqlite, clerk, "lead", tmp_path / "no.exe")
    assert [found.name for found in tmp_path.glob("*.*")] == ["out.csv"]


def test_the_importer_reads_what_the_exporter_wrote(
    sqlite: Database, clerk: Actor, tmp_path: Path
) -> None:
    make.record(sqlite, "lead", name="=1+1", score=-5, note="-x")
    write_file(sqlite, clerk, "lead", tmp_path / "out.csv")
    content = (tmp_path / "out.csv").read_bytes()
    with sqlite.read() as session:
        read = read_rows(session, clerk, "lead", read_sheet("out.csv", content))
    assert read.problems == [] and read.rows == 1
