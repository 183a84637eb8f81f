"""A value that is unique within a unit, or among the records of one customer, and no further."""

from typing import Any

import make
import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records import submit as submitting
from careloom.platform.records.check import violations
from careloom.platform.records.submit import change, restore, retire
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, Invalid

NUMBER = "110101199003070038"


def chart(unique: Any = ("unit",), **fields: Any) -> make.Json:
    within = list(unique) if isinstance(unique, tuple) else unique
    return make.form(
        "chart",
        {
            "no": make.field(x_column={"unique": within}),
            "unit": make.field("unit"),
            "visit": make.field("date"),
            **fields,
        },
        x_unit="unit",
    )


@pytest.fixture(autouse=True)
def at(database: Database) -> dict[str, str]:
    return {code: str(number) for code, number in make.organisation(database).items()}


def refused(refusal: Any) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in refusal.value.problems]


def test_two_branches_number_their_charts_alike(database: Database, at: dict[str, str]) -> None:
    make.publish(database, "form", chart())
    make.record(database, "chart", no="1", unit=at["B1"])
    make.record(database, "chart", no="1", unit=at["B2"])
    with pytest.raises(Invalid) as refusal:
        make.record(database, "chart", no="1", unit=at["B2"])
    assert refused(refusal) == [("/no", "E_UNIQUE")]


def test_a_record_that_moves_is_compared_where_it_goes(
    database: Database, at: dict[str, str]
) -> None:
    make.publish(database, "form", chart())
    make.record(database, "chart", no="1", unit=at["B1"])
    there = make.record(database, "chart", no="1", unit=at["B2"])
    with pytest.raises(Invalid) as refusal:
        database.write(lambda s: change(s, SYSTEM, "chart", there.id, {"unit": at["B1"]}))
    assert refused(refusal) == [("/no", "E_UNIQUE")]
    database.write(lambda s: change(s, SYSTEM, "chart", there.id, {"unit": at["B1"], "no": "2"}))


def test_a_record_comes_back_where_its_value_is_free(
    database: Database, at: dict[str, str]
) -> None:
    make.publish(database, "form", chart())
    first, second = (make.record(database, "chart", no="1", unit=at[u]) for u in ("B1", "B2"))
    for each in (first, second):
        database.write(lambda s, each=each: retire(s, SYSTEM, "chart", each.id))
    make.record(database, "chart", no="1", unit=at["B1"])
    database.write(lambda s: restore(s, SYSTEM, "chart", second.id))
    with pytest.raises(Conflict):
        database.write(lambda s: restore(s, SYSTEM, "chart", first.id))


