"""A task's sub-form that begins with a row for each of a list: of another record's rows, or of
several choices."""

from decimal import Decimal
from typing import Any

import make
import pytest
from make import field

from careloom.platform.definitions.check import check
from careloom.platform.definitions.form_scope import published_forms
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import get
from careloom.runtime.flows.read import read_task
from careloom.runtime.flows.uses import uses_of_flow

from ..clinic import LEAD, Clinic, done, flow_of, form, link, listed
from .test_approve import END

Document = dict[str, Any]
PLAN = form(
    "plan",
    {
        "lead": link("Lead", "lead"),
        "items": make.rows(
            {
                "item": field(),
                "name": field(),
                "qty": field("number", x_scale=2),
                "price": field("money"),
                "net": field("money", x_value="qty * price"),
            },
            ["item"],
        ),
        "total": field("money", x_value="SUM(items.net)"),
    },
)
BILL = form(
    "bill",
    {
        "lead": link("Lead", "lead"),
        "lines": make.rows(
            {"item": field(), "amount": field("money"), "whose": field(), "doer": field("person")}
        ),
        "due": field("money", x_value="SUM(lines.amount)"),
    },
)
MAKE_PLAN: Document = {
    "key": "planned",
    "kind": "task",
    "title": "Plan",
    "form": "plan",
    "who": {"role": "supervisor"},
    "prefill": {
        "lead": "this",
        "items": {"each": "wishes", "values": {"item": "value", "qty": "1"}},
    },
}
LINES: Document = {
    "each": "planned.items",
    "values": {"item": "item", "amount": "net", "whose": "name", "doer": "planned.done_by"},
}
PAY: Document = {
    "key": "paid",
    "kind": "task",
    "title": "Pay",
    "form": "bill",
    "who": {"role": "supervisor"},
    "prefill": {"lead": "this", "lines": LINES},
}


@pytest.fixture
def shop(clinic: Clinic) -> Clinic:
    """The clinic with plans and bills, and leads that wish for several things."""
    wishes = field("choices", "Wishes", x_options=make.fixed("crown", "polish"))
    properties = {**LEAD["properties"], "wishes": wishes}
    layout = [{"key": "all", "fields": list(properties)}]
    clinic.publish("form", {**LEAD, "properties": properties, "x-layout": layout})
    clinic.publish("form", PLAN)
    clinic.publish("form", BILL)
    everything = [{"key": "all", "actions": ["read", "create", "change"], "scope": "branch"}]
    forms = {key: everything for key in ("customer", "lead", "call", "plan", "bill")}
    clinic.publish("role", make.role("supervisor", forms))
    return clinic


def begins_with(clinic: Clinic, key: str) -> Any:
    """What that field of the supervisor's task begins with."""
    task = listed(clinic, "sue")[0].id
    with clinic.database.read() as session:
        return read_task(session, clinic.actor("sue"), task).values.get(key)


def record(clinic: Clinic, form_key: str, record_id: int | None) -> dict[str, Any]:
    assert record_id is not None
    with clinic.database.read() as session:
        return dict(get(session, SYSTEM, form_key, record_id).values)


def test_several_choices_become_rows_and_rows_become_rows_of_another_form(shop: Clinic) -> None:
    shop.publish("flow", flow_of(MAKE_PLAN, PAY, END))
    shop.started(wishes=["crown", "polish"])
    wished = begins_with(shop, "items")
    assert [(row["item"], Decimal(row["qty"])) for row in wished] == [("crown", 1), ("polish", 1)]
    items = [
        {"item": "crown", "name": "46", "qty": "2", "price": "900.00"},
        {"item": "polish", "qty": "1", "price": "200.50"},
    ]
    plan = done(shop, "sue", listed(shop, "sue")[0].id, items=items)
    assert record(shop, "plan", plan)["total"] == Decimal("2000.50")
    sue = str(shop.people["sue"])
    # What is blank in a row stays blank, though the lead has a name of its own.
    assert begins_with(shop, "lines") == [
        {"item": "crown", "amount": "1800.00", "whose": "46", "doer": sue},
        {"item": "polish", "amount": "200.50", "doer": sue},
    ]
    bill = record(shop, "bill", done(shop, "sue", listed(shop, "sue")[0].id))
    assert bill["due"] == Decimal("2000.50")


