"""What leaves without a second person's yes: few, over a day, or nothing about people."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import make
import pytest
from openpyxl import load_workbook

from careloom.platform.exports.make import take_at_server, take_freely
from careloom.platform.exports.personal import holds_personal
from careloom.platform.exports.question import Question
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.bring import read_rows
from careloom.platform.records.sheet import read_sheet
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.web.settings import BadSetting, settings_from

from .desk import REASON, Desk, open_desk, said

EXPORT = "/api/records/lead/export"


def test_a_list_that_is_cut_in_pieces_counts_as_one(desk: Desk, clock: TurnedClock) -> None:
    clerk = desk.call(desk.clerk)
    assert clerk("GET", f'{EXPORT}?filter=name < "C"').status_code == 200
    assert clerk("GET", f'{EXPORT}?filter=name < "D"').status_code == 200, "two of them are known"
    got = clerk("GET", f'{EXPORT}?filter=name = "Dan"')
    assert said(got) == (403, "E_EXPORT_WANTS_YES")
    body = {"form": "lead", "reason": REASON, "filter": 'name = "Dan"'}
    assert clerk("POST", "/api/exports", body).status_code == 202
    clock.turn(timedelta(hours=24))
    assert clerk("GET", f'{EXPORT}?filter=name = "Dan"').status_code == 200


def test_what_was_allowed_is_not_counted(desk: Desk) -> None:
    clerk = desk.call(desk.clerk)
    number = clerk("POST", "/api/exports", {"form": "lead", "reason": REASON}).json["id"]
    desk.call(desk.head)("POST", f"/api/exports/{number}/allow", {})
    assert clerk("POST", f"/api/exports/{number}/file", {}).status_code == 200
    assert clerk("GET", f'{EXPORT}?filter=name = "Dan"').status_code == 200


def test_what_needs_no_yes_is_not_asked_for(desk: Desk) -> None:
    body = {"form": "lead", "reason": REASON, "filter": 'name < "C"'}
    got = desk.call(desk.clerk)("POST", "/api/exports", body)
    assert said(got) == (409, "E_EXPORT_NEEDS_NO_YES")


@pytest.mark.parametrize(("free", "status"), [("off", 200), ("4", 200), ("3", 403), ("0", 403)])
def test_the_setting_says_how_many(
    sqlite: Database, tmp_path: Path, free: str, status: int
) -> None:
    desk = open_desk(sqlite, tmp_path / "home", free)
    assert desk.call(desk.clerk)("GET", EXPORT).status_code == status


@pytest.mark.parametrize("free", ["-1", "many", "1.5", "1000001", "OFF"])
def test_a_setting_that_cannot_be_meant_is_refused(tmp_path: Path, free: str) -> None:
    with pytest.raises(BadSetting, match="CARELOOM_EXPORT_FREE"):
        settings_from({"CARELOOM_HOME": str(tmp_path), "CARELOOM_EXPORT_FREE": free})


def test_nothing_may_be_freely_taken_of_none(sqlite: Database, tmp_path: Path) -> None:
    """Of 0 rows an empty file leaves: there is nothing in it."""
    desk = open_desk(sqlite, tmp_path / "home", "0")
    got = desk.call(desk.clerk)("GET", f'{EXPORT}?filter=name = "Nobody"')
    assert got.status_code == 200


FORMS = {
    "price": make.form("price", {"name": make.field(), "fee": make.field("money", x_scale=2)}),
    "marked": make.form("marked", {"name": make.field(x_sensitive="personal")}),
    "medical": make.form("medical", {"name": make.field(x_sensitive="medical")}),
    "sealed": make.form("sealed", {"name": make.field(x_encrypted=True)}),
    "called": make.form("called", {"number": make.field("phone")}),
    "linked": make.form("linked", {"who": make.link("marked")}),
    "inner": make.form(
        "inner", {"people": make.rows({"name": make.field(x_sensitive="personal")})}
    ),
    "of_prices": make.form("of_prices", {"what": make.link("price")}),
}
PEOPLE = {"marked", "medical", "sealed", "called", "linked", "inner"}


def test_a_form_is_about_people_by_its_fields_and_its_links(sqlite: Database) -> None:
    for document in FORMS.values():
        make.publish(sqlite, "form", document)
    with sqlite.read() as session:
        assert {key for key in FORMS if holds_personal(session, key)} == PEOPLE


def test_what_is_about_nobody_leaves_in_any_number(desk: Desk, tmp_path: Path) -> None:
    make.publish(desk.database, "form", FORMS["price"])
    desk.site.role("prices", price=[make.rule("all", "read", "export")])
    actor = make.person(desk.database, "prices", "B1", "prices")
    for name in "abcde":
        make.record(desk.database, "price", name=name)
    path = tmp_path / "prices.csv"
    assert take_freely(desk.database, actor, Question("price", "csv"), path, free=3).rows == 5


def test_the_operator_takes_all_and_it_is_written_down(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "all.xlsx"
    taken = take_at_server(desk.database, SYSTEM, Question("lead", "xlsx"), path)
    (event,) = desk.events("records:exported")
    assert event.data == {"form": "lead", "rows": 4, "export": str(taken.reference)}
    assert event.actor_id is None


def test_a_workbook_says_who_took_it_and_comes_in_again(desk: Desk, tmp_path: Path) -> None:
    """On each printed page and in its properties, and in none of its cells."""
    clerk = replace(desk.clerk, name="R&D 王")
    path = tmp_path / "leads.xlsx"
    taken = take_freely(desk.database, clerk, Question("lead", "xlsx"), path, free=4)
    words = f"R&D 王 (clerk) · {taken.at} · {taken.reference}"
    assert taken.at == "2026-03-03 10:00", "on the clock of the branch"
    book = load_workbook(path)
    sheet = book.worksheets[0]
    assert sheet.oddHeader.right.text == words.replace("&", "&&")
    assert sheet.oddFooter.left.text == words.replace("&", "&&")
    assert book.properties.creator == "R&D 王 (clerk)"
    assert book.properties.identifier == str(taken.reference)
    assert book.properties.description == words
    assert str(taken.reference) not in repr(list(sheet.values))
    assert taken.name("Leads") == f"Leads clerk 20260303-1000 {taken.reference}.xlsx"
    desk.site.role("importer", lead=[make.rule("branch", "read", "create", "import")])
    importer = make.person(desk.database, "importer", "B1", "importer")
    with desk.database.read() as session:
        read = read_rows(session, importer, "lead", read_sheet("a.xlsx", path.read_bytes()))
    assert read.rows == 4 and {problem.column for problem in read.problems} <= {"Mobile"}


def test_the_trail_finds_who_took_a_file_by_its_reference(desk: Desk) -> None:
    """Of a small one, too."""
    desk.site.role("auditor", "trail.read")
    auditor = desk.call(desk.site.person("auditor", "B1", "auditor"))
    got = desk.call(desk.clerk)("GET", f'{EXPORT}?filter=name = "Ann"')
    reference = got.headers["Content-Disposition"].split()[-1].split(".")[0]
    (event,) = auditor("GET", f"/api/trail?subject=export/{reference}").json["items"]
    assert event["actor"]["name"] == "Clerk" and event["data"] == {"form": "lead", "rows": 1}


def test_a_csv_has_its_header_and_its_records_and_nothing_else(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    taken = take_freely(desk.database, desk.clerk, Question("lead", "csv"), path, free=4)
    text = path.read_text("utf-8-sig")
    assert len(text.splitlines()) == 5 and str(taken.reference) not in text
