"""A printout that could not be printed is not published: each problem has its place. T08–T11 too:
what other template languages let in is no expression of ours."""

from typing import Any

import make
import pytest

from careloom.platform.definitions.kinds import register
from careloom.platform.definitions.uses import uses_of
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid
from careloom.runtime.printouts.check import PRINTOUT
from careloom.runtime.printouts.gaps import Gap, Unclosed, lines_of, parts_of

PATIENT = make.form("patient", {"name": make.field(title="姓名"), "born": make.field("date")})
VISIT = make.form(
    "visit",
    {
        "patient": make.link("patient"),
        "note": make.field("longtext"),
        "status": make.field("choice", x_options=make.fixed("open", "done")),
        "age": make.field("number"),
        "at": make.field("datetime"),
        "seen_until": make.field("datetime"),
        "photos": make.field("image"),
        "items": make.rows({"what": make.field(), "price": make.field("money", x_scale=2)}),
    },
)
SOUND: dict[str, Any] = {
    "format": 1,
    "key": "letter",
    "title": {"zh-CN": "信", "en": "Letter"},
    "form": "visit",
    "when": 'status = "done"',
    "blocks": [
        {"key": "head", "kind": "heading", "text": "{{ patient.name }}"},
        {"key": "words", "kind": "text", "text": "{{ patient.{姓名} }}：{{ AGE(patient.born) }}"},
        {
            "key": "facts",
            "kind": "fields",
            "columns": 3,
            "fields": [
                {"key": "a", "show": "note"},
                {"key": "b", "show": "age + 1", "title": "Next"},
            ],
        },
        {
            "key": "items",
            "kind": "rows",
            "of": "items",
            "columns": ["what", "price"],
            "total": ["price"],
        },
        {"key": "break", "kind": "page_break"},
        {"key": "photos", "kind": "picture", "of": "photos", "size": "small"},
        {"key": "signed", "kind": "signatures", "lines": [{"key": "me", "title": "Me"}]},
    ],
}


ROWS = {"of": "items", "columns": ["what"]}


@pytest.fixture
def forms(sqlite: Database) -> Database:
    register(PRINTOUT)
    make.publish(sqlite, "form", PATIENT)
    make.publish(sqlite, "form", VISIT)
    return sqlite


def problems(database: Database, document: Any) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "printout", document)
    return {(problem.path, problem.code) for problem in refusal.value.problems}


def with_block(**block: Any) -> Any:
    return {**SOUND, "blocks": [{"key": "one", **block}]}


def test_a_sound_printout_is_published(forms: Database) -> None:
    assert make.publish(forms, "printout", SOUND).version == 1


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"form": "gone"}, "/form", "E_NO_FORM"),
        ({"when": "gone = 1"}, "/when", "E_NO_NAME_NEAR"),
        ({"when": "age"}, "/when", "E_EXPECT"),
        ({"paper": "A3"}, "/paper", "E_ONE_OF"),
        ({"template": "x"}, "/template", "E_UNKNOWN_KEY"),
    ],
)
def test_what_is_wrong_with_the_sheet(forms: Database, changed: Any, path: str, code: str) -> None:
    found = problems(forms, {**SOUND, **changed})
    assert [one for one in found if code.startswith(one[1]) or one == (path, code)], found


@pytest.mark.parametrize(
    ("kind", "block", "path", "code"),
    [
        ("text", {"text": "a {{ gone }}"}, "/text", "E_NO_NAME"),
        ("text", {"text": {"zh-CN": "好", "en": "{{ patient.gone }}"}}, "/text/en", "E_NO_"),
        ("text", {"text": "{{ note "}, "/text", "E_PRINT_GAP"),
        ("text", {"text": "{{ }}"}, "/text", "E_"),
        ("text", {"text": "{{ items }}"}, "/text", "E_PRINT_VALUE"),
        ("text", {"text": "{{ seen_until - at }}"}, "/text", "E_PRINT_VALUE"),
        ("text", {"text": "x", "when": "note"}, "/when", "E_EXPECT"),
        ("text", {"text": "x", "style": "y"}, "", "E_UNKNOWN_KEY"),
        ("text", {}, "/text", "E_MISSING"),
        ("html", {"text": "x"}, "/kind", "E_ONE_OF"),
        ("fields", {"fields": [{"key": "a", "show": "1 + 1"}]}, "/fields/0/title", "E_PRINT_TITLE"),
        ("fields", {"fields": [{"key": "a", "show": "gone"}]}, "/fields/0/show", "E_NO_NAME"),
        ("fields", {"fields": [{"key": "a", "show": "age"}] * 2}, "/fields/1/key", "E_KEY_TWICE"),
        ("rows", {"of": "gone", "columns": ["a"]}, "/of", "E_NO_FIELD"),
        ("rows", {"of": "note", "columns": ["a"]}, "/of", "E_FIELD_KIND"),
        ("rows", {"of": "items", "columns": ["gone"]}, "/columns/0", "E_NO_FIELD"),
        ("rows", {**ROWS, "total": ["what"]}, "/total/0", "E_FIELD_KIND"),
        ("rows", {**ROWS, "total": ["price"]}, "/total/0", "E_PRINT_TOTAL"),
        ("picture", {"of": "patient.name"}, "/of", "E_FIELD_KIND"),
    ],
)
def test_what_is_wrong_with_a_block_is_told_with_its_place(
    forms: Database, kind: str, block: Any, path: str, code: str
) -> None:
    found = problems(forms, with_block(kind=kind, **block))
    assert [one for one in found if one[0] == "/blocks/0" + path and one[1].startswith(code)], found


