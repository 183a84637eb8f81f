"""What fill.ts is told of a form: its formulas as trees, limits, and its words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ...platform.definitions.faults import Fault
from ...platform.definitions.form import Form
from ...platform.definitions.formulas import Formula
from ...platform.expressions.browser import to_json
from ...platform.expressions.tree import Find, Hop, walk
from ...platform.identity.permissions import access
from ...platform.records.compute import formulas_for
from ...platform.records.fills import data_of, fills_of, taken
from ...platform.store.session import moment
from .drawn import Drawn
from .show import Filling, Reader, draw_fill, input_texts

WORDS = ("required", "pick_one", "phone", "number", "least", "most", "email")


def to_fill_in(reader: Reader, form: Form, filling: Filling) -> Drawn:
    """A form to be filled in, and what its page does meanwhile."""
    return Drawn(draw_fill(reader, form, filling), behaviour(reader, form, filling))


def behaviour(reader: Reader, form: Form, filling: Filling) -> dict[str, Any]:
    """`{"fields", "rows", "fills", "kept", "limits", "words", "draft", "now", "zone", "offset",
    "me"}`.

    fills: what comes with the items of shared lists; what comes with a record, the server knows.
    kept: the JSON values formulas read that the page has no input for; what the reader may not
    see is not among them.
    """
    seen = [key for key in form.fields if filling.rights[key] != "hidden"]
    rows = {key: its.rows for key in seen if (its := form.fields[key]).rows is not None}
    return {
        "fields": _trees(reader, form, seen),
        "rows": {key: _trees(reader, its, its.fields, defaults=True) for key, its in rows.items()},
        "fills": _fills(reader, form, "")
        | {
            name: items
            for key, its in rows.items()
            for name, items in _fills(reader, its, f"{key}.").items()
        },
        "kept": _kept(reader, form, filling),
        "limits": limits(form),
        "words": _words(reader),
        "draft": {which: reader.say(f"page.draft.{which}") for which in ("kept", "back")},
        "now": int(moment(reader.session).timestamp() * 1000),
        "zone": str(reader.zone),
        "offset": moment(reader.session).astimezone(reader.zone).isoformat()[-6:],
        "me": {
            "person": str(reader.actor.person_id or ""),
            "unit": str(reader.actor.unit_id or ""),
            "roles": sorted({grant.role for grant in reader.actor.grants}),
        },
    }


def _trees(
    reader: Reader, form: Form, seen: Collection[str], *, defaults: bool = False
) -> dict[str, dict[str, Any]]:
    """The formulas of the fields seen as trees, by field and word, in the order they are worked
    out. defaults: of rows, which come while one types; a record's own are in its inputs."""
    formulas = formulas_for(reader.session, form)
    fields: dict[str, dict[str, Any]] = {}

    def add(key: str, word: str, formula: Formula | None) -> None:
        if formula is not None and key in seen and not _elsewhere(formula):
            fields.setdefault(key, {})[word] = to_json(formula.typed)

    for step in formulas.steps:
        add(step.field, "visible", step.visible)
        add(step.field, "value", step.value)
    for key, formula in formulas.defaults if defaults else ():
        add(key, "default", formula)
    for key, formula in formulas.required.items():
        add(key, "required", formula)
    for key, formula in formulas.enabled.items():
        add(key, "enabled", formula)
    return fields


def _elsewhere(formula: Formula) -> bool:
    """Whether it asks other records, which the page does not know: the server alone judges it."""
    return any(isinstance(node, Hop | Find) for node in walk(formula.typed.node))


def _fills(reader: Reader, form: Form, prefix: str) -> dict[str, dict[str, dict[str, str]]]:
    """Field chosen in -> item -> field to fill in -> what its input then holds."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for source, targets in fills_of(reader.session, form):
        for item, data in data_of(reader.session, source).items():
            for key, name in targets.items():
                its = form.fields[key]
                try:
                    value = taken(reader.session, its, data.get(name), reader.zone)
                except Fault:
                    continue  # the server says so, to whoever chooses it
                if texts := input_texts(its, value, reader.zone):
                    found.setdefault(prefix + source.key, {}).setdefault(item, {})[key] = texts[0]
    return found


def _kept(reader: Reader, form: Form, filling: Filling) -> dict[str, Any]:
    return {
        key: its.give(filling.values[key])
        for key, its in form.fields.items()
        if filling.values.get(key) is not None
        and filling.rights[key] in ("read", "write")
        and (filling.rights[key] == "read" or not its.by_people or key in filling.fixed)
    }


def limits(form: Form) -> dict[str, Mapping[str, float]]:
    """The least and the most of each number that has them."""
    found: dict[str, Mapping[str, float]] = {}
    for key, its in form.fields.items():
        if its.type.storage == "scaled":
            pairs = {"min": its.schema.get("minimum"), "max": its.schema.get("maximum")}
            known = {name: float(value) for name, value in pairs.items() if value is not None}
            if known:
                found[key] = known
    return found


def _words(reader: Reader) -> dict[str, str]:
    words = {word: reader.say(f"page.field.{word}") for word in WORDS}
    words["problems"] = reader.say("page.problems")
    words["colon"] = reader.say("page.colon")
    return words


def rights_to_create(reader: Reader, form: Form, unit_id: int | None) -> dict[str, str]:
    """The asker's rights on the fields of a record of their own at a unit."""
    asked = access(reader.session, reader.actor, form.key)
    return dict(asked.rights_to_begin(unit_id, form.fields, form.by_machine))
