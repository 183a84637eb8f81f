"""A flow is rehearsed on sample values: what would come of it, and that nothing does."""

from pathlib import Path
from typing import Any

import make
import pytest
from sqlalchemy import func, inspect, select, table
from sqlalchemy.orm import Session
from visitors import Caller, Site

from careloom.builders.rehearse import plan, scene, walk
from careloom.platform.definitions.model import VersionRow
from careloom.platform.store.database import Database
from careloom.platform.store.session import bump_epoch
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from

LEAD = make.form(
    "lead",
    {"name": make.field(), "urgent": make.field("yesno"), "secret": make.field(x_encrypted=True)},
    ["name"],
    x_label="name",
)
CALL = make.form(
    "call",
    {
        "lead": make.link("lead"),
        "result": make.field("choice", x_options=make.fixed("answered", "no_answer")),
        "said": make.rows({"what": make.field()}),
    },
    ["lead", "result"],
)
FLOW: make.Json = {
    "format": 1,
    "key": "follow",
    "title": "Follow up",
    "subject": "lead",
    "start": {"on": "record:submitted", "when": "urgent"},
    "steps": [
        {
            "key": "first",
            "kind": "task",
            "title": "First call",
            "who": {"role": "agent"},
            "form": "call",
            "prefill": {"lead": "this"},
            "due": "15m",
            "limits": [
                {"key": "late", "do": "escalate", "after": "30m", "to": {"role": "supervisor"}}
            ],
        },
        {
            "key": "how",
            "kind": "branch",
            "cases": [
                {
                    "key": "reached",
                    "when": 'first.result = "answered"',
                    "steps": [
                        {"key": "told", "kind": "notify", "text": "Reached",
                         "who": [{"key": "sue", "role": "supervisor"}]},
                        {"key": "rest", "kind": "wait", "for": "2d"},
                        {"key": "ring", "kind": "call", "title": "HIS", "connection": "his",
                         "body": {"name": "name"}, "within": "1d",
                         "save": {"number": {"from": "id", "type": "text"}}},
                        {"key": "won", "kind": "end", "result": "won"},
                    ],
                },
                {"key": "other", "steps": [{"key": "lost", "kind": "end", "result": "lost"}]},
            ],
        },
    ],
}  # fmt: skip
SAMPLE: make.Json = {"flow": "follow", "values": {"name": "Zhou", "urgent": True}}
AT = "2026-03-03T10:00"
REACHED = {"complete": "first", "values": {"result": "answered"}}


def built(database: Database, tmp_path: Path) -> Site:
    """Two forms and a flow in force at two branches; the first has an agent and a supervisor."""
    at = make.organisation(database)
    site = Site(create_app(database, settings_from({"CARELOOM_HOME": str(tmp_path)})), database, at)
    for document in (LEAD, CALL):
        make.publish(database, "form", document)
    everything = {key: [make.rule("all", "read", "create", "change")] for key in ("lead", "call")}
    for key in ("agent", "supervisor"):
        make.publish(database, "role", make.role(key, everything))
    make.publish(database, "role", make.role("builder", {}, ["definitions.write"]))
    make.publish(database, "flow", FLOW)
    site.person("ann", "B1", "agent")
    site.person("sue", "B1", "supervisor")
    return site


@pytest.fixture
def site(sqlite: Database, tmp_path: Path) -> Site:
    """On SQLite only: the scene of a rehearsal always is."""
    return built(sqlite, tmp_path)


def builder(site: Site) -> Caller:
    return Caller(site, site.token(site.person("ops", "B1", "builder")))


@pytest.fixture
def ops(site: Site) -> Caller:
    return builder(site)


def rehearsed(ops: Caller, *deeds: make.Json, **more: Any) -> Any:
    answer = ops("POST", "/api/rehearsals", {**SAMPLE, "at": AT, "walk": list(deeds), **more})
    assert answer.status_code == 200, answer.text
    return answer.json


def refused(ops: Caller, **asked: Any) -> list[tuple[str, str]]:
    answer = ops("POST", "/api/rehearsals", {**SAMPLE, **asked})
    assert 400 <= answer.status_code < 500, answer.text
    assert all(not one["message"].startswith("problem.") for one in answer.json["problems"])
    return [(one["path"], one["code"]) for one in answer.json["problems"]]


def steps(told: Any) -> list[str]:
    return [one["step"] for one in told["runs"][0]["steps"]]


