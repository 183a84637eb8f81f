"""The page on which a flow is tried out: it keeps nothing, and what was done travels with it."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from visitors import Site, Visitor
from werkzeug.test import TestResponse

from careloom.builders.rehearse import walk
from careloom.platform.definitions.drafts import save_draft
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.units import change_unit
from careloom.platform.store.database import Database
from careloom.runtime.forms.row_fields import ADD

from .test_rehearsals import FLOW, built, everything

PAGE = "/rehearse/follow"
BEGIN = {"at": "2026-03-03T10:00", "name": "Zhou", "urgent": "true", "act": "begin"}


@pytest.fixture
def site(sqlite: Database, tmp_path: Path) -> Site:
    site = built(sqlite, tmp_path)
    site.person("ops", "B1", "builder")
    return site


class Stage:
    """Somebody in front of the page."""

    def __init__(self, site: Site, login: str = "ops") -> None:
        self.site, self.visitor = site, site.visitor()
        self.visitor.sign_in(login)
        self.visitor.post("/language", language="en", csrf=self.csrf(), next="/")
        self.page = self.visitor.get(PAGE)

    def csrf(self) -> str:
        return self.visitor.csrf("/rehearse/follow")

    def post(self, **fields: str) -> TestResponse:
        return self.visitor.post(PAGE, csrf=self.csrf(), **fields)

    def begin(self, **fields: str) -> TestResponse:
        self.page = self.post(**{**BEGIN, "unit": str(self.site.at["B1"]), **fields})
        return self.page

    def act(self, act: str, **fields: str) -> TestResponse:
        self.page = self.post(act=act, asked=json.dumps(self.asked), **fields)
        return self.page

    @property
    def asked(self) -> Any:
        found = re.search(r'name="asked" value="([^"]*)"', self.page.text)
        assert found, self.page.text
        return json.loads(unescape(found[1]))

    @property
    def words(self) -> str:
        """What the page says, without its tags."""
        body = re.sub(r"<(script|svg).*?</\1>", " ", self.page.text, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture
def stage(site: Site) -> Stage:
    return Stage(site)


def test_moments_are_told_on_the_clock_of_where_it_is_tried(site: Site) -> None:
    west = site.at["B1"]
    site.database.write(lambda s: change_unit(s, SYSTEM, west, time_zone="Asia/Urumqi"))
    site.person("central", "G", "builder")
    stage = Stage(site, "central")
    stage.begin()
    assert "2026-03-03 10:00" in stage.words and "2026-03-03 12:00" not in stage.words


def test_the_flows_that_may_be_tried_are_listed_with_their_drafts(site: Site, stage: Stage) -> None:
    assert "Follow up" in stage.visitor.get("/rehearse").text
    assert "draft=1" not in stage.visitor.get("/rehearse").text
    draft(site, {**FLOW, "steps": [{"key": "end", "kind": "end", "result": "drafted"}]})
    assert f'href="{PAGE}?draft=1"' in stage.visitor.get("/rehearse").text
    assert stage.begin(draft="1").status_code == 200 and "Draft" in stage.words
    assert "The flow is over." in stage.words and stage.asked["draft"]
    stage.begin()
    assert "The flow is over." not in stage.words and "draft" not in stage.asked


def draft(site: Site, document: Any) -> None:
    key = document["key"]
    site.database.write(lambda session: save_draft(session, SYSTEM, "flow", key, document))


def test_what_is_to_be_said_later_has_its_gaps_open(site: Site, stage: Stage) -> None:
    later = {"key": "later", "kind": "notify", "text": "Look at {name} again",
             "customer": "this", "values": {"name": "name"},
             "at": [{"key": "day", "until": "now()", "offset": "1d"}]}  # fmt: skip
    rest, end = {"key": "rest", "kind": "wait", "for": "2d"}, {"key": "end", "kind": "end"}
    draft(site, {**FLOW, "steps": [later, rest, end]})
    stage.begin(draft="1")
    assert "Look at … again To be sent" in stage.words
    stage.act("turn", by="next")
    assert "Look at Zhou again Sent" in stage.words


def test_the_sample_is_filled_in_as_far_as_it_must_be(stage: Stage) -> None:
    assert 'name="name" value="Sample"' in inputs(stage.page.text)
    assert 'name="secret" value=""' in inputs(stage.page.text)


def inputs(text: str) -> str:
    """Each input's name and value, one after the other."""
    found = []
    for tag in re.findall(r"<input[^>]*>", text):
        name, value = (re.search(rf' {part}="([^"]*)"', tag) for part in ("name", "value"))
        if name and value:
            found.append(f'name="{name[1]}" value="{value[1]}"')
    return " ".join(found)


