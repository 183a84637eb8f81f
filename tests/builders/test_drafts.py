"""Drafts over the API: saved against a revision, checked, put in force or let go."""

import make
import pytest
from visitors import FORM, Caller, Site

PLACE = "/api/definitions/form/visit"
VISIT = make.form("visit", {"name": make.field()})


def test_a_definition_goes_from_draft_to_version(admin: Caller) -> None:
    assert admin("GET", f"{PLACE}/draft").status_code == 404
    first = admin("PUT", f"{PLACE}/draft", VISIT)
    assert first.status_code == 200 and first.headers["ETag"] == '"1"'
    assert admin("GET", f"{PLACE}/draft").json == first.json
    assert admin("POST", f"{PLACE}/check").json == {"problems": [], "warnings": []}
    assert admin("POST", f"{PLACE}/publish").json == {"version": 1, "changes": [], "warnings": []}
    assert admin("GET", PLACE).json["document"] == VISIT
    assert admin("GET", f"{PLACE}/draft").status_code == 404


def test_whoever_saves_over_anothers_work_is_told_what_stands(admin: Caller) -> None:
    admin("PUT", f"{PLACE}/draft", VISIT)
    for stale in ({}, {"If_Match": '"2"'}):
        answer = admin("PUT", f"{PLACE}/draft", {**VISIT, "x-title": "Else"}, **stale)
        assert answer.status_code == 412
        assert (answer.json["current"]["revision"], answer.json["current"]["document"]) == (
            1,
            VISIT,
        )
    assert admin("PUT", f"{PLACE}/draft", VISIT, If_Match='"1"').json["revision"] == 2


def test_a_wrong_draft_is_kept_told_of_and_not_put_in_force(admin: Caller) -> None:
    broken = {**VISIT, "x-layout": [{"key": "all", "fields": ["nmae"]}]}
    assert admin("PUT", f"{PLACE}/draft", broken).status_code == 200
    problems = admin("POST", f"{PLACE}/check").json["problems"]
    assert {"path": "/x-layout/0/fields/0", "code": "E_NO_FIELD"}.items() <= problems[0].items()
    assert all(not problem["message"].startswith("problem.") for problem in problems)
    refused = admin("POST", f"{PLACE}/publish")
    assert refused.status_code == 422 and refused.json["problems"] == problems
    assert admin("GET", PLACE).status_code == 404
    assert admin("GET", f"{PLACE}/draft").json["document"] == broken


def test_a_draft_is_let_go_only_by_who_saw_it(admin: Caller) -> None:
    admin("PUT", f"{PLACE}/draft", VISIT)
    assert admin("DELETE", f"{PLACE}/draft").status_code == 428
    assert admin("DELETE", f"{PLACE}/draft", If_Match='"7"').status_code == 412
    assert admin("DELETE", f"{PLACE}/draft", If_Match='"1"').status_code == 204
    assert admin("DELETE", f"{PLACE}/draft", If_Match='"1"').status_code == 404


@pytest.mark.parametrize("key", ["visits", "Visit", ""])
def test_a_drafts_key_is_that_of_its_address(admin: Caller, key: str) -> None:
    answer = admin("PUT", f"{PLACE}/draft", {**VISIT, "key": key})
    assert answer.status_code == 422 and answer.json["problems"][0]["path"] == "/key"
    assert admin("PUT", "/api/definitions/nothing/visit/draft", VISIT).status_code == 404


def test_publishing_needs_more_than_writing(site: Site, admin: Caller) -> None:
    site.role("writer", "definitions.read", "definitions.write")
    writer = Caller(site, site.token(site.person("writer", "G", "writer")))
    assert writer("PUT", f"{PLACE}/draft", VISIT).status_code == 200
    assert writer("POST", f"{PLACE}/publish").status_code == 403
    assert admin("POST", f"{PLACE}/publish").status_code == 200


def test_a_field_that_others_use_stays_until_they_let_go_of_it(admin: Caller) -> None:
    visit = make.form(
        "visit", {"lead": make.link("lead"), "n": make.field()},
        x_rules=[{"key": "deal", "if": "lead.deal > 0", "message": "no"}],
    )  # fmt: skip
    admin("PUT", f"{PLACE}/draft", visit)
    assert admin("POST", f"{PLACE}/publish").status_code == 200
    fields = {key: its for key, its in FORM["properties"].items() if key != "deal"}
    lead = make.form("lead", fields, ["name"], x_owner="owner", x_label="name")
    admin("PUT", "/api/definitions/form/lead/draft", lead)
    checked = admin("POST", "/api/definitions/form/lead/check").json["problems"]
    refused = admin("POST", "/api/definitions/form/lead/publish")
    assert refused.status_code == 422 and refused.json["problems"] == checked
    (problem,) = checked
    assert (problem["path"], problem["code"]) == ("/properties/deal", "E_FIELD_IN_USE")
    assert "form “visit” (visit) at /x-rules/0/if" in problem["message"]
    admin("PUT", f"{PLACE}/draft", make.form("visit", {"lead": make.link("lead")}))
    assert admin("POST", f"{PLACE}/publish").status_code == 200
    published = admin("POST", "/api/definitions/form/lead/publish").json
    assert published["version"] == 2
    assert published["changes"][0]["message"] == "a column is retired; its data stays"
