"""/api/files: what comes in, who gets it out, and how it is sent."""

import os
import tempfile
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import make
import pytest
from bucket import bucket_server, bucket_url  # noqa: F401
from flask.testing import FlaskClient
from PIL import Image
from visitors import Site, build
from werkzeug.test import TestResponse

from careloom.platform.identity import grants
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.store.database import Database
from careloom.platform.store.open_bodies import open_bodies
from careloom.platform.web import uploads
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import BadSetting, Settings, settings_from

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\ntrailer<<>>\n%%EOF\n"
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
VISIT = make.form(
    "visit",
    {"name": make.field(), "papers": make.field("file"), "photos": make.field("image")},
    x_label="name",
)
DESK = [make.rule("branch", "read", "create", "change")]


class Desk:
    """One person with an access token."""

    def __init__(self, site: Site, login: str, unit: str = "B1") -> None:
        self.actor: Actor = site.person(login, unit, "desk")
        self.client: FlaskClient = site.app.test_client()
        self.headers = site.token(self.actor)

    def upload(self, content: bytes = PDF, name: str = "a.pdf", **more: Any) -> TestResponse:
        data = {"file": (BytesIO(content), name), **more}
        return self.client.post("/api/files", data=data, headers=self.headers)

    def uploaded(self, content: bytes = PDF, name: str = "a.pdf") -> str:
        answer = self.upload(content, name)
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])  # type: ignore[index]

    def get(self, file_id: str) -> TestResponse:
        return self.client.get(f"/api/files/{file_id}", headers=self.headers)

    def submit(self, **values: Any) -> TestResponse:
        return self.client.post("/api/records/visit", json=values, headers=self.headers)


def opened(site: Site) -> Site:
    make.publish(site.database, "form", VISIT)
    site.role("desk", visit=DESK)
    return site


@pytest.fixture
def clinic(site: Site) -> Site:
    return opened(site)


@pytest.fixture
def either_clinic(either_site: Site) -> Site:
    return opened(either_site)


@pytest.fixture
def ann(clinic: Site) -> Desk:
    return Desk(clinic, "ann")


def test_a_file_is_uploaded_put_into_a_record_and_read_by_a_colleague(either_clinic: Site) -> None:
    ann, bob = Desk(either_clinic, "ann"), Desk(either_clinic, "bob")
    answer = ann.upload(name="片子.pdf")
    assert answer.status_code == 201
    assert answer.json is not None
    file_id = answer.json["id"]
    assert answer.json == {
        "id": file_id,
        "name": "片子.pdf",
        "type": "application/pdf",
        "size": len(PDF),
    }
    assert answer.headers["Location"] == f"/api/files/{file_id}"
    assert bob.get(file_id).status_code == 404
    assert ann.submit(papers=[file_id]).status_code == 201
    assert bob.get(file_id).data == PDF


def test_the_same_goes_through_a_bucket(
    sqlite: Database,
    settings: Settings,
    bucket_url: str,  # noqa: F811
) -> None:
    clinic = opened(build(sqlite, replace(settings, files_url=bucket_url)))
    ann = Desk(clinic, "ann")
    file_id = ann.uploaded()
    assert ann.get(file_id).data == PDF
    assert not (settings.home / "files").exists()


def test_another_branch_learns_nothing_of_a_file(either_clinic: Site) -> None:
    ann, eve = Desk(either_clinic, "ann"), Desk(either_clinic, "eve", "B2")
    file_id = ann.uploaded()
    ann.submit(papers=[file_id])
    theirs, nobodys = eve.get(file_id), eve.get("0" * 32)
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.data == nobodys.data
    assert eve.submit(papers=[file_id]).status_code == 422


def test_who_loses_the_role_loses_the_file_with_the_next_request(either_clinic: Site) -> None:
    ann, bob = Desk(either_clinic, "ann"), Desk(either_clinic, "bob")
    file_id = ann.uploaded()
    ann.submit(papers=[file_id])
    assert bob.get(file_id).status_code == 200
    number, unit = bob.actor.person_id or 0, bob.actor.unit_id or 0
    either_clinic.database.write(lambda s: grants.take(s, SYSTEM, number, "desk", unit))
    assert bob.get(file_id).status_code == 404


def test_nobody_signed_in_uploads_or_reads_nothing(clinic: Site, ann: Desk) -> None:
    client = clinic.app.test_client()
    data = {"file": (BytesIO(PDF), "a.pdf")}
    assert client.post("/api/files", data=data).status_code == 401
    assert client.get(f"/api/files/{ann.uploaded()}").status_code == 401


