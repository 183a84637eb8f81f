"""Packs on their pages and over the API: upload, plan, apply, export, back."""

from io import BytesIO
from typing import Any

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo
from visitors import Caller, Site, Visitor
from werkzeug.test import TestResponse

from careloom.platform.cli import main
from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.packs import bring_in
from careloom.platform.packs import story as stories
from careloom.platform.packs.apply import apply_pack
from careloom.platform.packs.archive import unzipped, zipped
from careloom.platform.packs.read import pack_of
from careloom.platform.packs.story import FAILED, Line, Told
from careloom.platform.store.errors import Problem

from .parcels import colours, files, pack, story

#: the parcels of these tests are not signed
YES = {"despite_signature": "yes"}


def program(site: Site, role: str, login: str) -> tuple[Caller, dict[str, str]]:
    token = site.token(site.person(login, "G", role))
    return Caller(site, token), token


def planned(site: Site, token: dict[str, str], content: bytes) -> TestResponse:
    return site.app.test_client().post(
        "/api/packs/plan", data={"file": (BytesIO(content), "paint.zip")}, headers=token
    )


def test_a_zip_is_planned_applied_listed_exported_and_taken_back(site: Site) -> None:
    call, token = program(site, "packer", "ada")
    for version, names in (("1.0.0", ["red"]), ("1.1.0", ["red", "blue"])):
        plan: Any = planned(site, token, zipped(files(version, colours(*names)))).json
        assert plan["problems"] == [] and plan["stories"] == []
        yes = {"plan": plan["id"], "despite_signature": True}
        done = call("POST", "/api/packs/apply", yes)
        assert done.status_code == 200, done.text
        assert (
            call(
                "POST", "/api/packs/apply", {"plan": plan["id"], "despite_signature": True}
            ).status_code
            == 404
        )
    (step,) = plan["steps"]
    assert (step["action"], len(step["changes"])) == ("upgrade", 1) and "blue" in step["changes"][0]
    listed: Any = call("GET", "/api/packs").json
    assert [(row["key"], row["version"]) for row in listed["items"]] == [("paint", "1.1.0")]
    out = call("GET", "/api/packs/paint/export")
    assert pack_of(unzipped(out.data)).objects["list", "colour"] == colours("red", "blue")
    back: Any = call("POST", "/api/packs/paint/rollback").json
    assert back == {"version": "1.0.0", "back": ["list/colour"], "kept": [], "stay": []}
    assert call("POST", "/api/packs/paint/rollback").status_code == 409


def test_what_is_wrong_with_a_zip_is_told_and_nothing_is_kept(site: Site) -> None:
    _, token = program(site, "packer", "ada")
    bad = files("1.0.0", lists__bad=b'{"key": NaN}')
    answer: Any = planned(site, token, zipped(bad))
    assert answer.status_code == 400
    assert [(each["path"], each["code"]) for each in answer.json["problems"]] == [
        ("/lists/bad.json", "E_PACK_NUMBER")
    ]


def test_only_who_may_apply_packs_plans_one_and_only_their_own(site: Site) -> None:
    _, looking = program(site, "looker", "lou")
    assert planned(site, looking, zipped(files())).status_code == 403
    _, token = program(site, "packer", "ada")
    plan: Any = planned(site, token, zipped(files())).json
    other, _ = program(site, "packer", "bob")
    assert other("POST", "/api/packs/apply", {"plan": plan["id"]}).status_code == 404
    assert other("GET", "/api/packs/nothing/export").status_code == 404


def browser(site: Site) -> Visitor:
    visitor = site.visitor()
    site.person("ada", "G", "packer")
    visitor.sign_in("ada")
    return visitor


def sent(visitor: Visitor, content: bytes, csrf: str) -> TestResponse:
    data = {"file": (BytesIO(content), "paint.zip"), "csrf": csrf}
    return visitor.client.post("/packs/plan", data=data)


def hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


def test_a_page_takes_a_zip_shows_its_plan_and_applies_it(site: Site) -> None:
    visitor = browser(site)
    csrf = visitor.csrf("/packs")
    page = sent(visitor, zipped(files()), csrf).text
    done = visitor.post("/packs/apply", csrf=csrf, upload=hidden(page, "upload"), **YES)
    assert done.status_code == 303
    assert "1.0.0" in visitor.get("/packs").text
    newer = sent(visitor, zipped(files("1.1.0", colours("red", "blue"))), csrf).text
    assert "blue" in newer
    visitor.post("/packs/apply", csrf=csrf, upload=hidden(newer, "upload"), **YES)
    assert "/packs/paint/rollback" in visitor.get("/packs").text
    assert visitor.post("/packs/paint/rollback", csrf=csrf).status_code == 303
    broken = sent(visitor, b"no zip", csrf)
    assert broken.status_code == 400 and "/packs/plan" in broken.text


def test_a_story_that_fails_is_told_step_by_step_and_asks_for_a_yes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bring_in, "_told", {})
    wrong = (Problem("/with", "E_STORY_NOT_WITH", {"person": "ida"}),)
    line = Line("one", "late", "task", {"who": "system", "what": "Call"}, FAILED, wrong)
    told = [Told("holds", "Holds", (line,), {"one": "Scene"})]
    monkeypatch.setattr(stories, "PLAYERS", [lambda packs, names: told])
    visitor = browser(site)
    csrf = visitor.csrf("/packs")
    page = sent(visitor, zipped(files("1.0.0", stories__holds=story())), csrf).text
    assert "ida" in page and 'name="despite"' in page
    upload = hidden(page, "upload")
    assert visitor.post("/packs/apply", csrf=csrf, upload=upload, **YES).status_code == 409
    done = visitor.post("/packs/apply", csrf=csrf, upload=upload, despite="yes", **YES)
    assert done.status_code == 303


def test_the_command_line_says_what_was_changed_here_since(site: Site) -> None:
    def told(key: str) -> tuple[int, str]:
        info = ScriptInfo(create_app=lambda: site.app)
        runner = CliRunner(env={"LANG": "en_GB.UTF-8"})
        answer = runner.invoke(main, ["packs", "diff", key], obj=info)
        return answer.exit_code, answer.output

    site.database.write(lambda session: apply_pack(session, SYSTEM, pack()))
    assert told("paint") == (0, "")
    mine = colours("red", "mine")
    site.database.write(lambda session: publish_document(session, SYSTEM, "list", mine))
    status, words = told("paint")
    assert status == 0 and words.splitlines()[0].endswith(" colour") and "mine" in words
    assert told("nothing")[0] == 1
