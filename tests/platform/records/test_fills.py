"""x-fill: what comes with a choice is copied into what is blank."""

from typing import Any

import make
import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import change
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid, Refusal

PRICES = {
    "format": 1,
    "key": "prices",
    "title": "Prices",
    "items": [
        {"key": "crown", "title": "Crown", "data": {"price": "3800", "minutes": 60}},
        {"key": "exam", "title": "Exam", "data": {"price": 0, "minutes": 30}},
        {"key": "free", "title": "By agreement", "data": {"price": "asked"}},
        {"key": "other", "title": "Other"},
    ],
}
FROM_LIST = {"source": "list", "list": "prices"}
ROW = {
    "what": make.field(
        "choice", x_options=FROM_LIST, x_fill={"from": "what", "map": {"price": "price"}}
    ),
    "quantity": make.field("number", x_default="1"),
    "price": make.field("money"),
    "amount": make.field("money", x_value="quantity * price"),
}


def bill(**more: Any) -> dict[str, Any]:
    fields = {
        "name": make.field(),
        "patient": make.link("patient")
        | {"x-fill": {"from": "patient", "map": {"name": "name", "phone": "phone"}}},
        "phone": make.field("phone"),
        "items": make.rows(ROW, ("what", "price"), maxItems=5),
    }
    return make.form("bill", fields | more, x_label="name")


@pytest.fixture(autouse=True)
def clinic(database: Database) -> None:
    make.organisation(database)
    make.publish(database, "list", PRICES)
    patient = {"name": make.field(), "phone": make.field("phone")}
    make.publish(database, "form", make.form("patient", patient, x_label="name"))
    make.publish(database, "form", bill())


def priced(record: Any) -> list[tuple[str, str]]:
    return [(row["what"], row["price"]) for row in record.json()["items"]]


def test_a_price_comes_with_its_item_and_what_rests_on_it_is_worked_out(database: Database) -> None:
    made = make.record(database, "bill", items=[{"what": "crown", "quantity": 2}, {"what": "exam"}])
    assert priced(made) == [("crown", "3800.00"), ("exam", "0.00")]
    assert made.json()["items"][0]["amount"] == "7600.00"


def test_what_somebody_wrote_stays_also_when_the_list_says_otherwise_later(
    database: Database,
) -> None:
    made = make.record(database, "bill", items=[{"what": "crown", "price": "3500"}])
    assert priced(made) == [("crown", "3500.00")]
    dearer = PRICES | {"items": [{**PRICES["items"][0], "data": {"price": "4200"}}]}
    make.publish(database, "list", dearer | {"items": [*dearer["items"], *PRICES["items"][1:]]})
    rows = [{"what": "crown", "price": "3500"}, {"what": "crown"}]
    changed = database.write(lambda s: change(s, SYSTEM, "bill", made.id, {"items": rows}))
    assert priced(changed) == [("crown", "3500.00"), ("crown", "4200.00")]


def test_what_does_not_come_has_to_be_written(database: Database) -> None:
    with pytest.raises(Invalid) as refusal:
        make.record(database, "bill", items=[{"what": "other"}, {"what": "free"}])
    told = [(problem.path, problem.code) for problem in refusal.value.problems]
    assert ("/items/0/price", "E_REQUIRED") in told
    assert ("/items/1/price", "E_NOT_NUMBER") in told, "what the list says is no price"


def test_a_records_values_come_with_a_link_until_somebody_blanks_them(database: Database) -> None:
    patient = make.record(database, "patient", name="周女士", phone="13800000000")
    items = [{"what": "exam"}]
    made = make.record(database, "bill", patient=str(patient.id), items=items)
    assert (made.json()["name"], made.json()["phone"]) == ("周女士", "13800000000")
    changed = database.write(lambda s: change(s, SYSTEM, "bill", made.id, {"phone": None}))
    assert changed.json().get("phone") is None
    other = make.record(database, "patient", name="李女士", phone="13900000000")
    moved = {"patient": str(other.id)}
    changed = database.write(lambda s: change(s, SYSTEM, "bill", made.id, moved))
    assert (changed.json()["name"], changed.json()["phone"]) == ("周女士", "13900000000")


@pytest.mark.parametrize(
    ("fill", "path", "code"),
    [
        ({"from": "quantity", "map": {"price": "price"}}, "from", "E_FILL_FROM"),
        ({"from": "what", "map": {"prize": "price"}}, "map/prize", "E_NO_FIELD"),
        ({"from": "what", "map": {"amount": "price"}}, "map/amount", "E_NOT_FILLED"),
        ({"from": "what", "map": {"price": "prize"}}, "map/price", "E_NO_DATA"),
    ],
)
def test_one_that_copies_nothing_is_not_published(
    database: Database, fill: dict[str, Any], path: str, code: str
) -> None:
    row = ROW | {"what": make.field("choice", x_options=FROM_LIST, x_fill=fill)}
    with pytest.raises(Refusal) as refusal:
        make.publish(database, "form", bill(items=make.rows(row, ("what",))))
    told = {problem.path: problem.code for problem in refusal.value.problems}
    assert told == {f"/properties/items/items/properties/what/x-fill/{path}": code}