def test_the_index_has_the_last_word(
    database: Database, at: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make.publish(database, "form", chart())
    make.record(database, "chart", no="1", unit=at["B1"])
    monkeypatch.setattr(submitting, "unique_problems", lambda *_: [])
    make.record(database, "chart", no="1", unit=at["B2"])
    with pytest.raises(Conflict) as refusal:
        make.record(database, "chart", no="1", unit=at["B1"])
    assert refusal.value.code == "E_UNIQUE"


def test_it_is_unique_among_those_that_agree_in_all_it_names(
    database: Database, at: dict[str, str]
) -> None:
    make.publish(database, "form", chart(("unit", "visit")))
    day = {"no": "1", "unit": at["B1"], "visit": "2026-03-03"}
    make.record(database, "chart", **day)
    make.record(database, "chart", **day | {"visit": "2026-03-04"})
    with pytest.raises(Invalid):
        make.record(database, "chart", **day)


def test_where_what_it_names_is_blank_nothing_is_compared(database: Database) -> None:
    make.publish(database, "form", chart(("visit",)))
    for _ in range(2):
        make.record(database, "chart", no="1")


def test_an_encrypted_value_is_unique_within_a_unit_too(
    database: Database, at: dict[str, str]
) -> None:
    id_no = make.field("id_card", x_column={"unique": ["unit"]})
    make.publish(database, "form", chart(id_no=id_no))
    make.record(database, "chart", id_no=NUMBER, unit=at["B1"])
    make.record(database, "chart", id_no=NUMBER, unit=at["B2"])
    with pytest.raises(Invalid) as refusal:
        make.record(database, "chart", id_no=NUMBER, unit=at["B1"])
    assert refused(refusal) == [("/id_no", "E_UNIQUE")]


def test_a_later_version_may_ask_less_and_asks_more_only_where_it_holds(
    database: Database, at: dict[str, str]
) -> None:
    make.publish(database, "form", chart(True))
    make.record(database, "chart", no="1", unit=at["B1"])
    with pytest.raises(Invalid):
        make.record(database, "chart", no="1", unit=at["B2"])
    make.publish(database, "form", chart())
    make.record(database, "chart", no="1", unit=at["B2"])
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", chart(True))
    assert refused(refusal) == [("/properties/no/x-column", "E_NOT_UNIQUE_YET")]
    with database.read() as session:
        assert list(violations(session)) == []


@pytest.mark.parametrize(
    ("unique", "fields", "code"),
    [
        (("nobody",), {}, "E_NO_FIELD"),
        (("no",), {}, "E_UNIQUE_WITHIN"),
        (("tags",), {"tags": make.field("choices", x_options=make.fixed("a"))}, "E_UNIQUE_WITHIN"),
        (("secret",), {"secret": make.field(x_encrypted=True)}, "E_UNIQUE_WITHIN"),
    ],
)
def test_what_it_is_unique_within_is_a_field_of_one_plain_value(
    database: Database, unique: tuple[str, ...], fields: make.Json, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", chart(unique, **fields))
    assert refused(refusal) == [("/properties/no/x-column/unique/0", code)]


def test_unit_is_the_records_own_and_no_other_field(database: Database) -> None:
    document = chart()
    del document["x-unit"]
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", document)
    assert refused(refusal) == [("/properties/no/x-column/unique/0", "E_UNIQUE_WITHIN")]


def test_what_it_is_unique_within_may_come_with_the_same_version(database: Database) -> None:
    """The index is made once every column is there, whatever their order."""
    document = chart()
    del document["properties"]["visit"]
    document["x-layout"][0]["fields"].remove("visit")
    make.publish(database, "form", document)
    make.publish(database, "form", chart(("unit", "visit")))


# --- within a record, among its sub-form's rows -------------------------------------------------


def bill(unique: Any = ("parent",), *, more: bool = True) -> make.Json:
    within = list(unique) if isinstance(unique, tuple) else unique
    row = {
        "tooth": make.field(**({"x_column": {"unique": within}} if unique else {})),
        "price": make.field("money"),
        **({"kind": make.field()} if more else {}),
    }
    return make.form("bill", {"name": make.field(), "items": make.rows(row)}, x_label="name")


def teeth(*names: str | None, kind: str = "") -> list[make.Json]:
    extra = {"kind": kind} if kind else {}
    return [{"price": "1", **extra, **({"tooth": name} if name else {})} for name in names]


def test_a_rows_value_stands_once_in_its_record(database: Database) -> None:
    make.publish(database, "form", bill())
    first = make.record(database, "bill", name="a", items=teeth("11", "12", None, None))
    make.record(database, "bill", name="b", items=teeth("11"))
    with pytest.raises(Invalid) as refusal:
        make.record(database, "bill", name="c", items=teeth("11", "12", "11", " 12 "))
    assert refused(refusal) == [
        ("/items/2/tooth", "E_UNIQUE_ROW"),
        ("/items/3/tooth", "E_UNIQUE_ROW"),
    ]
    assert [problem.params["row"] for problem in refusal.value.problems] == [1, 2]
    with pytest.raises(Invalid):
        database.write(lambda s: change(s, SYSTEM, "bill", first.id, {"items": teeth("12", "12")}))
    # rows change places: what each had is compared with what the others have now
    database.write(lambda s: change(s, SYSTEM, "bill", first.id, {"items": teeth("12", "11")}))
    database.write(lambda s: retire(s, SYSTEM, "bill", first.id))
    database.write(lambda s: restore(s, SYSTEM, "bill", first.id))
    with database.read() as session:
        assert list(violations(session)) == []


def test_rows_are_told_apart_by_further_fields(database: Database) -> None:
    make.publish(database, "form", bill(("parent", "kind")))
    make.record(database, "bill", items=[*teeth("11", kind="a"), *teeth("11", kind="b")])
    make.record(database, "bill", items=[*teeth("11", "11"), *teeth("11", kind="b")])
    with pytest.raises(Invalid) as refusal:
        make.record(database, "bill", items=teeth("11", "12", "11", kind="b"))
    assert refused(refusal) == [("/items/2/tooth", "E_UNIQUE_ROW")]


def test_the_rows_index_has_the_last_word(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it came to be written, it is a refusal and no fault of ours."""
    make.publish(database, "form", bill())
    monkeypatch.setattr(submitting, "unique_problems", lambda *_: [])
    there = make.record(database, "bill", items=teeth("11"))
    with pytest.raises(Conflict) as refusal:
        make.record(database, "bill", items=teeth("11", "11"))
    assert refusal.value.code == "E_UNIQUE"
    with pytest.raises(Conflict):
        database.write(lambda s: change(s, SYSTEM, "bill", there.id, {"items": teeth("1", "1")}))


def test_rows_there_are_decide_whether_a_later_version_may_ask_it(database: Database) -> None:
    make.publish(database, "form", bill(None, more=False))
    there = make.record(database, "bill", items=teeth("11", "11"))
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", bill())
    place = "/properties/items/items/properties/tooth/x-column"
    assert refused(refusal) == [(place, "E_NOT_UNIQUE_YET")]
    make.publish(database, "form", bill(("parent", "kind")))  # blank kinds are not compared
    database.write(lambda s: change(s, SYSTEM, "bill", there.id, {"items": teeth("11")}))
    make.publish(database, "form", bill())
    with pytest.raises(Invalid):
        make.record(database, "bill", items=teeth("11", "11"))


@pytest.mark.parametrize(
    ("unique", "at", "code"),
    [
        (True, "", "E_ROWS_UNIQUE"),
        (("kind",), "", "E_ROWS_UNIQUE"),
        (("parent", "unit"), "/1", "E_UNIQUE_WITHIN"),
        (("parent", "tooth"), "/1", "E_UNIQUE_WITHIN"),
        (("parent", "nobody"), "/1", "E_NO_FIELD"),
    ],
)
def test_of_a_row_it_says_within_its_record(
    database: Database, unique: Any, at: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", bill(unique))
    place = "/properties/items/items/properties/tooth/x-column/unique"
    assert refused(refusal) == [(place + at, code)]


def test_parent_means_nothing_outside_a_sub_form(database: Database) -> None:
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", chart(("parent",)))
    assert refused(refusal) == [("/properties/no/x-column/unique/0", "E_UNIQUE_WITHIN")]
