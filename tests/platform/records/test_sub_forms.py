"""A sub-form: rows of a table of their own, through the same door as their record."""

from pathlib import Path
from typing import Any

import make
import pytest
from sqlalchemy import text

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.past import history
from careloom.platform.records.submit import change
from careloom.platform.records.take import write_file
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid, Refusal

ROW = {
    "what": make.field("choice", x_options=make.fixed("crown", "cleaning")),
    "quantity": make.field("number", x_default="1", minimum=1),
    "price": make.field("money"),
    "amount": make.field("money", x_value="quantity * price"),
    "note": make.field(x_visible='what = "crown"'),
    "patient": make.link("patient"),
}


def bill(row: dict[str, Any] = ROW, required: tuple[str, ...] = ("what",), **more: Any) -> Any:
    fields = {
        "name": make.field(),
        "items": make.rows(row, required, maxItems=5),
        "total": make.field("money", x_value="SUM(items.amount)"),
        "crowns": make.field("number", x_value='SUMIF(items, what = "crown", quantity)'),
    }
    return make.form("bill", fields | more, ["name"], x_label="name")


@pytest.fixture(autouse=True)
def clinic(database: Database) -> None:
    make.organisation(database)
    make.publish(database, "form", make.form("patient", {"name": make.field()}, x_label="name"))
    make.publish(database, "form", bill())


def told(refusal: pytest.ExceptionInfo[Refusal]) -> dict[str, str]:
    return {problem.path: problem.code for problem in refusal.value.problems}


TWO = [{"what": "crown", "quantity": 2, "price": "100.50"}, {"what": "cleaning", "price": "80"}]


def test_rows_are_kept_in_a_table_of_their_own_and_summed_up(database: Database) -> None:
    made = make.record(database, "bill", name="a", items=TWO)
    assert made.json() == {
        "name": "a",
        "items": [
            {"what": "crown", "quantity": 2, "price": "100.50", "amount": "201.00"},
            {"what": "cleaning", "quantity": 1, "price": "80.00", "amount": "80.00"},
        ],
        "total": "281.00",
        "crowns": 2,
    }
    with database.read() as session:
        rows = session.execute(text("SELECT what, amount FROM form_bill$items ORDER BY _place"))
        assert [tuple(row) for row in rows] == [("crown", 20100), ("cleaning", 8000)]
        assert get(session, SYSTEM, "bill", made.id).json() == made.json()
        (listed,) = list_records(session, SYSTEM, "bill").items
        assert listed.json() == made.json()
        assert list(violations(session)) == []


def test_every_problem_says_its_row(database: Database) -> None:
    patient = make.record(database, "patient", name="p")
    items = [
        {"what": "crown", "quantity": 0, "price": "x"},
        {"what": "bridge", "colour": "A2"},
        {},
        {"price": "1", "patient": str(patient.id + 1)},
    ]
    with pytest.raises(Invalid) as refusal:
        make.record(database, "bill", name="a", items=items)
    assert told(refusal) == {
        "/items/0/quantity": "E_TOO_SMALL",
        "/items/0/price": "E_NOT_NUMBER",
        "/items/1/what": "E_OPTION",
        "/items/1/colour": "E_UNKNOWN_FIELD",
        "/items/2": "E_ROW_BLANK",
        "/items/2/what": "E_REQUIRED",
        "/items/3/what": "E_REQUIRED",
        "/items/3/patient": "E_LINK",
    }


