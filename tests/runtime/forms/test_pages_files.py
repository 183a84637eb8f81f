"""Files in a form's pages, as a browser without script sends them."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import make
import pytest
from PIL import Image
from visitors import Site, Visitor, build
from werkzeug.test import TestResponse

from careloom.platform.store.database import Database
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from

PDF = b"%PDF-1.7\ntrailer<<>>\n%%EOF\n"
VISIT = make.form(
    "visit",
    {
        "name": make.field(title="Name"),
        "papers": make.field("file", "Papers", maxItems=3),
        "photos": make.field("image", "Photos"),
    },
    ["name"],
    x_label="name",
)
NEW = "/records/visit/new"


def png() -> bytes:
    made = BytesIO()
    Image.new("RGB", (4, 4)).save(made, "PNG")
    return made.getvalue()


@pytest.fixture
def clinic(sqlite: Database, tmp_path: Path) -> Site:
    settings = settings_from({"CARELOOM_HOME": str(tmp_path / "home"), "CARELOOM_LANGUAGE": "en"})
    site = build(sqlite, settings)
    make.publish(sqlite, "form", VISIT)
    site.role("desk", visit=[make.rule("branch", "read", "create", "change")])
    site.role("blind", visit=[make.rule("branch", "read", papers="masked")])
    return Site(create_app(sqlite, settings), sqlite, site.at)


def visitor(clinic: Site, login: str, role: str = "desk") -> Visitor:
    clinic.person(login, "B1", role)
    made = clinic.visitor()
    made.client.set_cookie("careloom_language", "en")
    assert made.sign_in(login).status_code == 303
    return made


@pytest.fixture
def ann(clinic: Site) -> Visitor:
    return visitor(clinic, "ann")


def send(ann: Visitor, path: str, **values: Any) -> TestResponse:
    data = {"csrf": ann.csrf(path), **values}
    return ann.client.post(path, data=data, content_type="multipart/form-data")


def attached(name: str = "a.pdf", content: bytes = PDF) -> tuple[BytesIO, str]:
    return BytesIO(content), name


def made(ann: Visitor) -> str:
    answer = send(ann, NEW, name="Zhou", papers=[attached("x.pdf"), attached("片子.pdf")])
    assert answer.status_code == 303, answer.text
    return answer.location


def kept(text: str, key: str = "papers") -> list[str]:
    return re.findall(rf'name="{key}" value="([0-9a-f]{{32}})" checked', text)


def test_a_form_with_files_is_sent_in_parts_and_says_what_it_takes(ann: Visitor) -> None:
    text = ann.get(NEW).text
    assert re.search(rf'action="{NEW}" enctype="multipart/form-data"', text)
    assert re.search(r'<input[^>]* type="file"[^>]* name="photos"[^>]* accept=".jpg,.jpeg', text)
    assert "at most 3" in text


def test_a_record_made_with_files_leads_to_each_of_them(ann: Visitor) -> None:
    text = ann.get(made(ann)).text
    links = re.findall(r'href="(/api/files/[0-9a-f]{32})"', text)
    assert len(links) == 2 and "x.pdf" in text and "片子.pdf" in text
    assert ann.get(links[0]).data == PDF


def test_an_input_left_empty_is_no_file(ann: Visitor) -> None:
    answer = send(ann, NEW, name="Zhou", papers=attached("", b""), photos=attached("", b""))
    assert answer.status_code == 303
    assert "/api/files/" not in ann.get(answer.location).text


def test_a_picture_is_seen(ann: Visitor) -> None:
    answer = send(ann, NEW, name="Zhou", photos=attached("a.png", png()))
    assert re.search(r'<img src="/api/files/[0-9a-f]{32}"', ann.get(answer.location).text)


def test_files_are_kept_left_out_and_added_in_an_edit(ann: Visitor) -> None:
    path = made(ann)
    text = ann.get(f"{path}/edit").text
    first, second = kept(text)
    revision = re.search(r'name="_revision" value="(\d+)"', text)
    assert revision
    values = {"name": "Zhou", "_revision": revision[1]}
    answer = send(ann, f"{path}/edit", **values, papers=[second, attached("new.pdf")])
    assert answer.status_code == 303, answer.text
    ids = kept(ann.get(f"{path}/edit").text)
    assert ids[0] == second and len(ids) == 2 and first not in ids


def test_a_refused_form_still_has_the_files_that_came_with_it(ann: Visitor) -> None:
    answer = send(ann, NEW, name="", papers=attached())
    assert answer.status_code == 422
    (file_id,) = kept(answer.text)
    again = send(ann, NEW, name="Zhou", papers=file_id)
    assert again.status_code == 303
    assert file_id in ann.get(again.location).text


def test_a_refused_file_is_told_at_its_field_and_what_was_typed_stays(ann: Visitor) -> None:
    answer = send(ann, NEW, name="Zhou", photos=attached("a.svg", b"<svg/>"))
    assert answer.status_code == 422
    assert 'href="#f-photos"' in answer.text and "cannot be used" in answer.text
    assert 'value="Zhou"' in answer.text


def test_too_many_files_are_refused_before_they_are_looked_at(ann: Visitor) -> None:
    answer = send(ann, NEW, name="Zhou", papers=[attached(f"{n}.pdf") for n in range(4)])
    assert answer.status_code == 422 and "At most 3 files" in answer.text
    assert kept(answer.text) == []


def test_somebody_elses_file_is_neither_taken_nor_named(clinic: Site, ann: Visitor) -> None:
    refused = send(ann, NEW, name="", papers=attached("secret-name.pdf"))
    (file_id,) = kept(refused.text)
    bob = visitor(clinic, "bob")
    answer = send(bob, NEW, name="Zhou", papers=file_id)
    assert answer.status_code == 422
    assert "secret-name" not in answer.text and kept(answer.text) == []


def test_a_masked_field_shows_no_file(clinic: Site, ann: Visitor) -> None:
    path = made(ann)
    text = visitor(clinic, "bob", "blind").get(path).text
    assert "Zhou" in text
    assert "/api/files/" not in text and "x.pdf" not in text


def test_the_table_and_its_page_bear_files(ann: Visitor) -> None:
    made(ann)
    assert ann.get("/records/visit").status_code == 200
    assert ann.get("/records/visit?sort=papers&w.papers=x").status_code == 200