def test_a_problem_in_a_gap_is_counted_from_the_beginning_of_its_text(forms: Database) -> None:
    text = "some words {{ note }}, {{ age + gone }}"
    with pytest.raises(Invalid) as refusal:
        make.publish(forms, "printout", with_block(kind="text", text=text))
    (problem,) = refusal.value.problems
    assert text[problem.params["start"] : problem.params["end"]] == "gone"


HARMFUL = [
    "''.__class__.__mro__[1].__subclasses__()", "note.__class__", "note['__class__']",
    "note|attr('\\x5f\\x5fclass\\x5f\\x5f')", "[note]|map(attribute='__class__')",
    "lipsum.__globals__", "cycler.__init__.__globals__", "self._TemplateReference__context",
    "joiner.__init__", "namespace.__init__", "config.items()", "request.application",
    "patient.delete()", "patient.query.all()", "ME().password_hash", "patient._sa_instance_state",
    "note|safe", "note|center(500000000)", "'a' * 500000000", "range(99999)", "lipsum(n=100000)",
    "'%0500000000d'|format(1)", "this.loop()", "eval(note)", "exec(note)", "open(note)",
    "import os", "note if 1 else 2", "[x for x in items]", "note; note", "{% raw %}", "$\\{7*7}",
]  # fmt: skip


@pytest.mark.parametrize("expression", HARMFUL)
def test_t08_t09_t10_what_reaches_further_is_no_expression(
    forms: Database, expression: str
) -> None:
    text = f"a {{{{ {expression} }}}} b"
    assert problems(forms, with_block(kind="text", text=text))


@pytest.mark.parametrize(
    "text",
    [
        "{% include '/etc/passwd' %}", "{% extends '../config' %}", "{% import 'os' as x %}",
        "{% for x in range(99999) %}x{% endfor %}", "{% autoescape false %}<b>{% endautoescape %}",
        "{# hidden #}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "<script>x</script>", "{7*7}", "}} {",
    ],
)  # fmt: skip
def test_t11_t13_what_is_no_gap_is_only_text(text: str) -> None:
    assert parts_of(text) == (text,)


def test_a_gap_ends_where_its_expression_does() -> None:
    assert parts_of('a{{ "}}" & {x} }}b{{{姓名}}}') == (
        "a", Gap('"}}" & {x}', 4), "b", Gap("{姓名}", 20)
    )  # fmt: skip
    assert lines_of("one {{ a }}\ntwo\n\nthree") == [("one ", Gap("a", 7)), ("two",), ("three",)]
    with pytest.raises(Unclosed):
        parts_of("{{ a } }")


def test_a_field_that_is_printed_cannot_be_removed(forms: Database) -> None:
    make.publish(forms, "printout", SOUND)
    with forms.read() as session:
        used = {use.field for use in uses_of(session, "form", "visit") if use.kind == "printout"}
        behind = {use.field for use in uses_of(session, "form", "patient")}
    columns = {"items.what", "items.price"}
    assert used == {None, "patient", "note", "age", "status", "items", "photos", *columns}
    assert {"name", "born"} <= behind
    whole = VISIT["properties"]
    fields = {key: its for key, its in whole.items() if key != "photos"}
    with pytest.raises(Invalid) as refusal:
        make.publish(forms, "form", make.form("visit", fields))
    assert {problem.code for problem in refusal.value.problems} == {"E_FIELD_IN_USE"}
    kept = {key: its for key, its in whole["items"]["items"]["properties"].items() if key != "what"}
    with pytest.raises(Invalid) as refusal:
        make.publish(forms, "form", make.form("visit", {**whole, "items": make.rows(kept)}))
    (place,) = {problem.path for problem in refusal.value.problems}
    assert place == "/properties/items/items/properties/what"