def everything(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    with database.read() as session:
        names = inspect(session.connection()).get_table_names()
        return {
            name: session.scalar(select(func.count()).select_from(table(name))) or 0
            for name in names
        }


def test_it_says_who_would_be_asked_what_and_by_when(ops: Caller) -> None:
    told = rehearsed(ops)
    assert (told["now"], told["next"]) == ("2026-03-03T02:00:00Z", "2026-03-03T02:30:00Z")
    assert (told["done"], told["problems"], steps(told)) == (0, [], ["first"])
    (task,) = told["tasks"]
    assert (task["step"], task["form"], task["due_at"]) == ("first", "call", "2026-03-03T02:15:00Z")
    assert [(one["login"], one["name"]) for one in task["asked"]] == [("ann", "Ann")]
    (record,) = told["records"]
    assert task["about"] == {"form": "lead", "id": record["id"]}
    assert (record["label"], record["values"]["urgent"]) == ("Zhou", True)


def test_it_goes_on_as_people_would_and_as_the_clock_is_turned(ops: Caller) -> None:
    told = rehearsed(ops, REACHED, {"turn": "1d 23h"})
    assert (told["done"], told["runs"][0]["state"]) == (2, "running")
    assert steps(told) == ["first", "how", "told", "rest"]
    assert told["next"] == "2026-03-05T02:00:00Z"
    (why,) = told["why"]
    assert (why["step"], [(one["path"], one["value"]) for one in why["read"]]) == (
        "how",
        [("first.result", "answered")],
    )
    (message,) = told["messages"]
    assert (message["text"], message["state"]) == ("Reached", "sent")
    assert [one["login"] for one in message["to"]] == ["sue"]
    assert told["tasks"] == [] and told["calls"] == []
    over = rehearsed(ops, REACHED, {"turn_to": "2026-03-05T10:00"}, answers={"his": {}})
    assert (over["runs"][0]["state"], over["runs"][0]["result"]) == ("ended", "won")
    (call,) = over["calls"]
    assert (call["connection"], call["state"], call["body"]) == (
        "his",
        "answered",
        {"name": "Zhou"},
    )


def test_what_another_system_says_is_made_up_and_nobody_is_called(ops: Caller) -> None:
    walked = [REACHED, {"turn": "2d"}]
    failed = rehearsed(ops, *walked, answers={"his": {"status": 400}})
    assert (failed["calls"][0]["state"], failed["runs"][0]["state"]) == ("failed", "running")
    assert [one["code"] for one in failed["runs"][0]["incidents"]] == ["E_CALL_STATUS"]
    absent = rehearsed(ops, *walked)
    assert absent["calls"] == []
    assert [one["code"] for one in absent["runs"][0]["incidents"]] == ["E_NO_CONNECTION"]


def test_a_limit_that_runs_out_asks_others_too(ops: Caller) -> None:
    (task,) = rehearsed(ops, {"turn": "31m"})["tasks"]
    assert [one["login"] for one in task["asked"]] == ["ann", "sue"]
    by_sue = rehearsed(ops, {"turn": "31m"}, {**REACHED, "as": "sue"})
    assert by_sue["done"] == 2 and by_sue["problems"] == []


def test_nothing_of_the_house_is_changed(database: Database, tmp_path: Path) -> None:
    ops = builder(built(database, tmp_path))
    before = everything(database)
    told = rehearsed(ops, REACHED, {"turn": "3d"}, answers={"his": {}})
    assert told["runs"][0]["result"] == "won"
    assert everything(database) == before
    ask = {**SAMPLE, "at": AT}
    again = [ops("POST", "/api/rehearsals", ask, Idempotency_Key="one") for _ in range(2)]
    assert [one.status_code for one in again] == [200, 200]
    assert everything(database) == before


def test_a_draft_is_walked_before_it_is_in_force(site: Site, ops: Caller) -> None:
    draft = {**FLOW, "steps": [{"key": "end", "kind": "end", "result": "drafted"}]}
    assert ops("PUT", "/api/definitions/flow/follow/draft", draft).status_code == 200
    assert rehearsed(ops, draft=True)["runs"][0]["result"] == "drafted"
    assert rehearsed(ops)["runs"][0]["result"] is None
    fresh = {**draft, "key": "fresh", "start": {"on": "record:submitted"}}
    assert ops("PUT", "/api/definitions/flow/fresh/draft", fresh).status_code == 200
    both = rehearsed(ops, flow="fresh", draft=True, values={"name": "Wu"})
    assert [run["flow"] for run in both["runs"]] == ["fresh"]
    assert refused(ops, flow="fresh") == []


def test_other_drafts_are_in_force_for_it_too(ops: Caller) -> None:
    wider = {**LEAD["properties"], "city": make.field()}
    lead = make.form("lead", wider, ["name", "city"], x_label="name")
    assert ops("PUT", "/api/definitions/form/lead/draft", lead).status_code == 200
    drafts = [{"kind": "form", "key": "lead"}]
    assert refused(ops, drafts=drafts) == [("/values/city", "E_REQUIRED")]
    values = {"name": "Zhou", "urgent": True, "city": "Wuhan"}
    told = rehearsed(ops, drafts=drafts, values=values)
    assert told["records"][0]["values"]["city"] == "Wuhan"
    assert refused(ops, values=values) == [("/values/city", "E_UNKNOWN_FIELD")]


def test_a_draft_that_could_not_be_published_is_not_rehearsed(ops: Caller) -> None:
    broken = {**FLOW, "steps": [{"key": "x", "kind": "wait", "for": "2d"}]}
    ops("PUT", "/api/definitions/flow/follow/draft", broken)
    checked = ops("POST", "/api/definitions/flow/follow/check").json["problems"]
    wanted = [("/drafts/flow/follow" + one["path"], one["code"]) for one in checked]
    assert refused(ops, draft=True) == wanted != []
    ops("PUT", "/api/definitions/flow/new/draft", {"key": "new"})
    assert refused(ops, flow="new", draft=True)


def test_a_deed_that_cannot_be_done_ends_the_walk_and_is_told(ops: Caller) -> None:
    told = rehearsed(ops, {"turn": "1m"}, {"complete": "first"}, {"turn": "1m"})
    (problem,) = told["problems"]
    assert (told["done"], problem["path"], problem["code"]) == (
        1,
        "/walk/1/result",
        "E_REQUIRED",
    )
    assert told["now"] == "2026-03-03T02:01:00Z" and len(told["tasks"]) == 1
    for deed, path, code in (
        ({"complete": "second"}, "/walk/0", "E_STORY_NO_TASK"),
        ({**REACHED, "as": "nobody"}, "/walk/0", "E_STORY_NOBODY"),
        ({**REACHED, "as": "sue"}, "/walk/0", "E_NOT_FOUND"),
        ({**REACHED, "of": "invitation"}, "/walk/0", "E_STORY_NO_RECORD"),
        ({"turn_to": "2026-03-03T09:00"}, "/walk/0", "E_STORY_BACK"),
        ({"turn_to": "2089-12-31T10:00"}, "/walk/0", ""),
        ({"change": "subject", "values": {"name": ""}}, "/walk/0/name", "E_REQUIRED"),
        ({"change": "subject", "values": {"x": {"$unit": "Mars"}}}, "/walk/0", "E_NO_UNIT"),
        ({"raise": "lead.back"}, "", ""),
        ({"submit": "call", "values": {}}, "/walk/0/lead", "E_REQUIRED"),
        ({"submit": "nothing"}, "/walk/0", "E_NOT_FOUND"),
    ):
        told = rehearsed(ops, deed)
        found = [(one["path"], one["code"]) for one in told["problems"]]
        assert ((path, code) in found) if code else not found, (deed, found)


def test_a_record_that_comes_of_a_step_is_called_by_it(ops: Caller) -> None:
    told = rehearsed(ops, REACHED, {"change": "first", "values": {"result": "no_answer"}})
    assert (told["problems"], told["done"]) == ([], 2)
    assert [one["values"]["result"] for one in told["records"] if one["form"] == "call"] == [
        "no_answer"
    ]


def test_values_with_which_it_does_not_begin_are_told(ops: Caller) -> None:
    told = rehearsed(ops, REACHED, values={"name": "Zhou"})
    (problem,) = told["problems"]
    assert (problem["path"], problem["code"]) == ("/values", "E_REHEARSAL_NOT_BEGUN")
    assert (told["done"], told["runs"], len(told["records"])) == (0, [], 1)


def test_a_flow_that_people_start_is_started(ops: Caller) -> None:
    by_hand = {key: part for key, part in FLOW.items() if key != "start"}
    ops("PUT", "/api/definitions/flow/follow/draft", by_hand)
    told = rehearsed(ops, draft=True, values={"name": "Zhou"})
    assert (steps(told), told["problems"]) == (["first"], [])


def test_where_nobody_does_a_task_it_says_so(ops: Caller, site: Site) -> None:
    told = rehearsed(ops, REACHED, unit=str(site.at["B2"]))
    assert [one["code"] for one in told["runs"][0]["incidents"]] == ["E_NOBODY"]
    assert [one["code"] for one in told["problems"]] == ["E_STORY_NO_TASK"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"at": "2026-02-30T10:00"}, "E_STORY_MOMENT"),
        ({"walk": [{"turn_to": "2026-13-01T10:00"}]}, "E_STORY_MOMENT"),
        ({"walk": [{}]}, "E_STORY_VERB"),
        ({"walk": [{"turn": "1d", "claim": "first"}]}, "E_STORY_VERB"),
        ({"values": {"name": ""}}, "E_REQUIRED"),
        ({"values": {"name": {"$person": "nobody"}}}, "E_STORY_NOBODY"),
        ({"as": "nobody"}, "E_STORY_NOBODY"),
        ({"as": "ops"}, "E_NOT_ALLOWED"),
    ],
)
def test_what_cannot_be_meant_is_refused(ops: Caller, asked: make.Json, code: str) -> None:
    assert [found for _, found in refused(ops, **asked)] == [code]


