"""/api/trail and /trail: what happened, and who looked, as far as the asker may know."""

from typing import Any

import make
import pytest
from sqlalchemy import select
from visitors import FORM, Caller, Site

from careloom.platform.events.model import View
from careloom.platform.identity import many_seen
from careloom.platform.identity.actor import Actor
from careloom.platform.records.submit import change
from careloom.platform.records.take import write_file
from careloom.platform.store.database import Database

ALL = make.rule("all", "read", "create", "change", "export")


def caller(site: Site, actor: Actor) -> Caller:
    return Caller(site, site.token(actor))


def items(call: Caller, query: str = "") -> list[dict[str, Any]]:
    answer = call("GET", f"/api/trail{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def looks(database: Database) -> list[tuple[int | None, str, list[str], str]]:
    with database.read() as session:
        rows = session.scalars(select(View).order_by(View.at, View.id))
        return [(view.person_id, view.form, view.ids, view.purpose) for view in rows]


@pytest.fixture
def site(either_site: Site) -> Site:
    site = either_site
    site.role("clerk", lead=[ALL])
    site.role("auditor", "trail.read", lead=[make.rule("branch", "read", deal="hidden")])
    return site


def test_a_records_trail_names_no_field_its_reader_may_not_see(site: Site) -> None:
    clerk = site.person("clerk", "B1", "clerk")
    auditor = caller(site, site.person("auditor", "B1", "auditor"))
    lead = make.record(site.database, "lead", clerk, name="Li", deal="5.00")
    values = {"name": "Wang", "deal": "6.00"}
    site.database.write(lambda s: change(s, clerk, "lead", lead.id, values))
    changed, submitted = items(auditor, f"?subject=form:lead/{lead.id}")
    assert changed["name"] == "record:changed" and changed["data"]["fields"] == ["name"]
    assert changed["words"] == "A record was changed"
    assert changed["actor"] == {"id": str(clerk.person_id), "name": "Clerk"}
    assert submitted["name"] == "record:submitted"
    assert submitted["subject"] == {"kind": "form:lead", "id": str(lead.id)}


def test_what_was_published_is_named_in_the_readers_language(site: Site) -> None:
    auditor = caller(site, site.person("auditor", "B1", "auditor"))
    told = []
    for tongue in ("zh-CN", "en"):
        answer = auditor("GET", "/api/trail?subject=definition", Accept_Language=tongue)
        told += [event["words"] for event in answer.json["items"]]
    assert told == ["发布了 表单 lead 第 1 版", "form lead version 1 was published"]


def test_events_of_records_and_units_out_of_reach_are_not_there(site: Site) -> None:
    here, there = (site.person(f"clerk_{at}".lower(), at, "clerk") for at in ("B1", "B2"))
    auditor = caller(site, site.person("auditor", "B1", "auditor"))
    mine = make.record(site.database, "lead", here, name="Li")
    make.record(site.database, "lead", there, name="Wang")
    told = items(auditor, "?subject=form")
    assert [event["subject"]["id"] for event in told] == [str(mine.id)]
    people = {event["subject"]["id"] for event in items(auditor, "?subject=person")}
    assert str(here.person_id) in people and str(there.person_id) not in people
    assert items(auditor, f"?actor={there.person_id}") == []


def test_the_trail_needs_its_right_and_lawful_parameters(site: Site) -> None:
    clerk = caller(site, site.person("clerk", "B1", "clerk"))
    assert clerk("GET", "/api/trail").status_code == 403
    auditor = caller(site, site.person("auditor", "B1", "auditor"))
    for query in (
        "subject=../x", "subject=form:lead/1234567890123456789012", "actor=x", "since=yesterday",
        "since=2026-03-03T10:00:00", "since=0001-01-01", "kind=all", "limit=0", "cursor=x",
        "kind=views", "kind=views&subject=person/3", "other=1",
    ):  # fmt: skip
        assert auditor("GET", f"/api/trail?{query}").status_code == 400, query
    assert len(items(auditor, "?since=2026-03-03")) == len(items(auditor))
    assert items(auditor, "?since=2026-03-04T00:00:00Z") == []


def test_pages_of_the_trail_join_without_a_gap(site: Site) -> None:
    auditor = caller(site, site.person("auditor", "G", "auditor"))
    whole = [event["id"] for event in items(auditor, "?limit=200")]
    found, query = [], "?limit=3"
    while True:
        answer = auditor("GET", f"/api/trail{query}").json
        found += [event["id"] for event in answer["items"]]
        if answer["next"] is None:
            break
        query = f"?limit=3&cursor={answer['next']}"
    assert found == whole and len(whole) > 6


def test_whoever_is_shown_records_stands_in_the_view_log(site: Site) -> None:
    clerk = site.person("clerk", "B1", "clerk")
    call = caller(site, clerk)
    one, two = (make.record(site.database, "lead", clerk, name=name).id for name in ("Li", "Wang"))
    call("GET", f"/api/records/lead/{one}")
    call("GET", "/api/records/lead")
    call("GET", "/api/records/lead?limit=1")
    call("GET", "/api/records/lead/77")
    assert looks(site.database) == [
        (clerk.person_id, "lead", [str(one)], "read"),
        (clerk.person_id, "lead", [str(two), str(one)], "list"),
        (clerk.person_id, "lead", [str(two)], "list"),
    ]


def test_an_export_is_written_down_before_its_file_is_there(
    site: Site, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = site.person("clerk", "B1", "clerk")
    lead = make.record(site.database, "lead", clerk, name="Li")
    target = tmp_path / "leads.csv"
    write_file(site.database, clerk, "lead", target)
    assert target.exists()
    assert looks(site.database) == [(clerk.person_id, "lead", [str(lead.id)], "export")]

    def full(*_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr("careloom.platform.records.take.write_shown", full)
    with pytest.raises(OSError):
        write_file(site.database, clerk, "lead", tmp_path / "again.csv")
    assert [path.name for path in tmp_path.glob("*.csv*")] == ["leads.csv"]


def test_who_saw_or_exported_a_record_is_told_to_those_who_may_read_it(
    site: Site, tmp_path: Any
) -> None:
    clerk = site.person("clerk", "B1", "clerk")
    lead = make.record(site.database, "lead", clerk, name="Li")
    other = make.record(site.database, "lead", site.person("far", "B2", "clerk"), name="Wang")
    caller(site, clerk)("GET", "/api/records/lead")
    write_file(site.database, clerk, "lead", tmp_path / "leads.csv", address="10.1.1.1")
    auditor = caller(site, site.person("auditor", "B1", "auditor"))
    exported, seen = items(auditor, f"?kind=views&subject=form:lead/{lead.id}")
    assert (exported["purpose"], exported["address"]) == ("export", "10.1.1.1")
    assert (seen["purpose"], seen["count"]) == ("list", 2)
    assert seen["records"] == [str(lead.id)], "the other record is out of this reader's reach"
    assert seen["actor"]["name"] == "Clerk"
    for hidden in (other.id, 77):
        answer = auditor("GET", f"/api/trail?kind=views&subject=form:lead/{hidden}")
        assert answer.status_code == 404


def test_rows_that_could_not_be_written_wait_for_the_next_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = site.person("clerk", "B1", "clerk")
    call = caller(site, clerk)
    make.record(site.database, "lead", clerk, name="Li")
    with monkeypatch.context() as patched:
        patched.setattr("careloom.platform.web.view_log.write_shown", lambda *_, **__: 1 / 0)
        assert call("GET", "/api/records/lead").status_code == 200
    assert looks(site.database) == []
    call("GET", "/api/records/lead")
    assert len(looks(site.database)) == 2


def test_a_server_writes_beside_its_requests_and_leaves_nothing_over(site: Site) -> None:
    clerk = site.person("clerk", "B1", "clerk")
    call = caller(site, clerk)
    make.record(site.database, "lead", clerk, name="Li")
    stop = site.app.extensions["careloom.views"].start()
    for _ in range(3):
        call("GET", "/api/records/lead")
    stop()
    assert len(looks(site.database)) == 3


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_page_tells_both_what_happened_and_who_looked(site: Site, language: str) -> None:
    clerk = site.person("clerk", "B1", "clerk")
    lead = make.record(site.database, "lead", clerk, name="Li Lei")
    site.database.write(lambda s: change(s, clerk, "lead", lead.id, {"mobile": "13800000000"}))
    caller(site, clerk)("GET", f"/api/records/lead/{lead.id}")
    site.person("auditor", "B1", "auditor")
    visitor = site.visitor()
    visitor.sign_in("auditor")
    visitor.client.set_cookie("careloom_language", language)
    page = visitor.get("/trail")
    assert page.status_code == 200 and 'href="/trail" aria-current="page"' in page.text
    about = f"/trail?about=form:lead/{lead.id}"
    page = visitor.get(about)
    assert "Li Lei" in page.text and f'href="/records/lead/{lead.id}"' in page.text
    assert {"zh-CN": "修改了记录：Mobile", "en": "A record was changed: Mobile"}[
        language
    ] in page.text
    page = visitor.get(f"{about}&kind=views")
    assert {"zh-CN": "打开了记录", "en": "Opened"}[language] in page.text and "Clerk" in page.text
    page = visitor.get("/trail?by=nobody&since=2026-03-03")
    assert {"zh-CN": "没有", "en": "There is no such person"}[language] in page.text
    assert visitor.get("/trail?about=form:lead&since=2026-03-03&by=clerk").status_code == 200


def test_a_form_that_is_not_there_has_no_trail_page_of_views(site: Site) -> None:
    site.person("auditor", "B1", "auditor")
    visitor = site.visitor()
    visitor.sign_in("auditor")
    page = visitor.get(f"/trail?about=form:{FORM['key']}x&kind=views")
    assert page.status_code == 200 and "problem" in page.text


def test_who_is_shown_very_many_records_is_an_alarm_to_who_reads_the_trail(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_seen, "MANY", 3)
    clerk = site.person("clerk", "B1", "clerk")
    site.person("auditor", "B1", "auditor")
    visitor = site.visitor()
    visitor.sign_in("auditor")
    for name in ("Li", "Wang"):
        make.record(site.database, "lead", clerk, name=name)
    asked = caller(site, clerk)
    assert asked("GET", "/api/records/lead").status_code == 200
    assert "/trail?about=alarm" not in visitor.get("/trail").text
    make.record(site.database, "lead", clerk, name="Zhou")
    assert asked("GET", "/api/records/lead").status_code == 200
    page = visitor.get("/trail").text
    assert "/trail?about=alarm" in page
    alarms = visitor.get("/trail?about=alarm").text
    assert "is-bad" in alarms and "Clerk" in alarms


def test_an_export_of_very_many_is_an_alarm_before_its_file_is_there(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(many_seen, "MANY", 3)
    clerk = site.person("clerk", "B1", "clerk")
    for name in ("Li", "Wang", "Zhou"):
        make.record(site.database, "lead", clerk, name=name)
    write_file(site.database, clerk, "lead", tmp_path / "leads.csv")
    auditor = caller(site, site.person("auditor", "B1", "auditor"))
    (alarm,) = items(auditor, "?subject=alarm")
    assert (alarm["name"], alarm["data"]) == ("person:saw_many", {"records": 3, "minutes": 10})
