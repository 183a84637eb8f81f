"""Forms: what makes one sound, what it says of its fields, and the order of its formulas."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_forms import COLOURS, PERSON, VISIT
from sqlalchemy.orm import Session

import careloom.platform.records.kinds  # noqa: F401  registers the platform's kinds
from careloom.platform.definitions.check import check
from careloom.platform.definitions.form import Form, form_of, read_form, values_schema
from careloom.platform.definitions.form_scope import coming_forms, scope_of, type_of
from careloom.platform.definitions.formulas import formulas_of
from careloom.platform.definitions.known import coming, known
from careloom.platform.definitions.published import Definition
from careloom.platform.expressions import Env
from careloom.platform.expressions import check as check_formula
from careloom.platform.store.database import Database

Document = dict[str, Any]
Change = Callable[[Document], object]


@pytest.fixture
def session(sqlite: Database) -> Iterator[Session]:
    """Nothing is published; a list and two forms come in the pack at hand."""
    documents = {("list", "colour"): COLOURS, ("form", "patient"): PERSON, ("form", "visit"): VISIT}
    with sqlite.read() as opened, coming(documents):
        yield opened


def problems(session: Session, change: Change) -> list[tuple[str, str]]:
    """What the check finds once the sound form has been changed so."""
    document = copy.deepcopy(VISIT)
    change(document)
    return [(problem.path, problem.code) for problem in check(session, "form", document)]


def put(path: str, value: object) -> Change:
    """Set what a path of keys and positions, such as `properties.note.pattern`, leads to."""

    def change(document: Document) -> None:
        *way, last = path.split(".")
        at: Any = document
        for part in way:
            at = at[int(part) if isinstance(at, list) else part]
        if isinstance(at, list):
            at.insert(int(last), value)
        else:
            at[last] = value

    return change


def drop(path: str) -> Change:
    def change(document: Document) -> None:
        *way, last = path.split(".")
        at: Any = document
        for part in way:
            at = at[int(part) if isinstance(at, list) else part]
        del at[int(last) if isinstance(at, list) else last]

    return change


def test_the_sound_form_has_no_problem(session: Session) -> None:
    assert problems(session, lambda document: None) == []


TEXT = {"type": "string", "x-widget": "text", "x-title": "t"}
MISTAKES: list[tuple[Change, str, str]] = [
    # the shape
    (put("properties.note.x-visble", "true"), "/properties/note", "E_UNKNOWN_KEY"),
    (put("x-lable", "name"), "", "E_UNKNOWN_KEY"),
    (put("properties.net.multipleOf", 0.01), "/properties/net", "E_UNKNOWN_KEY"),
    (put("properties.note.format", "email"), "/properties/note", "E_UNKNOWN_KEY"),
    (put("properties.note.$ref", "http://evil.example/x"), "/properties/note", "E_UNKNOWN_KEY"),
    (drop("x-layout"), "/x-layout", "E_MISSING"),
    (put("additionalProperties", True), "/additionalProperties", "E_ONE_OF"),
    (put("properties.note.x-widget", "texte"), "/properties/note/x-widget", "E_ONE_OF"),
    (put("properties.Note", TEXT), "/properties", "E_PATTERN"),
    (put("properties.constructor", TEXT), "/properties/constructor", "E_RESERVED"),
    (put("properties.net.x-scale", 7), "/properties/net/x-scale", "E_SCHEMA"),
    # the layout
    (put("x-layout.0.fields.0", "note"), "/x-layout/1/fields/5", "E_LAYOUT_TWICE"),
    (put("x-layout.0.fields.0", "nota"), "/x-layout/0/fields/0", "E_NO_FIELD"),
    (drop("x-layout.1.fields.5"), "/properties/note", "E_LAYOUT_MISSING"),
    (put("x-layout.1.key", "main"), "/x-layout/1/key", "E_KEY_TWICE"),
    # types and keywords
    (put("properties.owner.type", "integer"), "/properties/owner/type", "E_WIDGET_TYPE"),
    (put("properties.price.x-scale", 0), "/properties/price/type", "E_WIDGET_TYPE"),
    (put("properties.owner.pattern", "[0-9]"), "/properties/owner/pattern", "E_IDLE_KEYWORD"),
    (put("properties.note.x-scale", 2), "/properties/note/x-scale", "E_IDLE_KEYWORD"),
    (put("properties.note.x-serial", "{seq:3}"), "/properties/note/x-serial", "E_IDLE_KEYWORD"),
    (drop("properties.kinds.uniqueItems"), "/properties/kinds", "E_CHOICES_SHAPE"),
    (drop("properties.scans.items"), "/properties/scans", "E_CHOICES_SHAPE"),
    (put("properties.scans.type", "string"), "/properties/scans/type", "E_WIDGET_TYPE"),
    (put("properties.scans.x-default", "kinds"), "/properties/scans/x-default", "E_FILE_COMPUTED"),
    (
        put("properties.scans.x-written-by", "flow"),
        "/properties/scans/x-written-by",
        "E_FILE_COMPUTED",
    ),
    (put("x-match.0.0", "scans"), "/x-match/0/0", "E_MATCH"),
    (put("properties.note.minLength", 51), "/properties/note/minLength", "E_LIMITS"),
    (put("properties.note.maxLength", 501), "/properties/note/maxLength", "E_LONGEST"),
    (put("properties.note.pattern", "(a"), "/properties/note/pattern", "E_PATTERN_UNSAFE"),
    (put("properties.note.pattern", "(?=a)b"), "/properties/note/pattern", "E_PATTERN_UNSAFE"),
    (put("properties.note.pattern", r"(a)\1"), "/properties/note/pattern", "E_PATTERN_UNSAFE"),
    (put("properties.note.pattern", r"^\d+$"), "/properties/note/pattern", "E_PATTERN_CLASS"),
    # behaviour
    (put("required.0", "note"), "/properties/note/x-visible", "E_HIDDEN_REQUIRED"),
    (put("required.0", "note"), "/properties/note/x-required", "E_REQUIRED_TWICE"),
    (put("required.0", "net"), "/properties/net", "E_REQUIRED_GIVEN"),
    (put("required.0", "code"), "/properties/code", "E_REQUIRED_GIVEN"),
    (put("required.0", "nota"), "/required/0", "E_NO_FIELD"),
    (put("properties.net.x-default", "1"), "/properties/net/x-default", "E_COMPUTED_ONLY"),
    (put("properties.code.x-value", '"1"'), "/properties/code/x-value", "E_COMPUTED_ONLY"),
    (
        put("properties.kinds.x-column", {"unique": True}),
        "/properties/kinds/x-column/unique",
        "E_COLUMN",
    ),
    (put("properties.price.x-encrypted", True), "/properties/price/x-encrypted", "E_ENCRYPTED"),
    (
        put("properties.card", {"type": "string", "x-widget": "id_card", "x-title": "Card"}),
        "/properties/card",
        "E_LAYOUT_MISSING",
    ),
    (drop("properties.code.x-serial"), "/properties/code", "E_SERIAL_MISSING"),
    (put("properties.code.x-serial", "V{seq}"), "/properties/code/x-serial", "E_SERIAL"),
    (put("properties.code.x-serial", "V{yyyy}"), "/properties/code/x-serial", "E_SERIAL"),
    # options
    (drop("properties.colour.x-options"), "/properties/colour", "E_OPTIONS_MISSING"),
    (
        put("properties.colour.x-options.list", "shade"),
        "/properties/colour/x-options/list",
        "E_NO_LIST",
    ),
    (
        put("properties.patient.x-options.form", "ghost"),
        "/properties/patient/x-options/form",
        "E_NO_FORM",
    ),
    (
        put("properties.note.x-options", {"source": "list", "list": "colour"}),
        "/properties/note/x-options/source",
        "E_OPTIONS_SOURCE",
    ),
    (
        put("properties.kinds.x-options.items.0", {"key": "b", "title": "丙"}),
        "/properties/kinds/x-options/items/2/key",
        "E_KEY_TWICE",
    ),
    (
        put("properties.kinds.x-options.items.0", {"key": "c", "title": {"zh-CN": " 乙 "}}),
        "/properties/kinds/x-options/items/2/title",
        "E_LABEL_TWICE",
    ),
    # references of the whole form
    (put("x-label", "nam"), "/x-label", "E_NO_FIELD"),
    (put("x-label", "price"), "/x-label", "E_FIELD_KIND"),
    (put("x-unit", "owner"), "/x-unit", "E_FIELD_KIND"),
    (put("x-owner", "clinic"), "/x-owner", "E_FIELD_KIND"),
    (put("x-listed", ["nobody"]), "/x-listed/0", "E_NO_FIELD"),
    (put("x-match.0", ["nobody"]), "/x-match/0/0", "E_NO_FIELD"),
    (put("x-match.0", ["price:day"]), "/x-match/0/0", "E_FIELD_KIND"),
    (put("x-match.0", ["kinds"]), "/x-match/0/0", "E_MATCH"),
    (
        put("x-rules.0", {"key": "paid", "if": "true", "message": "m"}),
        "/x-rules/1/key",
        "E_KEY_TWICE",
    ),
    (put("x-rules.0.field", "nett"), "/x-rules/0/field", "E_NO_FIELD"),
    (
        put("properties.note.x-fill", {"from": "owner", "map": {"note": "name"}}),
        "/properties/note/x-fill/from",
        "E_FILL_FROM",
    ),
    (
        put("properties.patient.x-fill", {"from": "patient", "map": {"nota": "name"}}),
        "/properties/patient/x-fill/map/nota",
        "E_NO_FIELD",
    ),
    # formulas
    (
        put("properties.note.x-visible", "color = 1"),
        "/properties/note/x-visible",
        "E_NO_NAME_NEAR",
    ),
    (put("properties.note.x-visible", "price"), "/properties/note/x-visible", "E_EXPECT"),
    (put("properties.note.x-required", "1 +"), "/properties/note/x-required", "E_END"),
    (
        put("properties.note.x-enabled", "patient.nam = 1"),
        "/properties/note/x-enabled",
        "E_NO_NAME_NEAR",
    ),
    (put("properties.seen_at.x-default", '"a"'), "/properties/seen_at/x-default", "E_EXPECT"),
    (put("properties.net.x-value", "colour"), "/properties/net/x-value", "E_EXPECT"),
    (put("x-rules.0.if", "net"), "/x-rules/0/if", "E_EXPECT"),
    (put("properties.net.x-value", "net + 1"), "/properties/net/x-value", "E_CYCLE"),
    (put("properties.colour.x-default", "colour"), "/properties/colour/x-default", "E_CYCLE"),
    (put("properties.net.x-value", "patient.level * 1"), "/x-rules/0/if", "E_FOLLOWS_LIVE"),
    (
        put("properties.net.x-value", "AGE(TODAY())"),
        "/properties/note/x-required",
        "E_FOLLOWS_LIVE",
    ),
    (put("properties.net.x-value", "IF(ME() = NULL, 1)"), "/properties/net/x-value", "E_NOT_KEPT"),
]


@pytest.mark.parametrize(
    ("change", "path", "code"), MISTAKES, ids=[f"{code}{path}" for _, path, code in MISTAKES]
)
def test_a_mistake_is_found_at_its_place(
    session: Session, change: Change, path: str, code: str
) -> None:
    assert (path, code) in problems(session, change)


def test_an_identity_card_is_encrypted_so_nothing_matches_or_sorts_by_it(session: Session) -> None:
    document = copy.deepcopy(VISIT)
    card = {"type": "string", "x-widget": "id_card", "x-title": "Card"}
    document["properties"]["card"] = {**card, "x-column": {"index": True}}
    document["x-layout"][0]["fields"].append("card")
    document["x-match"].append(["card"])
    found = [(problem.path, problem.code) for problem in check(session, "form", document)]
    assert found == [
        ("/properties/card/x-column/index", "E_ENCRYPTED"),
        ("/x-match/2/0", "E_MATCH"),
    ]
    document["properties"]["card"]["x-encrypted"] = False
    assert check(session, "form", document) == []


def test_a_cycle_over_several_fields_names_the_circle(session: Session) -> None:
    document = copy.deepcopy(VISIT)
    document["properties"]["price"]["x-value"] = "net * 2"
    [problem] = check(session, "form", document)
    assert problem.code == "E_CYCLE"
    assert problem.params["fields"] in ("price → net → price", "net → price → net")


def test_a_formulas_error_says_where_and_what_was_meant(session: Session) -> None:
    document = copy.deepcopy(VISIT)
    document["properties"]["note"]["x-visible"] = 'colur = "red"'
    [problem] = check(session, "form", document)
    assert (problem.params["start"], problem.params["end"]) == (0, 5)
    assert "colour" in problem.params.values()


def test_more_than_200_computed_fields_are_refused(session: Session) -> None:
    document = copy.deepcopy(VISIT)
    for number in range(200):
        key = f"n{number}"
        document["properties"][key] = {
            "type": "integer",
            "x-widget": "number",
            "x-title": key,
            "x-value": "1",
        }
        document["x-layout"][0]["fields"].append(key)
    assert ("/properties", "E_COMPUTED") in [
        (problem.path, problem.code) for problem in check(session, "form", document)
    ]


def test_a_pack_in_hand_is_known_only_while_it_is_in_hand(session: Session) -> None:
    with coming({("list", "shade"): COLOURS}):
        assert known(session, "list", "shade") is COLOURS
        assert known(session, "list", "colour") is COLOURS
    assert known(session, "list", "shade") is None


def test_the_form_of_a_definition_is_read_once() -> None:
    definition = Definition("form", "visit", 3, VISIT)
    assert form_of(definition) is form_of(definition)
    assert form_of(definition).version == 3
    assert form_of(Definition("form", "visit", 3, copy.deepcopy(VISIT))) is not form_of(definition)


def visit() -> Form:
    return read_form(VISIT)


def test_a_form_tells_what_its_fields_are() -> None:
    form = visit()
    assert form.fields["colour"].required and not form.fields["note"].required
    assert form.fields["price"].scale == 2 and form.fields["price"].storage == "scaled"
    assert read_form(PERSON).fields["level"].storage == "whole"
    assert form.links == {"patient": "patient"}
    assert form.match == ((("patient", ""), ("seen_at", "day")), (("note", ""),))
    assert [field.key for field in form.ordered][:3] == ["code", "patient", "colour"]
    assert not form.fields["code"].by_people and not form.fields["net"].by_people
    assert form.rules[0].code == "E_RULE" and form.rules[0].level == "error"


def test_the_values_schema_keeps_static_words_only() -> None:
    schema = values_schema(visit())
    assert schema["properties"]["note"] == {"type": "string", "maxLength": 50}
    assert schema["properties"]["kinds"]["uniqueItems"] is True
    assert schema["required"] == ["patient", "colour"]
    assert schema["additionalProperties"] is False


def test_a_scope_hops_over_links_and_knows_labels(session: Session) -> None:
    scope = scope_of(visit(), coming_forms(session))
    assert str(check_formula("patient.level + 1", scope).type) == "number"
    assert check_formula('{患者}.{姓名} = "王芳"', scope).text == 'patient.name = "王芳"'
    assert str(type_of(visit().fields["kinds"])) == "list of text"
    assert str(type_of(visit().fields["price"])) == "money"
    assert type_of(visit().fields["clinic"]).form == "unit"


def test_formulas_come_in_the_order_in_which_they_depend(session: Session) -> None:
    document = copy.deepcopy(VISIT)
    document["properties"]["share"]["x-value"] = "IF(price > 100, 0.1, 0)"
    form = read_form(document)
    formulas = formulas_of(form, coming_forms(session))
    order = [step.field for step in formulas.steps]
    assert order.index("share") < order.index("net")
    assert set(order) == {"share", "net", "note"}
    assert [key for key, _ in formulas.defaults] == ["seen_at"]
    net = next(step.value for step in formulas.steps if step.field == "net")
    assert net is not None and net.reads == {"price", "share"}
    env = Env(values={"price": Decimal(200), "share": Decimal("0.1")}, now=datetime.now(UTC))
    assert net.run(env) == Decimal(180)
    assert formulas.required["note"].run(Env(values={"net": Decimal(180)})) is True
    assert [rule.key for rule, _ in formulas.rules] == ["paid"]


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    yield at
    if isinstance(node, dict | list):
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(inner, (*at, key))


PLACES = [at for at in places(VISIT) if at]
SCRAPS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 60),
    st.sampled_from(
        ["", "note", "visit", "colour", "list", "form", "1 +", "net", "choices", "[", "2"]
    ),
    st.text(max_size=6),
    st.just([]),
    st.just({}),
    st.just(["note", "note"]),
    st.just({"source": "fixed", "items": [{"key": "a", "title": "x"}]}),
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), SCRAPS), min_size=1, max_size=3))
def test_no_document_does_worse_than_problems(
    session: Session, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    document: Any = copy.deepcopy(VISIT)
    for place, scrap in changes:
        at = document
        try:
            for part in place[:-1]:
                at = at[part]
            at[place[-1]] = copy.deepcopy(scrap)
        except (KeyError, IndexError, TypeError):
            continue
    for problem in check(session, "form", document):
        assert problem.code.startswith("E_") and problem.path[:1] in ("", "/")
