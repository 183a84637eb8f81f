"""A record printed, through HTTP: what stands on the sheet, in whose eyes, what is kept of it."""

import io
import json
import re
from pathlib import Path
from typing import Any

import make
import pytest
from conftest import lacking
from pdf_text import text_of
from PIL import Image
from sqlalchemy import select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session
from visitors import Caller, Site, build

from careloom.platform.definitions.kinds import register
from careloom.platform.events.model import Event, View
from careloom.platform.identity import many_seen
from careloom.platform.paper import pdf
from careloom.platform.paper.pdf import Made, NotMade, can_make
from careloom.platform.records import kinds
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, Invalid
from careloom.platform.store.session import bump_epoch
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.printouts import pages
from careloom.runtime.printouts.check import PRINTOUT

PATIENT = make.form(
    "patient",
    {
        "name": make.field(title="Name"),
        "mobile": make.field("phone", title="Mobile"),
        "allergy": make.field(title="Allergy"),
    },
    x_label="name",
)
ITEM = {
    "what": make.field("choice", title="What", x_options=make.fixed("crown", "scaling")),
    "price": make.field("money", title="Price", x_scale=2),
}
PLAN = make.form(
    "plan",
    {
        "patient": make.link("patient"),
        "risk": make.field("longtext", title="Risk"),
        "cost": make.field("money", title="Cost", x_scale=2),
        "grade": make.field(
            "choice",
            x_options={
                "source": "fixed",
                "items": [{"key": "a", "title": {"zh-CN": "甲级", "en": "First"}}],
            },
        ),
        "ready": make.field("yesno", title="Ready"),
        "photos": make.field("image", title="Photos"),
        "items": make.rows(ITEM, title="Items"),
        "unit": make.field("unit"),
    },
    x_unit="unit",
)
CONSENT: dict[str, Any] = {
    "format": 1,
    "key": "consent",
    "title": {"zh-CN": "同意书", "en": "Consent"},
    "form": "plan",
    "blocks": [
        {
            "key": "who",
            "kind": "fields",
            "fields": [
                {"key": "name", "show": "patient.name"},
                {"key": "mobile", "show": "patient.mobile"},
                {"key": "allergy", "show": "patient.allergy"},
                {"key": "cost", "show": "cost * 2", "title": "Twice"},
            ],
        },
        {
            "key": "words",
            "kind": "text",
            "text": {
                "zh-CN": "等级 {{ grade }}，风险：{{ risk }}。",
                "en": "Grade {{ grade }}, risk: {{ risk }}; {{ ready }}; from {{ cost + 1 }}.",
            },
        },
        {
            "key": "warned",
            "kind": "text",
            "when": "NOT(ISBLANK(patient.allergy))",
            "text": "Allergic to {{ patient.allergy }}",
        },
        {"key": "quiet", "kind": "text", "when": "ready", "text": "Not printed"},
        {"key": "items", "kind": "rows", "of": "items", "columns": list(ITEM), "total": ["price"]},
        {"key": "photos", "kind": "picture", "of": "photos"},
        {"key": "signed", "kind": "signatures", "lines": [{"key": "me", "title": "Patient"}]},
    ],
}
LABEL = {
    **CONSENT,
    "key": "label",
    "title": "Label",
    "paper": "label_60x40",
    "when": 'grade = "a"',
    "blocks": [{"key": "name", "kind": "text", "text": "{{ patient.name }}"}],
}
CANARY = "<b id=x>\"'&{{7*7}}${7*7}#{7*7}{{ cost }}"


@pytest.fixture
def site(sqlite: Database, tmp_path: Path) -> Site:
    register(PRINTOUT)
    settings = settings_from({"CARELOOM_HOME": str(tmp_path / "home"), "CARELOOM_LANGUAGE": "en"})
    made = build(sqlite, settings)
    for form in (PATIENT, PLAN):
        make.publish(sqlite, "form", form)
    for printout in (CONSENT, LABEL):
        make.publish(sqlite, "printout", printout)
    whole = [make.rule("branch", "read", "create", "change")]
    made.role("doctor", plan=whole, patient=[make.rule("all", "read", "create")])
    made.role(
        "desk",
        plan=[make.rule("branch", "read", cost="hidden", risk="masked", items="hidden")],
        patient=[make.rule("all", "read", mobile="masked", allergy="hidden")],
    )
    made.role("alone", plan=[make.rule("branch", "read")])
    return Site(create_app(sqlite, settings), sqlite, made.at)


