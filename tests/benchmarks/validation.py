"""Records against their form's JSON Schema: jsonschema-rs, which we use, against jsonschema.

All 5,000 records are judged by both, and must be judged alike. Two measures are told: the same 50
good records over and over, as with formulas, where it is the validators that are compared; and
every good record once, ours first, each fetched from memory as it is in a clinic's day. So little
is jsonschema-rs's own work that the fetching makes up half of it or more.
"""

import json
import random
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator

from careloom.platform.definitions.form import read_form, values_schema

from .measure import Cost, Result, cost, in_turns, middle

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
        good = [one for one, (fine, _) in zip(records, verdicts, strict=True) if fine]
        again = in_turns(
            lambda v=quick, r=good[:GOOD]: [v.is_valid(one) for one in r],
            lambda v=slow, r=good[:GOOD]: [v.is_valid(one) for one in r],
            TIMES,
        )
        what = f"{GOOD} good records of {key} over and over; {RECORDS} judged alike"
        yield Result(what, again[0], "jsonschema", again[1], "≤ 1/80")
        costs = once(quick, slow, good)
        what = f"{GOOD} good records of {key}, each of {len(good)} once"
        yield Result(what, costs[0], "jsonschema", costs[1], "≤ 1/80")


def once(quick: Any, slow: Any, good: Sequence[Any]) -> tuple[Cost, Cost]:
    """Medians over the records in fifties, each fifty judged once by the one, then the other."""
    found = []
    for first in range(0, len(good) - GOOD + 1, GOOD):
        some = good[first : first + GOOD]
        found.append(
            [
                cost(lambda v=judge, r=some: [v.is_valid(one) for one in r], 1)
                for judge in (quick, slow)
            ]
        )
    return middle(ours for ours, _ in found), middle(theirs for _, theirs in found)


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
