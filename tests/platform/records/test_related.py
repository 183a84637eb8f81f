"""RELATED: what a record says of the records that link to it is counted and summed when read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import make
import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from careloom.platform.definitions.uses import uses_of
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.identity.permissions import access
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.narrow import Condition, narrowed
from careloom.platform.records.shape import shape_of
from careloom.platform.records.submit import change, restore, retire
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid

BILLS = 'RELATED("bill", "guest")'
#: field of a guest -> (its type, its formula)
LIVE = {
    "bills": ("number", f"COUNT({BILLS})"),
    "paid": ("money", f"SUM({BILLS}, paid)"),
    "gold_paid": ("money", f'SUMIF({BILLS}, kind = "gold", paid)'),
    "over": ("number", f"COUNT({BILLS}, paid > parent.limit)"),
    "cost": ("money", f"SUM({BILLS}, article.cost)"),
    "last": ("date", f"MAX({BILLS}, day)"),
    "owing": ("yesno", f"ANY({BILLS}, day < TODAY() and paid = NULL)"),
}
BILL = {
    "guest": make.link("guest"),
    "paid": make.field("money"),
    "kind": make.field(),
    "day": make.field("date"),
    "article": make.link("article"),
    "secret": make.field("number", x_encrypted=True) | {"x-widget": "id_card", "type": "string"},
    "twice": make.field("money", x_value="article.cost * 2"),
    "home": make.field("unit"),
}


def guest(**more: Any) -> make.Json:
    live = {key: make.field(kind, x_value=formula) for key, (kind, formula) in LIVE.items()}
    fields = {"name": make.field(), "limit": make.field("money"), "home": make.field("unit")}
    return make.form("guest", fields | live | more, x_label="name", x_unit="home")


@pytest.fixture(autouse=True)
def at(database: Database, clock: TurnedClock) -> dict[str, int]:
    clock.set(datetime(2026, 3, 3, 8, tzinfo=UTC))
    at = make.organisation(database)
    make.publish(database, "form", make.form("article", {"cost": make.field("money")}))
    make.publish(database, "form", make.form("guest", {"name": make.field()}, x_label="name"))
    make.publish(database, "form", make.form("bill", BILL, x_unit="home"))
    make.publish(database, "form", guest())
    return at


@pytest.fixture
def made(database: Database, at: dict[str, int]) -> dict[str, Any]:
    """A guest with three bills, one of them of another branch; one with one; one with none."""
    article = make.record(database, "article", cost="3.50")
    home = str(at["B1"])
    guests = {
        name: make.record(database, "guest", name=name, limit="10", home=home) for name in "abc"
    }
    found: dict[str, Any] = {**guests, "article": article}
    for name, unit, values in (
        ("a", "B1", {"paid": "10.25", "kind": "gold", "day": "2026-03-01"}),
        ("a", "B1", {"kind": "gold", "day": "2026-03-02", "article": str(article.id)}),
        ("a", "B2", {"paid": "5", "kind": "tin", "day": "2026-03-09", "article": str(article.id)}),
        ("b", "B1", {"paid": "7"}),
    ):
        values |= {"guest": str(guests[name].id), "home": str(at[unit])}
        found[f"{name}{len(found)}"] = make.record(database, "bill", **values)
    return found


def read(database: Database, record: Any, actor: Actor = SYSTEM) -> dict[str, Any]:
    with database.read() as session:
        whole = get(session, actor, "guest", record.id).json()
    return {key: value for key, value in whole.items() if key in LIVE}


def names(database: Database, where: str = "", actor: Actor = SYSTEM, **more: Any) -> list[str]:
    with database.read() as session:
        page = list_records(session, actor, "guest", where=where or None, **more)
        return [record.label for record in page.items]


A = {
    "bills": 3,
    "paid": "15.25",
    "gold_paid": "10.25",
    "over": 1,
    "cost": "7.00",
    "last": "2026-03-09",
    "owing": True,
}
NONE = {"bills": 0, "paid": "0.00", "gold_paid": "0.00", "over": 0, "cost": "0.00", "owing": False}


def test_what_links_here_is_counted_and_summed(database: Database, made: Any) -> None:
    assert read(database, made["a"]) == A
    assert read(database, made["c"]) == NONE
    with database.read() as session:
        page = list_records(session, SYSTEM, "guest", sort=["name"])
        assert [record.json()["bills"] for record in page.items] == [3, 1, 0]
        assert "bills" not in session.execute(text("SELECT * FROM form_guest")).keys()
        assert list(violations(session)) == []


def test_it_follows_what_is_changed_retired_and_restored(database: Database, made: Any) -> None:
    first = made["a4"]
    database.write(lambda s: change(s, SYSTEM, "bill", first.id, {"paid": "9"}))
    assert read(database, made["a"]) == A | {"paid": "14.00", "gold_paid": "9.00", "over": 0}
    database.write(lambda s: retire(s, SYSTEM, "bill", first.id))
    found = read(database, made["a"])
    assert (found["bills"], found["paid"], found["gold_paid"]) == (2, "5.00", "0.00")
    database.write(lambda s: restore(s, SYSTEM, "bill", first.id))
    assert read(database, made["a"])["bills"] == 3
    moved = {"guest": str(made["c"].id)}
    database.write(lambda s: change(s, SYSTEM, "bill", first.id, moved))
    assert (read(database, made["a"])["bills"], read(database, made["c"])["paid"]) == (2, "9.00")


def test_it_is_asked_for_and_put_in_order_like_any_other(database: Database, made: Any) -> None:
    assert names(database, "bills >= 1", sort=["name"]) == ["a", "b"]
    assert names(database, "paid = 7") == ["b"]
    assert names(database, "last = NULL and bills = 0") == ["c"]
    assert names(database, sort=["-paid"]) == ["a", "b", "c"]
    assert names(database, sort=["bills"]) == ["c", "b", "a"]
    with database.read() as session:
        shape, asked = shape_of(session, "guest"), access(session, SYSTEM, "guest")
        asks = [Condition("paid", "between", ("6", "8"))]
        extra = narrowed(session, SYSTEM, asked, shape, asks)
        page = list_records(session, SYSTEM, "guest", extra=extra, count=True)
        assert ([record.label for record in page.items], page.total) == (["b"], 1)


@contextmanager
def asked_of_bills(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """The statements that name the bills, as they are sent meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(conn: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if "form_bill" in statement:
            asked.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def test_a_list_asks_once_for_all_its_rows_and_by_the_link(database: Database, made: Any) -> None:
    with database.read() as session:
        with asked_of_bills(session) as asked:
            list_records(session, SYSTEM, "guest")
        ((statement, parameters),) = asked
        if database.dialect == "sqlite":
            explain = f"EXPLAIN QUERY PLAN {statement}"
            plan = session.connection().exec_driver_sql(explain, parameters).all()
            steps = [str(step) for step in plan if "form_bill" in str(step)]
            assert steps and all("ix_form_bill_guest" in step for step in steps), plan


def test_to_put_a_list_in_order_each_sum_is_worked_out_once(database: Database, made: Any) -> None:
    sums = 2 if database.dialect == "sqlite" else 1  # SQLite's are of upper and lower halves
    with database.read() as session:
        with asked_of_bills(session) as asked:
            page = list_records(session, SYSTEM, "guest", sort=["-paid"], limit=2)
        in_order, _of_the_page = (statement for statement, _ in asked)
        assert in_order.count("FROM form_bill") == sums
        with asked_of_bills(session) as asked:
            last = list_records(session, SYSTEM, "guest", sort=["-paid"], cursor=page.next)
        assert asked[0][0].count("FROM form_bill") == sums
    assert [record.label for record in (*page.items, *last.items)] == ["a", "b", "c"]


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_sum_that_no_number_may_be_is_blank(database: Database, made: Any, sign: str) -> None:
    most = f"{sign}9999999999999999.99"
    make.record(database, "bill", guest=str(made["c"].id), paid=most)
    assert read(database, made["c"])["paid"] == most
    make.record(database, "bill", guest=str(made["c"].id), paid=f"{sign}0.01")
    assert "paid" not in read(database, made["c"])
    for _ in range(12):
        make.record(database, "bill", guest=str(made["c"].id), paid=most)
    assert "paid" not in read(database, made["c"]), "nor one of more than 64 bits"
    assert names(database, sort=["paid"])[-1] == "c"


def test_nobody_learns_of_records_they_may_not_read(
    database: Database, made: Any, at: dict[str, int]
) -> None:
    whole = [make.rule("all", "read")]
    dark = {"bills", "paid", "gold_paid", "over", "cost", "last", "owing"}
    for key, bills, blank, known in (
        ("branch", [make.rule("branch", "read")], {"cost"}, {"bills": 2, "paid": "10.25"}),
        ("none", None, dark, {}),
        ("no_link", [make.rule("all", "read", guest="hidden")], dark, {}),
        (
            "no_paid",
            [make.rule("all", "read", paid="masked")],
            {"paid", "gold_paid", "over", "cost", "owing"},
            {"bills": 3, "last": "2026-03-09"},
        ),
        (
            "no_kind",
            [make.rule("all", "read", kind="hidden")],
            {"gold_paid", "cost"},
            {"paid": "15.25"},
        ),
        (
            "some_paid",
            [make.rule("all", "read", paid="hidden"), make.rule("branch", "read")],
            {"cost"},
            {"bills": 3, "paid": "10.25"},
        ),
    ):
        forms = {"guest": whole} | ({"bill": bills} if bills else {})
        make.publish(database, "role", make.role(key, forms))
        actor = make.person(database, key, "B1", key)
        seen = read(database, made["a"], actor)
        assert LIVE.keys() - seen.keys() == blank, key
        assert {name: seen[name] for name in known} == known, key
        if "paid" in blank:
            assert names(database, "paid > 0", actor) == []
            assert names(database, sort=["-paid", "name"], actor=actor) == ["a", "b", "c"]
        if "bills" in blank:
            assert names(database, "bills > 0 or bills = 0", actor) == []


def test_what_a_hidden_own_field_says_is_not_told(database: Database, made: Any) -> None:
    """As of any computed value; and the value may be hidden itself."""
    whole = [make.rule("all", "read")]
    own = [make.rule("all", "read", limit="hidden", bills="hidden")]
    make.publish(database, "role", make.role("r", {"guest": own, "bill": whole, "article": whole}))
    actor = make.person(database, "reader", "B1", "r")
    seen = read(database, made["a"], actor)
    assert LIVE.keys() - seen.keys() == {"bills", "over"}
    assert (seen["paid"], seen["cost"]) == ("15.25", "7.00")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"x_value": 'COUNT(RELATED("bil", "guest"))'}, "E_LOOKUP_FORM"),
        ({"x_value": 'COUNT(RELATED("bill", "guests"))'}, "E_NO_NAME_NEAR"),
        ({"x_value": 'COUNT(RELATED("bill", "article"))'}, "E_RELATED"),
        ({"x_value": f"SUM({BILLS}, kind)"}, "E_TYPE"),
        ({"x_value": f"SUM({BILLS}, nothing)"}, "E_NO_NAME"),
        ({"x_value": f"COUNT({BILLS}, secret <> NULL)"}, "E_NOT_SQL"),
        ({"x_value": f"SUM({BILLS}, twice)"}, "E_FOLLOWS_LIVE"),
        ({"x_value": f"COUNT({BILLS}, kind = TEXT(ME()))"}, "E_TYPE"),
        ({"x_value": f"IF(ME() = NULL, 1, COUNT({BILLS}))"}, "E_NOT_KEPT"),
        ({"x_value": BILLS}, "E_EXPECT"),
        ({"x_default": f"COUNT({BILLS})"}, "E_RELATED_PLACE"),
        ({"x_visible": f"COUNT({BILLS}) > 1"}, "E_RELATED_PLACE"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_place(
    database: Database, words: dict[str, str], code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        make.publish(database, "form", guest(x=make.field("number", **words)))
    (problem,) = refusal.value.problems
    word = next(iter(words)).replace("_", "-")
    assert (problem.path, problem.code) == (f"/properties/x/{word}", code)


def test_elsewhere_it_is_refused(database: Database) -> None:
    rows = make.rows({"n": make.field("number", x_value=f"COUNT({BILLS})")})
    rule = {"key": "few", "if": f"COUNT({BILLS}) < 3", "message": "Too many"}
    for document, at in (
        (guest(rows=rows), "/properties/rows/items/properties/n/x-value"),
        (guest() | {"x-rules": [rule]}, "/x-rules/0/if"),
    ):
        with pytest.raises(Invalid) as refusal:
            make.publish(database, "form", document)
        found = [(problem.path, problem.code) for problem in refusal.value.problems]
        assert found == [(at, "E_RELATED_PLACE")]
    with pytest.raises(Invalid) as refusal:
        names(database, f"COUNT({BILLS}) > 1")
    assert [problem.code for problem in refusal.value.problems] == ["E_RELATED_PLACE"]


def test_what_it_names_is_known_to_be_used(database: Database) -> None:
    with database.read() as session:
        used = {(use.field, use.path) for use in uses_of(session, "form", "bill")}
    assert {
        ("guest", "/properties/bills/x-value"),
        ("paid", "/properties/paid/x-value"),
        ("kind", "/properties/gold_paid/x-value"),
    } <= used
    for gone in ("guest", "kind"):
        fields = {key: field for key, field in BILL.items() if key != gone}
        with pytest.raises(Invalid) as refusal:
            make.publish(database, "form", make.form("bill", fields, x_unit="home"))
        assert {problem.code for problem in refusal.value.problems} == {"E_FIELD_IN_USE"}


def test_a_form_may_count_its_own_records_and_copy_what_it_is_now(database: Database) -> None:
    fields = {
        "name": make.field(),
        "above": make.link("branch"),
        "below": make.field("number", x_value='COUNT(RELATED("branch", "above"))'),
        "then": make.field("number"),
    }
    fields["above"]["x-fill"] = {"from": "above", "map": {"then": "below"}}
    make.publish(database, "form", make.form("branch", fields, x_label="name"))
    root = make.record(database, "branch", name="root")
    for name, then in (("one", 0), ("two", 1)):
        made = make.record(database, "branch", name=name, above=str(root.id))
        assert made.json()["then"] == then
    with database.read() as session:
        assert get(session, SYSTEM, "branch", root.id).json()["below"] == 2