def test_what_the_person_fills_in_takes_the_place_of_all_rows(shop: Clinic) -> None:
    shop.publish("flow", flow_of(MAKE_PLAN, END))
    shop.started(wishes=["crown", "polish"])
    plan = done(shop, "sue", listed(shop, "sue")[0].id, items=[{"item": "veneer"}])
    assert [row["item"] for row in record(shop, "plan", plan)["items"]] == ["veneer"]


def lines(**changed: Any) -> Document:
    return {**PAY, "prefill": {"lead": "this", "lines": {**LINES, **changed}}}


@pytest.mark.parametrize(
    ("pay", "path", "code"),
    [
        (lines(each="name"), "each", "E_TYPE"),
        (lines(values={"item": "item", "amuont": "net"}), "values/amuont", "E_NO_FIELD"),
        (lines(values={"item": "item", "amount": "name"}), "values/amount", "E_FLOW_TYPE"),
        (lines(values={"item": "itme"}), "values/item", "E_NO_NAME_NEAR"),
    ],
)
def test_what_does_not_fit_is_told_in_its_place(
    shop: Clinic, pay: Document, path: str, code: str
) -> None:
    with shop.database.read() as session:
        problems = check(session, "flow", flow_of(MAKE_PLAN, pay, END))
    assert (f"/steps/1/prefill/lines/{path}", code) in [(one.path, one.code) for one in problems]


def test_rows_are_no_value_of_a_plain_field_nor_of_other_rows(shop: Clinic) -> None:
    for prefill in ({"lead": LINES}, {"lead": "this", "lines": "planned.items"}):
        with shop.database.read() as session:
            problems = check(session, "flow", flow_of(MAKE_PLAN, {**PAY, "prefill": prefill}, END))
        assert {one.code for one in problems} & {"E_FIELD_KIND", "E_FLOW_TYPE"}


def test_the_fields_that_rows_are_made_of_are_told_as_used(shop: Clinic) -> None:
    with shop.database.read() as session:
        found = list(uses_of_flow(flow_of(MAKE_PLAN, PAY, END), published_forms(session)))
    used = {(use.key, use.field) for use in found}
    assert {("plan", "items"), ("bill", "lines"), ("lead", "wishes")} <= used
    columns = {(form, field) for form, field in used if field and "." in field}
    plan = {("plan", f"items.{key}") for key in ("item", "qty", "net", "name")}
    bill = {("bill", f"lines.{key}") for key in ("item", "amount", "whose", "doer")}
    assert columns == plan | bill and ("lead", "name") not in used


@pytest.mark.parametrize(
    "step",
    [
        {"key": "say", "kind": "call", "title": "Say", "connection": "his",
         "body": {"rows": {"each": "planned.items", "values": {"whose": "name"}}}},
        {"key": "say", "kind": "notify", "text": "{n}", "customer": "customer",
         "values": {"n": "COUNTIF(planned.items, name = \"46\")"}},
        {"key": "say", "kind": "branch", "cases": [
            {"key": "one", "when": "ANY(planned.items, ISBLANK(name))", "steps": []},
            {"key": "else", "steps": []}]},
    ],
    ids=lambda step: step["kind"],
)  # fmt: skip
def test_a_column_that_a_flow_names_cannot_be_removed(shop: Clinic, step: Document) -> None:
    shop.publish("flow", flow_of(MAKE_PLAN, step, END))
    items = {
        key: its
        for key, its in PLAN["properties"]["items"]["items"]["properties"].items()
        if key != "name"
    }
    shorter = form("plan", {**PLAN["properties"], "items": make.rows(items, ["item"])})
    with shop.database.read() as session:
        (problem,) = check(session, "form", shorter)
    assert problem.code == "E_FIELD_IN_USE" and problem.params["key"] == "follow_up"
    assert problem.path == "/properties/items/items/properties/name"
