"""A story says what another system answers; nothing leaves it."""

import socket
from typing import Any

import pytest

from careloom.platform.packs.read import Pack
from careloom.platform.packs.story import story_problems
from careloom.runtime.stories.stage import prove

from ..channels.ring import END, TELL, WROTE
from ..clinic import CALENDAR, FORMS, ROLES, flow_of, plug_in

LEAD = {"name": "李雷", "mobile": "13800000000", "status": "new"}
LOST = {"key": "lost", "kind": "end", "result": "lost"}


def story(key: str, given: list[Any], when: list[Any], *then: Any) -> dict[str, Any]:
    scene = {"key": "scene", "when": when, "then": list(then)}
    told = {"format": 1, "key": key, "title": key, "at": "2026-03-03T10:00", "given": given}
    return {**told, "scenes": [scene]}


COMES = {"key": "lead", "submit": "lead", "values": LEAD}
ANSWERS = {"key": "back", "answer": "finance", "with": {"data": {"id": 17}}}
TOLD = {"key": "run", "instance": "follow_up", "of": "lead", "state": "ended", "result": "told"}
STORIES = [
    story(
        "taken",
        [ANSWERS],
        [COMES],
        {"key": "sent", "call": "tell", "of": "lead", "state": "answered", "number": 1,
         "sent": {"name": "李雷", "who.record": {"$record": "lead"}}},
        {"key": "kept", "record": "lead", "values": {"mobile": "17"}},
        TOLD,
    ),
    story(
        "away_for_an_hour",
        [{"key": "away", "answer": "finance", "status": 503}],
        [COMES, {"key": "hour", "turn": "1h"}, ANSWERS, {"key": "soon", "turn": "20m"}],
        {"key": "sent", "call": "tell", "of": "lead", "state": "answered", "number": 1},
        TOLD,
    ),
    story(
        "refused",
        [{"key": "no", "answer": "finance", "status": 422}],
        [COMES],
        {"key": "run", "instance": "follow_up", "of": "lead", "state": "running", "at": ["tell"],
         "incidents": ["tell"]},
    ),
    story(
        "nobody_there",
        [],
        [COMES],
        {"key": "run", "instance": "follow_up", "of": "lead", "incidents": ["tell"]},
        {"key": "none", "call": "tell", "of": "lead", "number": 0},
    ),
    story(
        "something_else_was_hoped_for",
        [ANSWERS],
        [COMES],
        {"key": "sent", "call": "tell", "of": "lead", "sent": {"name": "韩梅梅"}},
    ),
]  # fmt: skip


def pack(*stories: Any) -> Pack:
    plug_in()
    roles = [
        {"format": 1, "key": key, "title": key, "rights": [], "forms": rules}
        for key, rules in ROLES.items()
    ]
    objects = {("calendar", CALENDAR["key"]): CALENDAR}
    objects |= {("form", one["key"]): one for one in FORMS}
    objects |= {("role", one["key"]): one for one in roles}
    objects["flow", "follow_up"] = flow_of(TELL, WROTE, END)
    manifest = {"format": 1, "key": "far", "title": "Far", "version": "1.0.0"}
    return Pack("far", "1.0.0", manifest, objects, stories={one["key"]: one for one in stories})


def test_a_story_says_what_another_system_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: Any, **__: Any) -> None:
        raise AssertionError("a story calls nobody")

    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, nobody)
    assert [problem for one in STORIES for problem in story_problems(one)] == []
    told = {one.key: one for one in prove([pack(*STORIES)])}
    wrong = told.pop("something_else_was_hoped_for")
    assert [one.failures for one in told.values() if not one.passed] == []
    assert [problem.path.rpartition("/")[2] for problem in wrong.failures] == ["name"]
