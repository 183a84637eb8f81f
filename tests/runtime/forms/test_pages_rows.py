"""A sub-form's rows on a form's pages, as a browser without script sends them."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import make
import pytest
from visitors import Site, Visitor, build
from werkzeug.test import TestResponse

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import list_records
from careloom.platform.records.submit import submit
from careloom.platform.store.database import Database
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.flows.cards import subject_of
from careloom.runtime.forms.pages import reader_of

BILL = make.form(
    "bill",
    {
        "name": make.field(title="Name"),
        "items": make.rows(
            {
                "what": make.field("choice", "What", x_options=make.fixed("crown", "cleaning")),
                "price": make.field("money", "Price"),
                "twice": make.field("money", "Twice", x_value="price * 2"),
            },
            ["what"],
            title="Items",
            maxItems=3,
        ),
        "total": make.field("money", "Total", x_value="SUM(items.price)"),
    },
    ["name"],
    x_label="name",
)
NEW = "/records/bill/new"


@pytest.fixture
def clinic(sqlite: Database, tmp_path: Path) -> Site:
    settings = settings_from({"CARELOOM_HOME": str(tmp_path / "home"), "CARELOOM_LANGUAGE": "en"})
    site = build(sqlite, settings)
    make.publish(sqlite, "form", BILL)
    site.role("desk", bill=[make.rule("branch", "read", "create", "change")])
    return Site(create_app(sqlite, settings), sqlite, site.at)


@pytest.fixture
def ann(clinic: Site) -> Visitor:
    clinic.person("ann", "B1", "desk")
    made = clinic.visitor()
    made.client.set_cookie("careloom_language", "en")
    assert made.sign_in("ann").status_code == 303
    return made


def send(ann: Visitor, path: str, **values: Any) -> TestResponse:
    given = {name.replace("__", "."): value for name, value in values.items()}
    return ann.client.post(path, data={"csrf": ann.csrf(path), **given})


def rows(answer: TestResponse) -> list[str]:
    """The names of the inputs that the page offers for prices, but for the blank row's."""
    return re.findall(r'name="(items\.\d+\.price)"', answer.text)


def test_a_new_form_has_one_row_and_a_row_more_is_one_button_away(ann: Visitor) -> None:
    page = ann.client.get(NEW)
    assert rows(page) == ["items.0.price"] and "Add a row" in page.text
    more = send(ann, NEW, name="a", items__0__price="5", **{"items._rows": 1}, _add="items")
    assert more.status_code == 200 and rows(more) == ["items.0.price", "items.1.price"]
    assert 'value="5"' in more.text and 'value="a"' in more.text
    less = send(
        ann,
        NEW,
        items__0__price="5",
        items__1__price="7",
        **{"items._rows": 2},
        _remove="items.0",
    )
    assert rows(less) == ["items.0.price"] and 'value="7"' in less.text
    full = send(ann, NEW, **{"items._rows": 3}, _add="items")
    assert len(rows(full)) == 3


def test_rows_are_saved_read_and_changed_and_blank_ones_left_out(
    ann: Visitor, clinic: Site
) -> None:
    made = send(
        ann,
        NEW,
        name="a",
        items__0__what="crown",
        items__0__price="5",
        items__2__what="cleaning",
        items__2__price="7",
        **{"items._rows": 3},
    )
    assert made.status_code == 303, made.text
    with clinic.database.read() as session:
        (record,) = list_records(session, SYSTEM, "bill").items
    assert record.json()["items"] == [
        {"what": "crown", "price": "5.00", "twice": "10.00"},
        {"what": "cleaning", "price": "7.00", "twice": "14.00"},
    ]
    place = made.headers["Location"]
    shown = ann.client.get(place).text
    for words in ("Items", "crown", "cleaning", "7.00", "12.00"):
        assert words in shown
    edit = ann.client.get(f"{place}/edit")
    assert rows(edit) == ["items.0.price", "items.1.price"]
    revision = re.search(r'name="_revision" value="(\d+)"', edit.text)
    assert revision
    gone = send(ann, f"{place}/edit", name="a", _revision=revision[1], **{"items._rows": 0})
    assert gone.status_code == 303
    with clinic.database.read() as session:
        (record,) = list_records(session, SYSTEM, "bill").items
    assert "items" not in record.values


def test_a_problem_stands_at_its_cell_and_names_its_row(ann: Visitor) -> None:
    answer = send(
        ann,
        NEW,
        name="a",
        items__0__what="crown",
        items__2__price="cheap",
        **{"items._rows": 3},
    )
    assert answer.status_code == 422
    assert rows(answer) == ["items.0.price", "items.1.price"]  # the blank one between is gone
    assert 'href="#f-items.1.price"' in answer.text and 'href="#f-items.1.what"' in answer.text
    assert "Items row 2 Price" in answer.text
    assert re.search(r'name="items\.1\.price"[^>]*aria-invalid="true"', answer.text)
    assert 'value="cheap"' in answer.text


def test_a_price_comes_with_its_item_with_script_and_without(ann: Visitor, clinic: Site) -> None:
    items = [{"key": "crown", "title": "Crown", "data": {"price": "3800"}}]
    prices = {"format": 1, "key": "prices", "title": "Prices", "items": items}
    make.publish(clinic.database, "list", prices)
    what = make.field(
        "choice",
        x_options={"source": "list", "list": "prices"},
        x_fill={"from": "what", "map": {"price": "price"}},
    )
    row = make.rows({"what": what, "price": make.field("money")}, ["what", "price"])
    make.publish(
        clinic.database, "form", {**BILL, "properties": {**BILL["properties"], "items": row}}
    )
    told = re.search(r'id="behaviour"[^>]*>(.*?)</script>', ann.client.get(NEW).text, re.DOTALL)
    assert told is not None
    assert json.loads(told[1])["fills"] == {"items.what": {"crown": {"price": "3800.00"}}}
    made = send(ann, NEW, name="a", items__0__what="crown", **{"items._rows": 1})
    assert made.status_code == 303
    with clinic.database.read() as session:
        (record,) = list_records(session, SYSTEM, "bill").items
    assert record.json()["items"] == [{"what": "crown", "price": "3800.00"}]


def test_whoever_approves_sees_rows_as_rows(clinic: Site) -> None:
    given = {"name": "a", "items": [{"what": "crown", "price": "5"}]}
    made = clinic.database.write(lambda session: submit(session, SYSTEM, "bill", given))
    hidden = replace(made, rights={**made.rights, "items": "masked"})
    with clinic.app.test_request_context(), clinic.database.read() as session:
        reader = reader_of(session, SYSTEM)
        seen, masked = (subject_of(reader, one, most=None) for one in (made, hidden))
    (items,) = [fact for fact in seen.facts if fact.title == "Items"]
    assert [[cell.shown for cell in row] for row in items.rows] == [["crown", "¥5.00", "¥10.00"]]
    assert not any(fact.rows for fact in masked.facts)
