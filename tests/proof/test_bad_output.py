"""What people typed stays text in every page: T48, T14. Without a browser, so as to be quick; the
pages as Chromium draws them are in `../browser/test_canaries.py`.
"""

from pathlib import Path
from typing import Any

import pytest
from visitors import Visitor

from careloom.platform.exports.ask import ask
from careloom.platform.exports.question import Question
from careloom.platform.store.database import Database

from .clinic import Clinic, open_clinic

CANARY = "<b id=x>\"'&{{7*7}}"
SHOWN = "&lt;b id=x&gt;"


@pytest.fixture
def clinic(sqlite: Database, tmp_path: Path) -> Clinic:
    return open_clinic(sqlite, tmp_path / "home")


def signed_in(clinic: Clinic) -> Visitor:
    visitor = clinic.site.visitor()
    assert visitor.sign_in("here").status_code == 303
    return visitor


def test_t48_t14_what_somebody_typed_is_shown_as_it_was_typed(
    clinic: Clinic, record_property: Any
) -> None:
    at = f"/records/lead/{clinic.mine}"
    sent = {"values": {"name": CANARY, "note": CANARY}}
    path = f"/api{at}"
    assert clinic.ask("PATCH", path, json=sent, headers={"If-Match": '"1"'}).status_code == 200
    visitor = signed_in(clinic)
    asked = (
        at,
        f"{at}/edit",
        "/records/lead",
        f"/records/lead?q={CANARY}",
        f"/records/lead?view=all&name={CANARY}",
        "/records/lead/offer",
        f"/no-such-page/{CANARY}",
    )
    told = 0
    for each in asked:
        answer = visitor.get(each)
        text = answer.text
        if answer.mimetype == "application/json":
            continue  # read by scripts as text, and by nobody as a page (nosniff)
        assert "<b id=x>" not in text, each
        assert SHOWN not in text or "{{7*7}}" in text, each
        told += SHOWN in text
    assert told >= 4, "the text is there, only not as an element"
    waiting = asked_for(clinic)
    for each in ("/exports", waiting, f"/records/lead/export/ask?q={CANARY}&filter={CANARY}"):
        text = visitor.get(each).text
        assert "<b id=x>" not in text and SHOWN in text, each
    typed = visitor.post("/records/lead/new", csrf=visitor.csrf(f"{at}/edit"), name=CANARY * 9)
    assert typed.status_code == 422 and SHOWN in typed.text and "<b id=x>" not in typed.text
    record_property("payloads", len(asked) + 4)


def asked_for(clinic: Clinic) -> str:
    """The page of an export whose reason and filter are the canary."""
    clinic.site.role("head", "exports.allow")
    clinic.site.person("head", "G", "head")
    question = Question("lead", "csv", where=f'note != "{CANARY[:8]}"')
    number = clinic.database.write(
        lambda session: ask(session, clinic.here, question, CANARY, free=0).id
    )
    return f"/exports/{number}"
