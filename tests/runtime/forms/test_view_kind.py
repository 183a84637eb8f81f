"""A view that a pack brings is checked against its form, and holds its fields."""

from typing import Any

import make
import pytest

from careloom.platform.definitions.kinds import register
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid
from careloom.runtime.forms.view_kind import VIEW

VISIT = make.form(
    "visit",
    {
        "name": make.field(),
        "status": make.field("choice", x_options=make.fixed("open", "done")),
        "at": make.field("datetime"),
        "age": make.field("number"),
    },
)
SOUND: dict[str, Any] = {
    "format": 1,
    "key": "open_visits",
    "title": "Open",
    "form": "visit",
    "as": "board",
    "by": "status",
    "columns": ["name"],
    "conditions": [{"key": "at", "field": "at", "operator": "today"}],
    "filter": "age > 3",
    "sort": "-at",
}


@pytest.fixture
def forms(sqlite: Database) -> Database:
    register(VIEW)
    make.publish(sqlite, "form", VISIT)
    return sqlite


def test_a_sound_view_is_published(forms: Database) -> None:
    assert make.publish(forms, "view", SOUND).version == 1


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"form": "gone"}, "/form", "E_NO_FORM"),
        ({"by": "gone"}, "/by", "E_NO_FIELD"),
        ({"by": "name"}, "/by", "E_FIELD_KIND"),
        ({"as": "calendar"}, "/by", "E_FIELD_KIND"),
        ({"columns": ["name", "gone"]}, "/columns/1", "E_NO_FIELD"),
        ({"sort": "gone"}, "/sort", "E_NO_FIELD"),
        ({"filter": "gone > 1"}, "/filter", "E_NO_NAME"),
        (
            {"conditions": [{"key": "a", "field": "age", "operator": "today"}]},
            "/conditions/0/operator",
            "E_VIEW_OPERATOR",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    forms: Database, changed: dict[str, Any], path: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        make.publish(forms, "view", {**SOUND, **changed})
    found = [(problem.path, problem.code) for problem in refusal.value.problems]
    assert [one for one in found if one[0] == path and one[1].startswith(code)], found


def test_a_field_that_a_view_shows_cannot_be_removed(forms: Database) -> None:
    make.publish(forms, "view", SOUND)
    fields = {key: its for key, its in VISIT["properties"].items() if key != "age"}
    with pytest.raises(Invalid) as refusal:
        make.publish(forms, "form", make.form("visit", fields))
    assert {problem.code for problem in refusal.value.problems} == {"E_FIELD_IN_USE"}