def test_a_file_is_sent_to_be_saved_and_never_to_be_opened(ann: Desk) -> None:
    answer = ann.get(ann.uploaded(name="片子 (1).pdf"))
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''%E7%89%87%E5%AD%90" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Length"] == str(len(PDF))
    assert "ETag" not in answer.headers and "Last-Modified" not in answer.headers


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "E_FILE_TYPE"),
        ("a.html", HTML, "E_FILE_TYPE"),
        ("a.pdf.html", HTML, "E_FILE_TYPE"),
        ("a.png", HTML, "E_FILE_CONTENT"),
        ("a.txt", HTML, "E_FILE_CONTENT"),
        ("a.pdf", b"", "E_FILE_NO_BYTES"),
        ("", PDF, "E_FILE_TYPE"),
    ],
)
def test_what_runs_or_lies_is_refused(ann: Desk, name: str, content: bytes, code: str) -> None:
    answer = ann.upload(content, name or " ")
    assert answer.status_code == 422
    assert [p["code"] for p in answer.json["problems"]] == [code]  # type: ignore[index]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../x.pdf", "x.pdf"),
        ("invoice\u202efdp.pdf", "invoicefdp.pdf"),
        ("con.pdf", "_con.pdf"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_a_name_is_kept_clean(ann: Desk, given: str, kept: str) -> None:
    assert ann.upload(name=given).json["name"] == kept  # type: ignore[index]


def test_a_photo_comes_out_without_the_place_it_was_taken(ann: Desk) -> None:
    exif, made = Image.Exif(), BytesIO()
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 14.0, 25.07)})
    Image.new("RGB", (4, 4)).save(made, "JPEG", exif=exif)
    assert b"Exif" in made.getvalue()
    sent = ann.get(ann.uploaded(made.getvalue(), "a.jpg")).data
    assert b"Exif" not in sent
    assert Image.open(BytesIO(sent)).size == (4, 4)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"other": (BytesIO(PDF), "a.pdf")},
        {"file": "/etc/passwd"},
        {"file": [(BytesIO(PDF), "a.pdf"), (BytesIO(PDF), "b.pdf")]},
        {"file": (BytesIO(PDF), "a.pdf"), "filepath": "/etc/passwd"},
    ],
    ids=["nothing", "another part", "a text", "two files", "a text beside"],
)
def test_one_file_is_wanted_and_nothing_beside_it(ann: Desk, data: Any) -> None:
    answer = ann.client.post(
        "/api/files", data=data, headers=ann.headers, content_type="multipart/form-data"
    )
    assert answer.status_code == 400, answer.text


def test_json_that_names_a_path_is_no_upload(ann: Desk) -> None:
    body = {"files": {"a": {"filepath": "/etc/passwd"}}}
    assert ann.client.post("/api/files", json=body, headers=ann.headers).status_code == 415
    for value in (body["files"], [{"filepath": "/etc/passwd"}], ["/etc/passwd"]):
        answer = ann.submit(papers=value)
        assert answer.status_code == 422 and b"root:" not in answer.data


@pytest.mark.parametrize(
    "id", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "0", "0" * 31, "0" * 33, "%00", "a b"]
)
def test_an_id_is_no_path(ann: Desk, id: str) -> None:
    answer = ann.get(id)
    assert answer.status_code in (400, 404)
    assert b"root:" not in answer.data


def test_more_than_the_largest_body_is_refused(clinic: Site, ann: Desk) -> None:
    clinic.app.config["MAX_CONTENT_LENGTH"] = 100_000
    answer = ann.upload(PDF + b"\0" * 200_000)
    assert answer.status_code == 413
    assert answer.mimetype == "application/problem+json"


def test_missing_or_altered_bytes_are_missing_and_no_fault_of_ours(
    ann: Desk, settings: Settings
) -> None:
    for spoil in (lambda path: path.unlink(), lambda path: path.write_bytes(PDF[:-1] + b"x")):
        file_id = ann.uploaded()
        spoil(settings.home / "files" / file_id[:2] / file_id)
        answer = ann.get(file_id)
        assert answer.status_code == 404
        assert answer.json["code"] == "E_FILE_MISSING"  # type: ignore[index]


def test_sent_again_under_its_key_an_upload_is_one_file(ann: Desk) -> None:
    ann.headers = {**ann.headers, "Idempotency-Key": "k1"}
    assert ann.uploaded() == ann.uploaded()
    assert ann.upload(PDF + b" ").status_code == 409


def test_a_browsers_upload_needs_its_token(clinic: Site, ann: Desk) -> None:
    visitor = clinic.visitor()
    visitor.sign_in("ann")
    data = {"file": (BytesIO(PDF), "a.pdf")}
    assert visitor.client.post("/api/files", data=data).status_code == 403
    data = {"file": (BytesIO(PDF), "a.pdf"), "csrf": visitor.csrf("/no-such-page")}
    assert visitor.client.post("/api/files", data=data).status_code == 201


def test_the_document_says_how_a_file_is_sent_and_comes_back(ann: Desk) -> None:
    document = ann.client.get("/api/openapi.json", headers=ann.headers).json
    assert document is not None
    sent = document["paths"]["/api/files"]["post"]
    assert list(sent["requestBody"]["content"]) == ["multipart/form-data"]
    assert {"201", "400", "401", "413", "415", "422", "429"} <= set(sent["responses"])
    given = document["paths"]["/api/files/{file_id}"]["get"]
    assert list(given["responses"]["200"]["content"]) == ["*/*"]


def test_a_wrong_address_of_the_bucket_keeps_the_house_from_opening(
    sqlite: Database, settings: Settings
) -> None:
    with pytest.raises(BadSetting, match="CARELOOM_FILES_URL"):
        settings_from({"CARELOOM_FILES_URL": "http://bucket"})
    with pytest.raises(BadSetting, match="CARELOOM_FILES_URL"):
        create_app(sqlite, replace(settings, files_url="http://bucket"), [])


def test_what_nobody_kept_is_swept_beside_the_server(
    sqlite: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_bodies("", settings.home)
    home.put(orphan := "0" * 32, BytesIO(PDF))
    path = settings.home / "files" / "00" / orphan
    killed = tmp_path / "careloom-export-killed"
    killed.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for old in (path, killed):
        long_ago = time.time() - 90_000
        os.utime(old, (long_ago, long_ago))
    monkeypatch.setattr(uploads, "AN_HOUR", 0.01)
    stop = uploads.start_sweeping(sqlite, home)
    try:
        until = time.monotonic() + 10
        while path.exists() and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        stop()
    assert not path.exists() and not killed.exists()