@pytest.mark.parametrize(
    "asked", [{"unit": "12"}, {"flow": "nothing"}, {"drafts": [{"kind": "form", "key": "lead"}]}]
)
def test_what_is_not_there_is_not_found(ops: Caller, asked: make.Json) -> None:
    assert ops("POST", "/api/rehearsals", {**SAMPLE, **asked}).status_code == 404


def test_whoever_may_not_write_definitions_rehearses_nothing(site: Site) -> None:
    ann = Caller(site, site.token(site.person("bob", "B1", "agent")))
    assert ann("POST", "/api/rehearsals", SAMPLE).status_code == 403


def test_what_takes_too_long_ends(ops: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_SECONDS", -1)
    told = rehearsed(ops, REACHED)
    assert [(one["path"], one["code"]) for one in told["problems"]] == [
        ("/walk/0", "E_REHEARSAL_LONG")
    ]
    monkeypatch.setattr(walk, "MOST_SECONDS", 20)
    monkeypatch.setattr(scene, "MOST_MOMENTS", 1)
    told = rehearsed(ops, REACHED, {"turn": "9d"}, answers={"his": {}})
    assert [one["code"] for one in told["problems"]] == ["E_STORY_ENDLESS"]
    far = [{"turn": "9999d"}] * 3
    monkeypatch.setattr(scene, "MOST_MOMENTS", 50)
    assert [one["code"] for one in rehearsed(ops, *far)["problems"]] == ["E_STORY_FAR"]


def test_only_so_many_rehearse_at_once(ops: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_WAIT", 0.01)
    assert walk._places.acquire() and walk._places.acquire()
    try:
        answer = ops("POST", "/api/rehearsals", SAMPLE)
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    finally:
        walk._places.release()
        walk._places.release()
    assert rehearsed(ops)["problems"] == []


def test_what_this_version_cannot_read_stands_in_the_way_of_what_rests_on_it_alone(
    site: Site, ops: Caller
) -> None:
    make.publish(site.database, "form", make.form("other", {"name": make.field()}))
    spoil(site, "other")
    told = rehearsed(ops, REACHED)
    assert told["problems"] == [] and {one["form"] for one in told["records"]} == {"lead", "call"}
    spoil(site, "lead")
    answer = ops("POST", "/api/rehearsals", SAMPLE)
    assert (answer.status_code, answer.json["code"]) == (501, "E_NOT_UNDERSTOOD")


def spoil(site: Site, form: str) -> None:
    """As a later release would have published it."""

    def deed(session: Session) -> None:
        row = session.get_one(VersionRow, ("form", form, 1))
        fields = {**row.document["properties"], "far": make.field("hologram")}
        row.document = {**row.document, "properties": fields}
        bump_epoch(session)

    site.database.write(deed)


def test_every_deed_of_a_walk_is_one_of_stories() -> None:
    assert set(plan.VERBS) < set(walk.DEEDS) and set(plan.VERBS) < set(plan.DEED["properties"])
