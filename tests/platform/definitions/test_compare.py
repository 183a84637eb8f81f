"""What changed between two versions, for people to read."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from sample_forms import VISIT

from careloom.platform.definitions.compare import Change, compare
from careloom.platform.definitions.schema_check import schema
from careloom.platform.web.differences import told
from careloom.platform.web.words import LANGUAGES, knows

KINDS = ("calendar", "dashboard", "flow", "form", "list", "printout", "report", "role", "view")
SCHEMAS = {kind: schema(kind) for kind in KINDS}
#: what never differs, languages, and remarks in a schema
UNTOLD = {"key", "format", "zh-CN", "en", "$schema", "$comment"}

FLOW: dict[str, Any] = {
    "format": 1,
    "key": "recall",
    "title": {"zh-CN": "回访", "en": "Recall"},
    "subject": "visit",
    "steps": [
        {"key": "call", "kind": "task", "title": "Call", "due": "15m", "who": {"role": "desk"}},
        {
            "key": "way",
            "kind": "branch",
            "title": "Way",
            "cases": [
                {"key": "yes", "title": "Yes", "steps": [{"key": "a", "kind": "end"}]},
                {"key": "no", "title": "No", "steps": [{"key": "b", "kind": "end"}]},
            ],
        },
    ],
}


def edited(document: dict[str, Any], edit: Any) -> list[Change]:
    after = copy.deepcopy(document)
    edit(after)
    return compare(document, after)


def said(document: dict[str, Any], edit: Any, language: str = "en") -> list[str]:
    return [told(language, change) for change in edited(document, edit)]


def test_a_document_and_its_copy_do_not_differ() -> None:
    assert compare(VISIT, copy.deepcopy(VISIT)) == compare(FLOW, json.loads(json.dumps(FLOW))) == []


def test_a_field_is_told_property_by_property() -> None:
    def edit(form: dict[str, Any]) -> None:
        note = form["properties"]["note"]
        note |= {"maxLength": 80, "x-help": "Short", "x-title": {"zh-CN": "备注", "en": "Remark"}}
        del note["x-visible"]
        form["required"].append("note")

    assert said(VISIT, edit) == [
        "field “Remark”: title went from “Note” to “Remark”",
        "field “Remark”: longest went from 50 to 80",
        "field “Remark”: hint is now “Short”",
        "field “Remark”: required is now yes",
        'field “Remark”: visible when “colour = "red"” was taken away',
    ]
    assert said(VISIT, edit, "zh-CN")[1] == "字段“备注”：最长长度由 50 改为 80"


def test_a_label_that_changed_in_the_other_language_only_is_told_whole() -> None:
    def edit(form: dict[str, Any]) -> None:
        form["x-title"]["zh-CN"] = "看诊"

    assert said(VISIT, edit) == ["The definition: title went from “就诊 / Visit” to “看诊 / Visit”"]


def test_fields_added_removed_and_moved_are_told_once_each() -> None:
    def edit(form: dict[str, Any]) -> None:
        form["properties"]["tel"] = {"type": "string", "x-widget": "phone", "x-title": "Tel"}
        del form["properties"]["share"]
        main, money = (section["fields"] for section in form["x-layout"])
        money.remove("share")
        money.insert(0, "tel")
        main.remove("kinds")
        money.append("kinds")
        main.append(main.pop(0))

    assert said(VISIT, edit) == [
        "field “Tel” was added",
        "field “Share” was removed",
        "field “No” was moved",
        "field “Kinds” was moved from “main” to “money”",
    ]


def test_options_are_told_apart_by_their_keys() -> None:
    def edit(form: dict[str, Any]) -> None:
        items = form["properties"]["kinds"]["x-options"]["items"]
        items.reverse()
        items[0]["title"] = "丙"
        items.append({"key": "c", "title": "丁"})

    found = edited(VISIT, edit)
    assert [told("en", change) for change in found] == [
        "field “Kinds” › option “丙” was moved",
        "field “Kinds” › option “丙”: title went from “乙” to “丙”",
        "field “Kinds” › option “丁” was added",
    ]
    assert found[1].path == "/properties/kinds/x-options/items/0/title"


def test_a_step_that_goes_into_a_branch_was_moved_and_may_have_changed() -> None:
    def edit(flow: dict[str, Any]) -> None:
        call = flow["steps"].pop(0)
        call["due"] = "30m"
        flow["steps"][0]["cases"][1]["steps"].insert(0, call)

    moved, changed = edited(FLOW, edit)
    assert told("en", moved) == (
        "step “Way” › case “No” › step “Call” was moved from the main line to “No”"
    )
    assert (moved.act, moved.path) == ("moved", "/steps/0/cases/1/steps/0")
    assert told("en", changed).endswith("step “Call”: due within went from “15m” to “30m”")
    assert changed.path == "/steps/0/cases/1/steps/0/due"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_property_of_every_kind_has_a_word(kind: str, language: str) -> None:
    names = set(_properties(SCHEMAS[kind])) - UNTOLD
    assert not [name for name in sorted(names) if not knows(language, f"compare.word.{name}")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_list_of_parts_has_a_word_for_them(kind: str, language: str) -> None:
    lists = set(_lists(SCHEMAS[kind], SCHEMAS[kind], ""))
    assert not [name for name in sorted(lists) if not knows(language, f"compare.part.{name}")]


@pytest.mark.parametrize("kind", KINDS)
def test_objects_in_a_list_have_keys_in_every_kind(kind: str) -> None:
    assert list(_keyless(SCHEMAS[kind], SCHEMAS[kind], "")) == []


def test_a_dashboard_and_a_report_are_told_in_words() -> None:
    board = {"key": "b", "title": "B", "items": [{"key": "a", "report": "leads", "width": 1}]}
    assert said(board, lambda it: it["items"][0].update(width=2), "zh-CN") == [
        "报表“a”：宽度由 1 改为 2"
    ]
    report = {"key": "r", "title": "R", "chart": "bar", "spans": [{"key": "s", "to": "a"}]}
    assert said(report, lambda it: it.update(chart="line")) == [
        "The definition: chart went from “bar” to “line”"
    ]
    assert said(report, lambda it: it["spans"].append({"key": "t", "title": "To the visit"})) == [
        "span “To the visit” was added"
    ]


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for value in schema.values():
            yield from _properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _properties(value)


def _followed(root: Any, schema: Any) -> Any:
    while isinstance(schema, dict) and str(schema.get("$ref", "")).startswith("#/"):
        found = root
        for part in schema["$ref"][2:].split("/"):
            found = found[part]
        schema = found
    return schema


def _objects_in(root: Any, schema: Any) -> list[Any]:
    """What the items of a list may be, of which those that are objects."""
    items = _followed(root, schema.get("items"))
    if not isinstance(items, dict):
        return []
    ways = [_followed(root, way) for way in items.get("oneOf") or items.get("anyOf") or [items]]
    required = items.get("required", [])
    return [
        {**way, "required": [*required, *way.get("required", ())]}
        for way in ways
        if "object" in (way.get("type"), items.get("type")) or "properties" in way
    ]


def _keyless(root: Any, schema: Any, at: str) -> Iterator[str]:
    """Lists of objects that need no key, by their place."""
    if isinstance(schema, list):
        for value in schema:
            yield from _keyless(root, value, at)
    elif isinstance(schema, dict):
        if schema.get("type") == "array":
            keyed = ("key" in one.get("required", ()) for one in _objects_in(root, schema))
            yield from (at for fine in keyed if not fine)
        for name, value in schema.items():
            yield from _keyless(root, value, f"{at}/{name}")


def _lists(root: Any, schema: Any, name: str) -> Iterator[str]:
    """The words under which lists of objects stand."""
    if isinstance(schema, list):
        for value in schema:
            yield from _lists(root, value, name)
    elif isinstance(schema, dict):
        here = _followed(root, schema)
        if name and here.get("type") == "array" and _objects_in(root, here):
            yield name
        for word, value in schema.items():
            named = word == "properties" and isinstance(value, dict)
            for key, inner in value.items() if named else [("", value)]:
                yield from _lists(root, inner, key)


@pytest.mark.parametrize("seed", range(60))
def test_any_edit_is_told_and_its_path_leads_there(seed: int) -> None:
    dice = random.Random(seed)
    before = [VISIT, FLOW][seed % 2]
    after = copy.deepcopy(before)
    for _ in range(dice.randrange(1, 4)):
        _edit(dice, after)
    found = compare(before, after)
    assert bool(found) == (_plain(before) != _plain(after))
    for change in found:
        assert _leads(before if change.act == "removed" else after, change.path), change
        for language in LANGUAGES:
            assert "compare." not in told(language, change) and "{" not in told(language, change)


def _plain(document: Any) -> Any:
    """As compared: `required` and the order of properties do not count."""
    plain = copy.deepcopy(document)
    if "required" in plain:
        plain["required"] = sorted(set(plain["required"]) & plain["properties"].keys())
    return plain


def _edit(dice: random.Random, document: Any) -> None:
    """One change somewhere in a document."""
    places: list[tuple[Any, Any]] = []

    def gather(value: Any) -> None:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in pairs:
            if name != "key":
                places.append((value, name))
            if isinstance(inner, dict | list):
                gather(inner)

    gather(document)
    container, name = dice.choice([p for p in places if p[1] not in ("required", "x-layout")])
    value = container[name]
    if isinstance(value, str) and isinstance(container, dict):
        container[name] = value + "!"
    elif isinstance(value, dict) and "title" in value:
        value["title"] = f"Title {dice.random()}"
    elif isinstance(value, dict) and "x-title" in value:
        value["x-help"] = "Help"


def _leads(document: Any, path: str) -> bool:
    for part in path.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        document = document[int(part) if isinstance(document, list) else part]
    return True