def test_it_is_walked_step_by_step_and_back(site: Site, stage: Stage) -> None:
    before = everything(site.database)
    assert stage.begin().status_code == 200
    assert "2026-03-03 10:00" in stage.words and "As Ann would do it" in stage.words
    assert "First call" in stage.words and "2026-03-03 10:15" in stage.words
    stage.act("turn", by="next")
    assert "2026-03-03 10:30" in stage.words
    stage.act("turn", by="15m")
    assert stage.asked["walk"] == [{"turn_to": "2026-03-03T10:30"}, {"turn": "15m"}]
    done = stage.act("complete", task="first subject", result="answered")
    assert done.status_code == 200 and "Reached" in stage.words and "Sue" in stage.words
    assert stage.asked["walk"][-1]["values"]["result"] == "answered"
    stage.act("back")
    assert len(stage.asked["walk"]) == 2 and "As Ann would do it" in stage.words
    stage.act("anew")
    assert 'value="Zhou"' in stage.page.text
    same = {name: count for name, count in everything(site.database).items() if name in before}
    assert same == before


def test_what_a_task_lacks_is_told_at_its_field_and_nothing_is_lost(stage: Stage) -> None:
    stage.begin()
    refused = stage.act("complete", task="first subject")
    assert refused.status_code == 422 and 'href="#f-result"' in refused.text
    assert stage.asked.get("walk", []) == []
    gone = stage.act("complete", task="second subject", result="answered")
    assert gone.status_code == 422 and "There is no such open task" in stage.words
    assert stage.asked.get("walk", []) == [] and "As Ann would do it" in stage.words


def test_a_row_more_is_a_row_more_and_completes_nothing(stage: Stage) -> None:
    stage.begin()
    task = {"task": "first subject", "result": "answered", "said._rows": "0"}
    more = stage.act("complete", **task, **{ADD: "said"})
    assert more.status_code == 200 and 'name="said.0.what"' in more.text
    assert stage.asked.get("walk", []) == [] and "As Ann would do it" in stage.words
    stage.act("complete", **{**task, "said._rows": "1", "said.0.what": "hello"})
    (deed,) = stage.asked["walk"]
    assert deed["values"] == {"result": "answered", "said": [{"what": "hello"}]}


def test_a_sample_that_does_not_come_in_is_shown_again(stage: Stage) -> None:
    refused = stage.begin(name="")
    assert refused.status_code == 422 and 'href="#f-name"' in refused.text
    refused = stage.begin(at="1999-01-01T10:00")
    assert refused.status_code == 422 and "from 2026 on" in refused.text
    assert 'value="Zhou"' in refused.text
    assert stage.begin(at="2026-02-31T10:00").status_code == 422
    assert "is no moment" in stage.words and 'value="Zhou"' in stage.page.text
    stage.begin(urgent="false")
    assert "does not begin with these values" in stage.words
    assert "As Ann" not in stage.words


def test_a_draft_that_could_not_be_published_says_what_is_wrong(site: Site, stage: Stage) -> None:
    draft(site, {**FLOW, "steps": [{"key": "x", "kind": "wait", "for": "2d"}]})
    refused = stage.begin(draft="1")
    assert refused.status_code == 422 and "/drafts/flow/follow/steps" in refused.text


@pytest.mark.parametrize(
    "asked", ["", "[]", "{}", '{"flow": "other", "values": {}}', '{"flow": "follow", "x": 1}']
)
def test_what_the_page_carries_is_looked_at(stage: Stage, asked: str) -> None:
    assert stage.post(act="turn", by="1h", asked=asked).status_code == 400


def test_who_waits_for_others_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_WAIT", 0.01)
    assert walk._places.acquire() and walk._places.acquire()
    try:
        assert stage.begin().status_code == 429 and 'value="Zhou"' in stage.page.text
    finally:
        walk._places.release()
        walk._places.release()


def test_only_who_may_write_definitions_gets_there(site: Site) -> None:
    site.person("bob", "B1", "agent")
    bob: Visitor = site.visitor()
    bob.sign_in("bob")
    assert [bob.get(path).status_code for path in ("/rehearse", PAGE)] == [403, 403]
    assert "/rehearse" not in bob.get("/").text
