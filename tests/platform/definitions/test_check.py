"""The shape of definitions: judged quickly, and named exactly where it is wrong."""

import json
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import careloom.platform.definitions
from careloom.platform.definitions.check import Judge
from careloom.platform.definitions.schema_check import schema

ROOT = Path(careloom.platform.definitions.__file__).parents[2]
SCHEMAS = sorted(path.stem for path in (ROOT / "platform/definitions/schemas").glob("*.json"))
SHIPPED = [
    (kind, path)
    for kind, folder in (("form", "forms"), ("list", "lists"), ("flow", "flows"))
    for path in sorted((ROOT / "blueprints").glob(f"*/{folder}/*.json"))
]
WRONG: tuple[Any, ...] = (None, 7, "", [], {}, "no such", {"key": 1}, [{}])


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    found: list[tuple[Any, Any]] = []
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((value, key))
        if isinstance(part, dict | list):
            found += places(part)
    return found


def test_what_the_quick_answer_lets_pass_the_thorough_one_lets_pass() -> None:
    chance = Random(20)
    refused = 0
    for kind, path in SHIPPED:
        judge, thorough = Judge(schema(kind)), Draft202012Validator(schema(kind))
        document = json.loads(path.read_text("utf-8"))
        assert judge.misfits(document) == []
        for _ in range(4):
            changed = deepcopy(document)
            container, key = chance.choice(places(changed))
            container[key] = chance.choice(WRONG)
            problems = judge.misfits(changed)
            assert bool(problems) == (not thorough.is_valid(changed)), (path.name, key)
            refused += bool(problems)
    assert refused > len(SHIPPED)


def test_what_only_the_quick_answer_refuses_is_refused_with_its_place() -> None:
    judge = Judge({"properties": {"key": {"pattern": "^[a-z]+$"}}})
    assert judge.misfits({"key": "ab"}) == []
    (problem,) = judge.misfits({"key": "ab\n"})
    assert (problem.path, problem.code) == ("/key", "E_SCHEMA")
