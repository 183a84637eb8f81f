"""Records against their form's JSON Schema: jsonschema-rs, which we use, against jsonschema.

All 5,000 records are judged by both, and must be judged alike. The cost is that of some of them
over and over, as with formulas: it is the validators that are compared. Records that have to be
fetched from memory first cost jsonschema-rs two or three times as much, as little as it does.
"""

import json
import random
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator

from careloom.platform.definitions.form import read_form, values_schema

from .measure import Result, in_turns

RECORDS, SEED = 5_000, 20_260_301
GOOD, TIMES = 50, 20
FORMS = ("lead_intake", "customer_profile", "appointment")
STRANGE: tuple[Any, ...] = (
    "",
    "x" * 5_000,
    7,
    -1,
    1.5,
    True,
    None,
    [],
    ["a", "a"],
    {},
    "１９９",
    "\x00",
)


class Disagree(Exception):
    """The two judge a record differently: no speed is worth that."""


def results() -> Iterator[Result]:
    """One line for each form, over the same records, each judged alike by both."""
    for key in FORMS:
        source = files("careloom.blueprints") / "clinic" / "forms" / f"{key}.json"
        schema = values_schema(read_form(json.loads(source.read_text("utf-8"))))
        quick = jsonschema_rs.Draft202012Validator(
            schema, pattern_options=jsonschema_rs.RegexOptions()
        )
        slow = Draft202012Validator(schema)
        chance = random.Random(SEED)
        records = [record(schema, chance) for _ in range(RECORDS)]
        verdicts = [(quick.is_valid(one), slow.is_valid(one)) for one in records]
        if differing := sum(ours != theirs for ours, theirs in verdicts):
            raise Disagree(f"{key}: {differing} of {RECORDS}")
        good = [one for one, (fine, _) in zip(records, verdicts, strict=True) if fine][:GOOD]
        costs = in_turns(
            lambda v=quick, r=good: [v.is_valid(one) for one in r],
            lambda v=slow, r=good: [v.is_valid(one) for one in r],
            TIMES,
        )
        what = f"{len(good)} good records of {key}; {RECORDS} judged alike"
        yield Result(what, costs[0], "jsonschema", costs[1], "≤ 1/80")


def record(schema: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A record that is mostly as it should be, and in a third of all cases wrong somewhere."""
    made = {
        key: value(words, chance)
        for key, words in schema["properties"].items()
        if key in schema["required"] or chance.random() < 0.8
    }
    if chance.random() < 1 / 3:
        key = chance.choice([*schema["properties"], "no_such_field"])
        made[key] = chance.choice(STRANGE)
    return made


def value(words: dict[str, Any], chance: random.Random) -> Any:
    """A value such as a field's keywords describe; patterns are left to be missed."""
    kind = words.get("type")
    if kind == "boolean":
        return chance.random() < 0.5
    if kind == "integer":
        return chance.randint(int(words.get("minimum", 0)), int(words.get("maximum", 1_000)))
    if kind == "array":
        return [f"a{n}" for n in range(chance.randint(0, 3))]
    if "enum" in words:
        return chance.choice(words["enum"])
    length = chance.randint(
        int(words.get("minLength", 0)), min(int(words.get("maxLength", 60)), 200)
    )
    return "".join(chance.choice("客户张伟abc 0123456789-") for _ in range(length))
