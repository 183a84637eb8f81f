"""A script planted in every text there is, and every page looked at: none runs, none is an element.

T48, as far as pages exist. Planted: in each text field of every form, in the labels of every
definition, in names of people, units and access tokens.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from chromium import page as opened_page
from playwright.sync_api import Browser, Dialog, Page
from served import PASSWORD, Site
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.definitions.publish import publish_document
from careloom.platform.definitions.published import entries, published
from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.model import Person, Unit
from careloom.platform.records.lists import list_records
from careloom.platform.records.submit import change, submit
from careloom.platform.store.errors import Invalid
from careloom.platform.store.session import bump_epoch

pytestmark = pytest.mark.browser

CANARY = "\"'><img src=x onerror=alert(1)>"
LABELS = {"title", "x-title", "help", "x-help", "x-placeholder", "message", "words", "text"}
KINDS = ("list", "form", "report", "dashboard", "role", "flow", "printout")
#: what links lead to and is saved, not looked at
NO_PAGES = ("/export", "/files/", "/pdf")
LOGINS = ("admin", "supervisor", "agent", "manager")


def planted(value: Any, inside: bool = False) -> Any:
    """A document with the canary behind each of its labels, in every language."""
    if isinstance(value, dict):
        return {
            key: planted(its, inside=key in LABELS or (inside and key in ("zh-CN", "en")))
            for key, its in value.items()
        }
    if isinstance(value, list):
        return [planted(its) for its in value]
    return value + CANARY if inside and isinstance(value, str) else value


def plant_labels(session: Session) -> int:
    """Publish every definition anew with planted labels; how many could be."""
    count = 0
    for kind in KINDS:
        for entry in entries(session, kind):
            document = planted(published(session, kind, entry.key).document)
            try:
                publish_document(session, SYSTEM, kind, document)
                count += 1
            except Invalid as refusal:
                assert {p.code for p in refusal.problems} <= {"E_TOO_LONG"}, refusal.problems
    for unit in session.scalars(select(Unit)):
        unit.title = planted({"title": unit.title})["title"]
    for person in session.scalars(select(Person)):
        person.name = (person.name + CANARY)[:100]
        if person.login in ("admin", "agent"):
            access_tokens.issue(session, SYSTEM, person.id, CANARY)
    bump_epoch(session)
    return count


def plant_values(session: Session) -> int:
    """The canary in each text of some records of every form; how many fields."""
    count = 0
    for entry in entries(session, "form"):
        for record in list_records(session, SYSTEM, entry.key, limit=3).items:
            for its in record.form.fields.values():
                if its.type.name in ("text", "longtext") and its.value is None:
                    text = CANARY[-int(its.schema.get("maxLength", 100)) :]
                    try:
                        change(session, SYSTEM, entry.key, record.id, {its.key: text})
                        count += 1
                    except Invalid:
                        continue  # a field that takes no such text holds none
    return count


def start_anew(site: Site) -> None:
    """Another lead, so that a flow runs whose steps have planted titles."""

    def deed(session: Session) -> None:
        last = list_records(session, SYSTEM, "lead_intake", limit=1).items[0]
        fields = last.form.fields
        values = {
            key: value
            for key, value in last.json().items()
            if fields[key].value is None and not fields[key].type.generated
        }
        submit(session, SYSTEM, "lead_intake", values, unit_id=last.unit_id)

    site.database.write(deed)
    site.work()


def booked(site: Site) -> str:
    """A visit at the first branch; where its label is printed."""

    def deed(session: Session) -> int:
        customer = list_records(session, SYSTEM, "customer_profile", limit=1).items[0]
        values = {
            "customer": str(customer.id),
            "customer_name": CANARY,
            "start_at": "2026-03-04T10:00",
            "end_at": "2026-03-04T11:00",
            "appt_type": "consult",
            "dept": "den_implant",
            "items": ["den_cbct"],
            "clinic": str(customer.unit_id),
            "source": "online",
            "status": "booked",
        }
        return submit(session, SYSTEM, "appointment", values, unit_id=customer.unit_id).id

    return f"/records/appointment/{site.database.write(deed)}/print/appointment_label"


def shape(url: str) -> str:
    """An address without what only says which: ids, and the values of its query."""
    parts = urlsplit(url)
    asked = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return re.sub(r"\d{6,}", "N", parts.path) + "?" + ",".join(asked)


def pages(page: Page, site: Site, shapes: set[str], *more: str) -> Iterator[str]:
    """Every page that links lead to from the first one and from some more, but those of a shape
    looked at before: what differs between them is only what stands in them."""
    waiting, seen = ["/", *more], {"/", *more}
    while waiting:
        path = waiting.pop(0)
        if path != "/" and shape(path) in shapes:
            continue
        shapes.add(shape(path))
        answer = page.goto(site.url + path)
        assert answer is not None and answer.status < 500, path
        yield path
        for href in page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)"):
            if href.startswith(site.url + "/"):
                path = href.removeprefix(site.url).partition("#")[0]
                if path not in seen and not any(part in path for part in NO_PAGES):
                    seen.add(path)
                    waiting.append(path)


def complaints(page: Page) -> list[str]:
    """What the page says against itself from now on: a box that opens, a script that is refused."""
    found: list[str] = []

    def box(opened: Dialog) -> None:
        found.append(opened.message)
        opened.dismiss()

    page.on("dialog", box)
    page.on("console", lambda line: found.append(line.text) if line.type == "error" else None)
    return found


def test_no_page_runs_what_somebody_typed(
    clinic: Site, browser: Browser, record_property: Any
) -> None:
    clinic.bring_leads(2)
    labels = clinic.database.write(plant_labels)
    start_anew(clinic)
    label = booked(clinic)
    values = clinic.database.write(plant_values)
    assert labels > 20 and values > 10
    looked, carried, shapes = 0, 0, set[str]()
    for login in LOGINS:
        with opened_page(browser, 1280) as page:
            wrong = complaints(page)
            page.goto(clinic.url + "/sign-in")
            page.fill("#login", login)
            page.fill("#password", PASSWORD)
            page.click("button.button-main")
            more = [label] if login == "manager" else []
            for path in pages(page, clinic, shapes, *more):
                refused = [words for words in wrong if "status of 4" not in words]
                assert not refused, f"{login} {path}: {refused}"
                assert page.locator("img[src=x], [onerror]").count() == 0, f"{login} {path}"
                there = CANARY in page.locator("body").inner_text()
                assert there or path != label, "what is printed is looked at too"
                carried += there
                looked += 1
    assert looked > 30 and carried > 20, (looked, carried)
    record_property("cells", looked)
