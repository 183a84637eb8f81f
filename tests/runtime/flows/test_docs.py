"""Every step, action and event stands in the runtime's page and has its words."""

import json
from pathlib import Path

import pytest

from careloom.platform.events.names import EVENTS
from careloom.runtime.actions.act import ACTIONS
from careloom.runtime.flows import check as _check  # noqa: F401  brings the events
from careloom.runtime.steps.kinds import STEPS

ROOT = Path(__file__).parents[3]
README = (ROOT / "runtime" / "README.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "platform/definitions/schemas/flow.json").read_text("utf-8"))
OURS = [name for name in EVENTS if name.split(":")[0] in ("flow", "task", "incident", "message")]


@pytest.mark.parametrize("name", [*STEPS, *ACTIONS, *OURS])
def test_it_stands_in_the_page(name: str) -> None:
    assert f"`{name}`" in README


def test_the_schema_knows_the_same_steps_and_actions() -> None:
    kinds = SCHEMA["$defs"]["step"]["properties"]["kind"]["enum"]
    actions = SCHEMA["$defs"]["action"]["properties"]["action"]["enum"]
    assert (set(kinds), set(actions)) == (set(STEPS), set(ACTIONS))


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_event_and_refusal_has_its_words(language: str) -> None:
    words: dict[str, str] = {}
    for path in sorted((ROOT / "templates" / "words" / language).glob("*.json")):
        words |= json.loads(path.read_text("utf-8"))
    assert [name for name in OURS if f"event.{name}" not in words] == []
    assert [code for code in _codes() if f"problem.{code}" not in words] == []


def _codes() -> set[str]:
    """Every code our rooms speak of."""
    import re

    found: set[str] = set()
    for room in ("tasks", "timers", "actions", "steps", "flows", "work"):
        for path in (ROOT / "runtime" / room).glob("*.py"):
            found |= set(re.findall(r'"(E_[A-Z_]+)"', path.read_text("utf-8")))
    return found
