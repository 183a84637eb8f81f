"""LOOKUP finds a record of another form: in rules, defaults, visibility, filters and scopes."""

from typing import Any

import make
import pytest

from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.records.lists import list_records
from careloom.platform.records.submit import change, retire
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid

PRICE = {"item": make.field(), "kind": make.field(), "price": make.field("money")}
SALE = {
    "item": make.field(),
    "least": make.field("money", x_default='LOOKUP("price", item = parent.item, price)'),
    "why": make.field(x_visible='LOOKUP("price", item = parent.item, kind) = "rare"'),
    "paid": make.field("money"),
    "limit": make.field("money", x_default='LOOKUP("price", kind = "limit" and price > 5, price)'),
}
RULE = {
    "key": "enough",
    "if": 'paid = NULL or paid >= LOOKUP("price", UPPER(item) = UPPER(parent.item & ""), price)',
    "message": "Too little",
    "field": "paid",
}


@pytest.fixture(autouse=True)
def forms(database: Database) -> dict[str, Any]:
    make.organisation(database)
    make.publish(database, "form", make.form("price", PRICE))
    make.publish(database, "form", make.form("sale", SALE, x_rules=[RULE]))
    return {
        name: make.record(database, "price", item=name, kind=kind, price=price)
        for name, kind, price in (
            ("crown", "usual", "800"),
            ("veneer", "rare", "1200"),
            ("low", "limit", "5"),
            ("high", "limit", "9.50"),
            ("higher", "limit", "20"),
        )
    }


def sale(database: Database, actor: Actor = SYSTEM, **values: Any) -> dict[str, Any]:
    return make.record(database, "sale", actor, **values).json()


def test_it_stands_in_defaults_visibility_and_rules(database: Database) -> None:
    made = sale(database, item="crown", why="gone", paid="800")
    assert made == {"item": "crown", "least": "800.00", "paid": "800.00", "limit": "9.50"}
    assert sale(database, item="veneer", why="kept")["why"] == "kept"
    assert "least" not in sale(database, item="nothing")
    with pytest.raises(Invalid) as refusal:
        sale(database, item="crown", paid="799.99")
    assert [problem.path for problem in refusal.value.problems] == ["/paid"]


def test_it_finds_what_is_in_use_now(database: Database, forms: Any) -> None:
    database.write(lambda s: change(s, SYSTEM, "price", forms["crown"].id, {"price": "700"}))
    assert sale(database, item="crown")["least"] == "700.00"
    database.write(lambda s: retire(s, SYSTEM, "price", forms["high"].id))
    assert sale(database, item="crown")["limit"] == "20.00"


def test_it_finds_nothing_that_its_asker_may_not_read(database: Database) -> None:
    whole = [make.rule("all", "read", "create")]
    hidden = [make.rule("all", "read", price="hidden")]
    for key, prices in (("no_price", hidden), ("no_prices", None)):
        forms = {"sale": whole} | ({"price": prices} if prices else {})
        make.publish(database, "role", make.role(key, forms))
        actor = make.person(database, key, "B1", key)
        made = sale(database, actor, item="crown")
        assert "least" not in made and "limit" not in made


def test_a_filter_and_a_scope_ask_it(database: Database) -> None:
    for item, paid in (("crown", "800"), ("veneer", "1300")):
        sale(database, item=item, paid=paid)
    where = 'paid > LOOKUP("price", item = "crown", price)'
    with database.read() as session:
        assert [
            r.values["item"] for r in list_records(session, SYSTEM, "sale", where=where).items
        ] == ["veneer"]
    rule = make.rule("all", "read") | {"scope": {"within": "all", "where": where}}
    make.publish(database, "role", make.role("some", {"sale": [rule]}))
    some = make.person(database, "some", "B1", "some")
    with database.read() as session:
        assert [r.values["item"] for r in list_records(session, some, "sale").items] == ["veneer"]


def test_what_no_database_can_be_asked_is_refused_when_it_is_published(database: Database) -> None:
    secret = {"id_no": make.field("id_card"), "level": make.field()}
    make.publish(database, "form", make.form("secret", secret))
    fields = {
        "id_no": make.field(),
        "level": make.field(x_default='LOOKUP("secret", id_no = parent.id_no, level)'),
    }
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", make.form("asks", fields))
    found = [(problem.path, problem.code) for problem in refusal.value.problems]
    assert found == [("/properties/level/x-default", "E_NOT_SQL")]


def test_so_many_rows_do_not_ask_the_database_each(database: Database) -> None:
    rows = make.rows({"item": make.field()}, maxItems=200)
    total = make.field("money", x_default='SUM(items, LOOKUP("price", item = parent.item, price))')
    make.publish(database, "form", make.form("basket", {"items": rows, "total": total}))
    made = make.record(database, "basket", items=[{"item": "crown"}] * 20)
    assert made.json()["total"] == "16000.00"
    with pytest.raises(Invalid) as refusal:
        make.record(database, "basket", items=[{"item": "crown"}] * 199)
    assert [problem.code for problem in refusal.value.problems] == ["E_STEPS"]
