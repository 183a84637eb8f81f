"""A file of leads becomes records: exactly the good ones, once, whatever happens meanwhile."""

import json
from collections.abc import Iterator
from pathlib import Path

import make
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.packs.apply import apply_pack
from careloom.platform.packs.read import pack_of
from careloom.platform.records import bring as bringing
from careloom.platform.records.bring import Outcome, Reading, bring, read_rows
from careloom.platform.records.sheet import read_sheet
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Malformed, NotAllowed

DATA = Path(__file__).parents[2] / "data"
CLINIC = Path(__file__).parents[3] / "blueprints" / "clinic"
TRUTH = json.loads((DATA / "leads_1000.truth.json").read_text())


@pytest.fixture
def leads(database: Database) -> Iterator[Database]:
    """A database with the clinic's forms and lists and two branches."""
    make.organisation(database)
    files = {
        path.relative_to(CLINIC).as_posix(): path.read_bytes()
        for path in CLINIC.rglob("*.json")
        if path.parent.name in ("lists", "forms", "clinic")
    }
    pack = pack_of({name: content for name, content in files.items() if name != "roles.json"})
    database.write(lambda session: apply_pack(session, SYSTEM, pack))
    yield database


def reading(database: Database, name: str = "leads_1000.csv") -> Reading:
    sheet = read_sheet(name, (DATA / name).read_bytes())
    with database.read() as session:
        return read_rows(session, SYSTEM, "lead_intake", sheet)


def leads_in(database: Database) -> int:
    with database.read() as session:
        return session.scalar(text("SELECT count(*) FROM form_lead_intake")) or 0


def told(outcome: Outcome) -> list[dict[str, object]]:
    return [{"row": p.row, "column": p.column, "code": p.code} for p in outcome.problems]


@pytest.mark.parametrize("name", ["leads_1000.csv", "leads_1000.xlsx"])
def test_exactly_the_faulty_rows_are_told_and_nothing_is_written(
    leads: Database, name: str
) -> None:
    outcome = bring(leads, SYSTEM, reading(leads, name))
    assert told(outcome) == TRUTH["problems"]
    assert (outcome.rows, outcome.good, outcome.bad, outcome.duplicates) == (1000, 943, 37, 20)
    assert leads_in(leads) == 0


def test_the_good_rows_come_in_when_accepted_and_never_again(leads: Database) -> None:
    first = bring(leads, SYSTEM, reading(leads), accept_good=True)
    assert (first.good, leads_in(leads)) == (943, 943)
    again = bring(leads, SYSTEM, reading(leads), accept_good=True)
    assert (again.good, again.bad, again.duplicates, leads_in(leads)) == (0, 37, 963, 943)


def test_an_import_that_broke_off_goes_on_where_it_was(
    leads: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = bringing._chunk, iter(range(100))

    def breaks(session: Session, **rest: object) -> int:
        if next(calls) == 7:
            raise KeyboardInterrupt
        return real(session, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(bringing, "_chunk", breaks)
    with pytest.raises(KeyboardInterrupt):
        bring(leads, SYSTEM, reading(leads), accept_good=True)
    assert leads_in(leads) == 7 * bringing.CHUNK
    monkeypatch.setattr(bringing, "_chunk", real)
    rest = bring(leads, SYSTEM, reading(leads), accept_good=True)
    assert rest.good == 943 - 7 * bringing.CHUNK
    assert leads_in(leads) == 943


def test_two_who_bring_the_same_file_at_once_add_it_once(leads: Database) -> None:
    ours, theirs = reading(leads), reading(leads)
    first = bring(leads, SYSTEM, ours, accept_good=True)
    second = bring(leads, SYSTEM, theirs, accept_good=True)
    assert (first.good, second.good, second.duplicates) == (943, 0, 963)
    assert leads_in(leads) == 943


def test_a_dry_run_writes_nothing(leads: Database) -> None:
    outcome = bring(leads, SYSTEM, reading(leads), accept_good=True, dry_run=True)
    assert (outcome.good, outcome.written, leads_in(leads)) == (943, False, 0)


def test_a_header_that_fits_nothing_is_named_with_the_nearest(leads: Database) -> None:
    sheet = read_sheet("a.csv", "渠道,手机号码,称呼\nmeituan,1,2\n".encode())
    with pytest.raises(Malformed) as refusal, leads.read() as session:
        read_rows(session, SYSTEM, "lead_intake", sheet)
    (problem,) = refusal.value.problems
    assert (problem.path, problem.code, problem.params["header"]) == (
        "/headers/1",
        "E_HEADER_NEAR",
        "手机号码",
    )
    assert problem.params["nearest"]["zh-CN"] == "手机号"


def test_a_mapping_names_fields_and_leaves_columns_out(leads: Database) -> None:
    row = "meituan,13800000000,Wang,口腔,洗牙,2026-03-03 09:00,是,x\n"
    header = "渠道,Tel,称呼,业务线,Project wanted,接收时间,个人信息同意,Junk\n"
    sheet = read_sheet("a.csv", (header + row.replace("洗牙", "den_scaling")).encode())
    mapping = {"Tel": "mobile", "Project wanted": "project", "Junk": None}
    with leads.read() as session:
        found = read_rows(session, SYSTEM, "lead_intake", sheet, mapping=mapping)
    assert (found.bad, found.good[0].values["mobile"]) == (0, "13800000000")


def test_who_may_not_import_is_refused(leads: Database) -> None:
    make.publish(leads, "role", make.role("desk", {"lead_intake": [make.rule("branch", "read")]}))
    desk = make.person(leads, "desk", "B1", "desk")
    sheet = read_sheet("leads_1000.csv", (DATA / "leads_1000.csv").read_bytes())
    with pytest.raises(NotAllowed), leads.read() as session:
        read_rows(session, desk, "lead_intake", sheet)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", b"%PDF", "E_FILE_KIND"),
        ("a.csv", b"", "E_FILE_EMPTY"),
        ("a.csv", b",,,\n1,2\n", "E_FILE_EMPTY"),
        ("a.xlsx", b"PK\x03\x04 not a zip", "E_FILE_BROKEN"),
        ("a.xlsx", b"", "E_FILE_BROKEN"),
        ("a.csv", ",".join(f"h{n}" for n in range(400)).encode(), "E_FILE_COLUMNS"),
        ("a.csv", b"a,b,a\n1,2,3\n", "E_HEADER_TWICE"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(name: str, content: bytes, code: str) -> None:
    with pytest.raises(Malformed, match=code):
        read_sheet(name, content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_the_encodings_that_spreadsheets_write(encoding: str) -> None:
    sheet = read_sheet("a.csv", "称呼,城市\n王芳,杭州\n".encode(encoding))
    assert (sheet.headers, sheet.rows) == (["称呼", "城市"], [(2, ["王芳", "杭州"])])


def test_rows_are_numbered_as_the_spreadsheet_numbers_them() -> None:
    sheet = read_sheet("a.csv", b'a,b\n1,"two\nlines"\n\n3,4\n')
    assert [number for number, _ in sheet.rows] == [2, 4]
