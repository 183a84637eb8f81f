"""Lists and roles: what makes one sound."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

import careloom.platform.records.kinds  # noqa: F401  registers the platform's kinds
from careloom.platform.definitions.check import check
from careloom.platform.definitions.known import coming
from careloom.platform.store.database import Database

FORM = {"key": "lead", "properties": {"name": {}, "mobile": {}}}
LIST = {
    "format": 1,
    "key": "colour",
    "title": "颜色",
    "items": [
        {"key": "red", "title": {"zh-CN": "红", "en": "Red"}, "data": {"warm": True}},
        {"key": "blue", "title": {"zh-CN": "蓝", "en": "Blue"}},
    ],
}
ROLE = {
    "format": 1,
    "key": "agent",
    "title": "Agent",
    "rights": ["reports.read:leads_by_channel", "flows.read"],
    "forms": {
        "lead": [
            {"key": "own", "actions": ["read", "change"], "scope": "own"},
            {
                "key": "pool",
                "actions": ["read"],
                "scope": "unowned",
                "fields": {"mobile": "masked"},
            },
        ]
    },
}


@pytest.fixture
def session(sqlite: Database) -> Iterator[Session]:
    with sqlite.read() as opened, coming({("form", "lead"): FORM}):
        yield opened


def found(session: Session, kind: str, document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in check(session, kind, document)]


def test_a_sound_list_and_role_have_no_problem(session: Session) -> None:
    assert found(session, "list", LIST) == found(session, "role", ROLE) == []


@pytest.mark.parametrize(
    ("item", "path", "code"),
    [
        ({"key": "red", "title": "朱"}, "/items/2/key", "E_KEY_TWICE"),
        ({"key": "crimson", "title": {"en": "RED"}}, "/items/2/title", "E_LABEL_TWICE"),
        ({"key": "crimson", "title": {"zh-CN": "红"}}, "/items/2/title", "E_LABEL_TWICE"),
        ({"key": "no spaces", "title": "x"}, "/items/2/key", "E_PATTERN"),
        ({"key": "x", "title": {"fr": "rouge"}}, "/items/2/title", "E_SCHEMA"),
        ({"key": "x"}, "/items/2/title", "E_MISSING"),
    ],
)
def test_a_wrong_option_is_refused(
    session: Session, item: dict[str, Any], path: str, code: str
) -> None:
    document: dict[str, Any] = copy.deepcopy(LIST)
    document["items"].append(item)
    assert (path, code) in found(session, "list", document)


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        ({"key": "own", "actions": ["read"], "scope": "all"}, "/forms/lead/2/key", "E_KEY_TWICE"),
        (
            {"key": "x", "actions": ["read"], "scope": "all", "fields": {"mobil": "hidden"}},
            "/forms/lead/2/fields/mobil",
            "E_NO_FIELD",
        ),
        (
            {"key": "x", "actions": ["read"], "scope": "all", "fields": {"mobile": "write"}},
            "/forms/lead/2/fields/mobile",
            "E_RIGHT_IDLE",
        ),
        (
            {"key": "x", "actions": ["read"], "scope": {"where": "true", "within": "here"}},
            "/forms/lead/2/scope",
            "E_SCHEMA",
        ),
        ({"key": "x", "actions": ["rule"], "scope": "all"}, "/forms/lead/2/actions/0", "E_ONE_OF"),
        ({"key": "x", "actions": [], "scope": "all"}, "/forms/lead/2/actions", "E_SCHEMA"),
    ],
)
def test_a_wrong_rule_is_refused(
    session: Session, rule: dict[str, Any], path: str, code: str
) -> None:
    document: dict[str, Any] = copy.deepcopy(ROLE)
    document["forms"]["lead"].append(rule)
    assert (path, code) in found(session, "role", document)


def test_a_role_may_speak_of_a_form_that_another_pack_brings(session: Session) -> None:
    document: dict[str, Any] = copy.deepcopy(ROLE)
    document["forms"]["later"] = [
        {"key": "all", "actions": ["read"], "scope": "all", "fields": {"x": "hidden"}}
    ]
    assert found(session, "role", document) == []


def test_an_admin_star_right_has_no_such_form(session: Session) -> None:
    document: dict[str, Any] = copy.deepcopy(ROLE)
    document["rights"] = ["admin:*"]
    assert found(session, "role", document) == [("/rights/0", "E_PATTERN")]
