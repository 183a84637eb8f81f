"""Conditions as people choose them let pass what their words say, and tell nothing more."""

from collections.abc import Iterator

import make
import pytest

from careloom.platform.identity.actor import Actor
from careloom.platform.identity.permissions import access
from careloom.platform.records.lists import list_records
from careloom.platform.records.narrow import Condition, narrowed, operators
from careloom.platform.records.shape import shape_of
from careloom.platform.store.database import Database

FORM = make.form(
    "visit",
    {
        "name": make.field(),
        "note": make.field("longtext"),
        "id_no": make.field("id_card"),
        "kind": make.field("choice", x_options=make.fixed("first", "again")),
        "tags": make.field("choices", x_options=make.fixed("a", "b", "c")),
        "urgent": make.field("yesno"),
        "age": make.field("number"),
        "paid": make.field("money", x_scale=2),
        "off": make.field("percent", x_scale=4),
        "born": make.field("date"),
        "at": make.field("datetime"),
        "hour": make.field("time"),
        "owner": make.field("person"),
        "clinic": make.field("unit"),
        "before": make.link("visit"),
        "papers": make.field("file"),
    },
    x_label="name",
)


@pytest.fixture
def people(database: Database) -> Iterator[dict[str, Actor]]:
    """Three visits: Anna's with everything, Bo's with other things, and Cai's with nothing."""
    units = make.organisation(database)
    make.publish(database, "form", FORM)
    forms = {"visit": [make.rule("all", "read")]}
    make.publish(database, "role", make.role("whole", forms))
    hidden = dict.fromkeys(("kind", "age", "at", "owner", "tags", "id_no"), "hidden")
    part = {"visit": [make.rule("all", "read", note="masked", **hidden)]}
    make.publish(database, "role", make.role("part", part))
    found = {key: make.person(database, key, "B1", key) for key in ("whole", "part")}
    anna = make.record(
        database,
        "visit",
        name="Anna",
        note="50% off",
        id_no="11010519491231002X",
        kind="first",
        tags=["a", "b"],
        urgent=True,
        age=30,
        paid="12.50",
        off="0.1500",
        born="1990-03-02",
        at="2026-03-02T23:30:00+08:00",  # the Monday of the clock's week
        hour="09:30",
        owner=str(found["whole"].person_id),
        clinic=str(units["B1"]),
    )
    make.record(
        database,
        "visit",
        name="Bo",
        note="none",
        kind="again",
        tags=["b"],
        urgent=False,
        age=40,
        paid="99",
        off="0.3",
        born="2000-01-01",
        at="2026-03-03T00:00:00+08:00",
        hour="14:00",
        owner=str(found["part"].person_id),
        clinic=str(units["B2"]),
        before=str(anna.id),
    )
    make.record(database, "visit", name="Cai")
    yield found


def passed(database: Database, actor: Actor, *asks: Condition) -> str:
    """The initials of those that pass."""
    with database.read() as session:
        shape, asked = shape_of(session, "visit"), access(session, actor, "visit")
        clauses = narrowed(session, actor, asked, shape, asks)
        page = list_records(session, actor, "visit", extra=clauses, sort=["id"])
        return "".join(record.values["name"][0] for record in page.items)


CASES = [
    ("name", "has", ["n"], "A"),
    ("name", "begins", ["b"], "B"),
    ("name", "is", ["ANNA"], "A"),
    ("name", "is", ["anna", "cai"], "AC"),
    ("note", "has", ["0%"], "A"),
    ("note", "has", ["_"], ""),
    ("note", "blank", [], "C"),
    ("id_no", "is", ["11010519491231002x"], "A"),
    ("id_no", "is", ["torn"], ""),
    ("id_no", "filled", [], "A"),
    ("kind", "is", ["first"], "A"),
    ("kind", "is", ["first", "again"], "AB"),
    ("kind", "not", ["first"], "BC"),
    ("tags", "is", ["a", "c"], "A"),
    ("tags", "is", ["b"], "AB"),
    ("tags", "not", ["a"], "BC"),
    ("tags", "is", ['x" or true or "y'], ""),
    ("tags", "blank", [], "C"),
    ("urgent", "is", ["true"], "A"),
    ("urgent", "is", ["false"], "B"),
    ("age", "between", ["30", "39"], "A"),
    ("age", "between", ["30.5", ""], "B"),
    ("age", "between", ["", "30"], "A"),
    ("age", "between", ["", ""], ""),
    ("age", "is", ["1e99"], ""),
    ("paid", "is", ["12.5"], "A"),
    ("paid", "is", ["12.505"], ""),
    ("off", "between", ["15", "20"], "A"),
    ("born", "between", ["1990-01-01", "1999-12-31"], "A"),
    ("born", "is", ["2000-01-01"], "B"),
    ("born", "is", ["someday"], ""),
    ("at", "is", ["2026-03-02"], "A"),
    ("at", "today", [], "B"),
    ("at", "yesterday", [], "A"),
    ("at", "this_week", [], "AB"),
    ("at", "last_month", [], ""),
    ("at", "last_7", [], "AB"),
    ("hour", "between", ["09:00", "12:00"], "A"),
    ("owner", "is", ["me"], "A"),
    ("owner", "not", ["me"], "BC"),
    ("owner", "is", ["no number"], ""),
    ("owner", "is", ["9" * 30], ""),
    ("clinic", "is", ["me"], "A"),
    ("before", "filled", [], "B"),
    ("papers", "blank", [], "ABC"),
    ("papers", "has", ["x"], ""),
    ("gone", "is", ["x"], "ABC"),
]


def test_each_operator_lets_pass_what_its_words_say(
    database: Database, people: dict[str, Actor]
) -> None:
    for key, operator, values, expected in CASES:
        found = passed(database, people["whole"], Condition(key, operator, tuple(values)))
        assert found == expected, (key, operator, values)


def test_conditions_hold_together(database: Database, people: dict[str, Actor]) -> None:
    asks = Condition("age", "between", ("", "50")), Condition("urgent", "is", ("false",))
    assert passed(database, people["whole"], *asks) == "B"


def test_no_condition_tells_of_a_field_its_asker_may_not_read(
    database: Database, people: dict[str, Actor]
) -> None:
    with database.read() as session:
        fields = shape_of(session, "visit").form.fields
    for key, operator, values, _ in CASES:
        if key in ("kind", "age", "at", "owner", "tags", "id_no", "note"):
            asks = Condition(key, operator, tuple(values))
            told = passed(database, people["part"], asks)
            everywhere = operator in ("blank", "not") and key in fields
            assert told == ("ABC" if everywhere and key != "id_no" else ""), (key, operator)


def test_every_field_may_be_asked_something() -> None:
    from careloom.platform.definitions.form import read_form

    assert all(operators(its) for its in read_form(FORM).fields.values())