@pytest.mark.parametrize("items", ["x", {"what": "crown"}, ["x"], 7])
def test_what_is_no_table_is_refused(database: Database, items: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        make.record(database, "bill", name="a", items=items)
    assert told(refusal) == {"/items": "E_SHAPE"}


def test_more_rows_than_the_form_allows_are_refused(database: Database) -> None:
    with pytest.raises(Invalid) as refusal:
        make.record(database, "bill", name="a", items=TWO * 3)
    assert told(refusal) == {"/items": "E_ROWS_MOST"}


def test_a_change_replaces_the_rows_and_history_keeps_the_old_ones(database: Database) -> None:
    made = make.record(database, "bill", name="a", items=TWO)
    left = [{**made.json()["items"][1], "price": "90"}]  # computed values may come back
    after = database.write(lambda s: change(s, SYSTEM, "bill", made.id, {"items": left}))
    assert (after.json()["total"], after.json()["crowns"]) == ("90.00", 0)
    same = database.write(lambda s: change(s, SYSTEM, "bill", made.id, {"name": "b"}))
    assert same.json()["items"] == after.json()["items"]
    with database.read() as session:
        lines = history(session, SYSTEM, "bill", made.id)
        assert lines[0].changed == {"name": ("a", "b")}
        assert lines[1].changed["items"] == (made.json()["items"], after.json()["items"])
        assert session.scalar(text("SELECT count(*) FROM form_bill$items")) == 1
    gone = database.write(lambda s: change(s, SYSTEM, "bill", made.id, {"items": None}))
    assert gone.json() == {"name": "b", "total": "0.00", "crowns": 0}


def test_lists_are_filtered_by_rows_in_the_database(database: Database) -> None:
    make.record(database, "bill", name="a", items=TWO)
    make.record(database, "bill", name="b", items=TWO[1:])
    make.record(database, "bill", name="c")
    with database.read() as session:
        for where, names in {
            'ANY(items, what = "crown")': {"a"},
            "SUM(items, quantity * price) > 50": {"a", "b"},
            "COUNT(items) = 0": {"c"},
        }.items():
            found = list_records(session, SYSTEM, "bill", where=where).items
            assert {record.values["name"] for record in found} == names, where


def test_rows_are_as_hidden_as_their_field_on_every_way(database: Database) -> None:
    made = make.record(database, "bill", name="a", items=TWO)
    rules = [make.rule("branch", "read", "change", items="hidden")]
    make.publish(database, "role", make.role("desk", {"bill": rules}))
    desk = make.person(database, "desk", "B1", "desk")
    with database.read() as session:
        assert get(session, desk, "bill", made.id).json() == {"name": "a"}  # no sums of it either
        where = 'ANY(items, what = "crown")'
        assert list_records(session, desk, "bill", where=where).items == []
        assert "items" not in history(session, desk, "bill", made.id)[0].changed
    database.write(lambda s: change(s, desk, "bill", made.id, {"name": "b"}))
    with database.read() as session:
        assert len(get(session, SYSTEM, "bill", made.id).values["items"]) == 2


def test_a_scope_over_rows_says_the_same_in_sql_and_in_python(database: Database) -> None:
    crown = make.record(database, "bill", name="a", items=TWO)
    make.record(database, "bill", name="b", items=TWO[1:])
    scope = {"where": 'ANY(items, what = "crown")', "within": "all"}
    role = make.role("lab", {"bill": [{"key": "k", "scope": scope, "actions": ["read"]}]})
    make.publish(database, "role", role)
    lab = make.person(database, "lab", "B1", "lab")
    with database.read() as session:
        assert [r.id for r in list_records(session, lab, "bill").items] == [crown.id]
        assert get(session, lab, "bill", crown.id).id == crown.id


def test_a_new_version_keeps_every_row_and_child_row(database: Database) -> None:
    made = make.record(database, "bill", name="a", items=TWO)
    wider = ROW | {"price": make.field("money", x_scale=4), "lot": make.field()}
    version = make.publish(database, "form", bill(wider, age=make.field("number")))
    paths = {change.path: change.code for change in version.changes}
    assert paths["/properties/items/items/properties/lot"] == "C_ADD"
    assert paths["/properties/items/items/properties/price"] == "C_RESCALE"
    with database.read() as session:
        now = get(session, SYSTEM, "bill", made.id).json()
        assert [row["price"] for row in now["items"]] == ["100.5000", "80.0000"]
        assert [row["amount"] for row in now["items"]] == ["201.00", "80.00"]
        before = history(session, SYSTEM, "bill", made.id)[0].changed["items"][1]
        assert [row["price"] for row in before] == ["100.5000", "80.0000"]
    make.publish(database, "form", make.form("bill", {"name": make.field()}))
    with database.read() as session:
        assert get(session, SYSTEM, "bill", made.id).json() == {"name": "a"}
    make.publish(database, "form", bill(wider))
    with database.read() as session:
        assert get(session, SYSTEM, "bill", made.id).json()["items"] == now["items"]
        assert list(violations(session)) == []


@pytest.mark.parametrize("field", [make.field(), make.field("choices", x_options=make.fixed("a"))])
def test_a_sub_form_never_becomes_a_column(database: Database, field: Any) -> None:
    changed = bill()
    changed["properties"] |= {"items": field}
    del changed["properties"]["total"], changed["properties"]["crowns"]
    changed["x-layout"][0]["fields"] = list(changed["properties"])
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", changed)
    assert told(refusal) == {"/properties/items/x-widget": "E_COLUMN_CHANGE"}


UNSOUND = {
    "/properties/items/items/properties/x/x-widget": make.rows({"x": make.field("file")}),
    "/properties/items/items/properties/x/x-encrypted": make.rows({"x": make.field("id_card")}),
    "/properties/items/items/properties/x/x-column/unique": make.rows(
        {"x": make.field(x_column={"unique": True})}
    ),
    "/properties/items/items/properties/x/x-value": make.rows({"x": make.field(x_value="y")}),
    "/properties/items/items/x-layout/1": make.rows({"x": make.field()}, x_layout=["x", "y"]),
    "/properties/items/items/required/0": make.rows({"x": make.field()}, ("y",)),
    "/properties/items/x-value": make.rows({"x": make.field()}, x_value="1"),
    "/properties/items/items": make.rows({"x": make.field()}, uniqueItems=True),
}


@pytest.mark.parametrize("path", UNSOUND)
def test_an_unsound_sub_form_is_not_published(database: Database, path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", make.form("other", {"items": UNSOUND[path]}))
    assert path in told(refusal)


def test_an_export_has_a_records_rows_in_one_cell_in_words(
    database: Database, tmp_path: Path
) -> None:
    colours = {"format": 1, "key": "colour", "title": "Colour", "items": []}
    items = [{"key": "a2", "title": {"zh-CN": "象牙白", "en": "Ivory"}}]
    make.publish(database, "list", colours | {"items": items})
    colour = make.field("choice", "Colour", x_options={"source": "list", "list": "colour"})
    row = {"colour": colour, "n": make.field("number", "件数")}
    make.publish(database, "form", make.form("lab", {"items": make.rows(row, title="Items")}))
    make.record(database, "lab", items=[{"colour": "a2", "n": 2}, {"n": 1}])
    file = tmp_path / "lab.csv"
    write_file(database, SYSTEM, "lab", file)
    assert "象牙白 件数 2；件数 1" in file.read_text("utf-8-sig")