def caller(site: Site, login: str, role: str, unit: str = "B1") -> Caller:
    return Caller(site, site.token(site.person(login, unit, role)))


@pytest.fixture
def plan(site: Site) -> str:
    """The address of a plan at the first branch."""
    patient = make.record(
        site.database, "patient", name="周女士", mobile="19912345678", allergy="Penicillin"
    )
    made = make.record(
        site.database,
        "plan",
        patient=str(patient.id),
        risk=CANARY,
        cost="1250.50",
        grade="a",
        items=[{"what": "crown", "price": "2600.00"}, {"what": "scaling", "price": "280.00"}],
        unit=str(site.at["B1"]),
    )
    return f"/records/plan/{made.id}"


def words(answer: Any) -> str:
    """A page's sheet as one reads it."""
    assert answer.status_code == 200, answer.text[:400]
    sheet = re.search(r"<article.*?</article>", answer.text, re.S)
    assert sheet is not None
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", sheet[0]))


def html(asked: Caller, path: str) -> Any:
    asked.client.set_cookie("careloom_language", "en")
    return asked("GET", path, Accept="text/html")


def test_a_sheet_has_all_that_its_reader_may_see(site: Site, plan: str) -> None:
    text = words(html(caller(site, "doc", "doctor"), f"{plan}/print/consent?in=en"))
    for each in ("Group", "Branch 1", "Consent", "周女士", "199 1234 5678", "Penicillin"):
        assert each in text or each.replace(" ", "") in text, each
    assert "Twice ¥2,501.00" in text and "Grade First" in text and "from ¥1,251.50" in text
    assert "crown ¥2,600.00 scaling ¥280.00 Total ¥2,880.00" in text
    assert "Allergic to Penicillin" in text and "Not printed" not in text
    assert "Patient:" in text and "printed by Doc" in text and "***" not in text


def test_it_is_printed_in_the_language_asked_for(site: Site, plan: str) -> None:
    doctor = caller(site, "doc", "doctor")
    chinese = html(doctor, f"{plan}/print/consent?in=zh-CN")
    assert 'lang="zh-CN"' in chinese.text and "等级 甲级" in words(chinese)
    assert html(doctor, f"{plan}/print/consent?in=fr").status_code == 400


def test_hidden_and_masked_fields_print_as_their_reader_sees_them(site: Site, plan: str) -> None:
    answer = html(caller(site, "desk", "desk"), f"{plan}/print/consent?in=en")
    text = words(answer)
    for secret in ("1,250", "1,251", "2,501", "2,600", "Penicillin", "19912345678", "&lt;b id=x"):
        assert secret not in text, secret
    assert "199****5678" in text and "Allergy" not in text, "masked; a hidden field has no place"
    assert "Twice ***" in text and "from ***" in text, "what follows from a hidden field is hidden"
    assert "Allergic" not in text, "nobody learns whether what decides is filled in"
    assert "may not see it" in text, "and the sheet says that something is missing"
    gone = words(html(caller(site, "alone", "alone"), f"{plan}/print/consent?in=en"))
    assert "周女士" not in gone and "may not see it" in gone


def test_whoever_may_not_see_the_record_finds_nothing_to_print(site: Site, plan: str) -> None:
    far, here = caller(site, "far", "doctor", "B2"), caller(site, "here", "doctor")
    for path in ("consent", "consent/pdf", "label"):
        assert html(far, f"{plan}/print/{path}").status_code == 404
    assert html(here, f"{plan}/print/gone").status_code == 404
    other = plan.replace("/plan/", "/patient/")
    assert html(here, f"{other}/print/consent").status_code == 404
    with site.database.read() as session:
        assert session.scalars(select(Event).where(Event.name == "record:printed")).all() == []


def test_t14_what_somebody_typed_is_printed_as_it_was_typed(
    site: Site, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def made(html: str, *_: Any) -> Made:
        given.append(html)
        return Made(b"%PDF-", ())

    monkeypatch.setattr(pages, "make_pdf", made)
    monkeypatch.setattr(pages, "can_make", lambda: True)
    doctor = caller(site, "doc", "doctor")
    page = html(doctor, f"{plan}/print/consent?in=en").text
    assert html(doctor, f"{plan}/print/consent/pdf?in=en").status_code == 200
    for text in (page, *given):
        assert "&lt;b id=x&gt;&#34;&#39;&amp;{{7*7}}${7*7}#{7*7}{{ cost }}" in text
        assert "<b id=x>" not in text


def test_who_printed_what_is_written_down_before_it_is_handed_out(
    site: Site, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor, record = caller(site, "doc", "doctor"), plan.rpartition("/")[2]
    assert html(doctor, f"{plan}/print/consent").status_code == 200
    with site.database.read() as session:
        seen = {view.form: (view.purpose, view.ids) for view in session.scalars(select(View))}
        event = session.scalars(select(Event).where(Event.name == "record:printed")).one()
    assert seen["plan"] == ("print", [record]) and seen["patient"][0] == "print"
    expected = {"form": "plan", "printout": "consent", "version": 1, "as": "page"}
    assert event.data == expected and event.subject_kind == "form:plan"

    def full(*_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(pages, "write_shown", full)
    monkeypatch.setattr(pages, "make_pdf", lambda *_: Made(b"%PDF-of-somebody", ()))
    monkeypatch.setattr(pages, "can_make", lambda: True)
    for path in ("consent", "consent/pdf"):
        answer = html(doctor, f"{plan}/print/{path}")
        assert answer.status_code >= 500 and b"%PDF" not in answer.data
        assert "周女士" not in answer.text


def test_who_prints_very_many_stands_in_the_trail(
    site: Site, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_seen, "MANY", 2)
    assert html(caller(site, "doc", "doctor"), f"{plan}/print/consent").status_code == 200
    with site.database.read() as session:
        assert session.scalars(select(Event).where(Event.name == "person:saw_many")).one()


def test_the_records_page_offers_what_may_be_printed(site: Site, plan: str) -> None:
    doctor = caller(site, "doc", "doctor")
    text = html(doctor, plan).text
    assert f'href="{plan}/print/consent"' in text and f'href="{plan}/print/label"' in text
    rest = {"grade": None}
    made = doctor("PATCH", f"/api{plan}", {"values": rest}, If_Match='"1"')
    assert made.status_code == 200, made.text
    text = html(doctor, plan).text
    assert f'href="{plan}/print/consent"' in text and "print/label" not in text
    assert html(doctor, f"{plan}/print/label").status_code == 404


def test_a_label_has_neither_head_nor_foot(site: Site, plan: str) -> None:
    answer = html(caller(site, "doc", "doctor"), f"{plan}/print/label")
    assert "sheet-label_60x40" in answer.text and words(answer).strip() == "周女士"


def test_a_printout_that_its_form_outgrew_is_told_and_no_fault(site: Site, plan: str) -> None:
    """Publishing keeps what is printed, fields and columns; an older release kept no columns."""
    fields = {**PLAN["properties"], "items": make.rows({"what": ITEM["what"]}, title="Items")}
    shorter = make.form("plan", fields, x_unit="unit")
    with pytest.raises(Invalid):
        make.publish(site.database, "form", shorter)
    with pytest.MonkeyPatch.context() as older:
        older.setattr(kinds, "removed_in_use", lambda _session, _document: [])
        make.publish(site.database, "form", shorter)
    answer = html(caller(site, "doc", "doctor"), f"{plan}/print/consent")
    assert answer.status_code == 409 and "no longer fits" in answer.text


def test_a_printout_of_a_later_release_stands_still_alone(site: Site, plan: str) -> None:
    later = json.dumps({**CONSENT, "blocks": [{"key": "a", "kind": "hologram"}]})

    def deed(session: Session) -> None:
        its = "UPDATE definition_version SET document = :words WHERE key = 'consent'"
        session.execute(sql(its), {"words": later})
        bump_epoch(session)

    site.database.write(deed)
    doctor = caller(site, "doc", "doctor")
    text = html(doctor, plan).text
    assert "print/consent" not in text and f'href="{plan}/print/label"' in text
    assert html(doctor, f"{plan}/print/label").status_code == 200
    answer = doctor("GET", f"{plan}/print/consent", Accept="application/json")
    assert (answer.status_code, answer.json["code"]) == (501, "E_NOT_UNDERSTOOD")
    assert answer.json["problems"][0]["path"] == "/blocks/0/kind"


def test_a_condition_that_holds_no_more_keeps_no_record_from_being_read(
    site: Site, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> bool:
        raise Conflict("E_PRINT_BROKEN", why="E_NO_NAME")

    monkeypatch.setattr(pages, "offered", broken)
    doctor = caller(site, "doc", "doctor")
    assert html(doctor, plan).status_code == 200
    assert html(doctor, f"{plan}/print/label").status_code == 409


def test_without_weasyprint_no_pdf_is_offered_and_the_route_says_so(
    site: Site, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "can_make", lambda: False)
    doctor = caller(site, "doc", "doctor")
    assert "/pdf" not in html(doctor, f"{plan}/print/consent").text
    answer = doctor("GET", f"{plan}/print/consent/pdf", Accept="application/json")
    assert (answer.status_code, answer.json["code"]) == (503, "E_PDF_ABSENT")


def test_f19_a_pdf_that_fails_is_told_and_the_server_goes_on(
    site: Site, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Made:
        raise NotMade("E_PDF_LARGE")

    monkeypatch.setattr(pages, "make_pdf", fails)
    monkeypatch.setattr(pages, "can_make", lambda: True)
    doctor = caller(site, "doc", "doctor")
    answer = html(doctor, f"{plan}/print/consent/pdf")
    assert answer.status_code == 503 and "print from the browser" in answer.text
    assert html(doctor, f"{plan}/print/consent").status_code == 200
    with site.database.read() as session:
        events = session.scalars(select(Event).where(Event.name == "record:printed")).all()
    assert [event.data["as"] for event in events] == ["page"], "what was not made was not printed"


def test_the_pdf_holds_the_sheet_its_pictures_and_its_pages(
    site: Site, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_make():
        lacking("WeasyPrint with Pango")
    monkeypatch.setattr(pdf, "MOST_SECONDS", 120.0)  # the machine is busy with other tests
    doctor = caller(site, "doc", "doctor")
    picture = io.BytesIO()
    Image.new("RGB", (60, 40), "#2a4f8f").save(picture, "JPEG")
    picture.seek(0)
    part = {"file": (picture, "before.jpg")}
    sent = doctor.client.post("/api/files", data=part, headers=doctor.token)
    photos = {"values": {"photos": [sent.json["id"]]}}
    changed = doctor("PATCH", f"/api{plan}", photos, If_Match='"1"')
    assert changed.status_code == 200, changed.text
    answer = doctor("GET", f"{plan}/print/consent/pdf?in=en")
    assert answer.mimetype == "application/pdf" and "Consent.pdf" in str(answer.headers)
    assert answer.headers["Cache-Control"] == "no-store, private"
    text = text_of(answer.data)
    for each in ("Consent", "周女士", "Penicillin", "¥2,880.00", "printed by Doc", "1 / 1"):
        assert each in text, each
    assert "&{{7*7}}${7*7}#{7*7}" in text
    assert b"/DCTDecode" in answer.data, "the photo is in it"
    masked = text_of(caller(site, "desk", "desk")("GET", f"{plan}/print/consent/pdf?in=en").data)
    assert "Penicillin" not in masked and "199****5678" in masked and "1,25" not in masked
