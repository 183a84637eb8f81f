"""A search finds by name, pinyin, initials, number and last digits, and tells nothing more."""

from collections.abc import Iterator

import make
import pytest
from sqlalchemy import update

from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.records.choices import offer
from careloom.platform.records.lists import list_records
from careloom.platform.records.shape import shape_of
from careloom.platform.records.submit import change
from careloom.platform.store import jobs
from careloom.platform.store.database import Database

CUSTOMER = make.form(
    "customer",
    {
        "name": make.field(),
        "alias": make.field(),
        "mobile": make.field("phone"),
        "no": make.field("serial", x_serial="C{seq:4}"),
    },
    x_label="name",
)
VISIT = make.form("visit", {"customer": make.link("customer"), "room": make.field()})


@pytest.fixture
def people(database: Database) -> Iterator[dict[str, Actor]]:
    """Somebody who reads all, somebody who reads phones masked, and names not at all."""
    make.organisation(database)
    make.publish(database, "form", CUSTOMER)
    make.publish(database, "form", VISIT)
    visits = [make.rule("all", "read")]
    for key, fields in {"whole": {}, "part": {"mobile": "masked", "name": "hidden"}}.items():
        forms = {"customer": [make.rule("all", "read", **fields)], "visit": visits}
        make.publish(database, "role", make.role(key, forms))
    found = make.record(database, "customer", name="周女士", mobile="19900001234")
    make.record(database, "customer", name="曾 小姐", mobile="19900005678")
    make.record(database, "visit", customer=str(found.id), room="A")
    make.record(database, "visit", room="B")
    yield {key: make.person(database, key, "B1", key) for key in ("whole", "part")}


def found(database: Database, actor: Actor, text: str, form: str = "customer") -> list[str]:
    with database.read() as session:
        page = list_records(session, actor, form, search=text, sort=["id"])
        return [str(record.values.get("no") or record.values["room"]) for record in page.items]


@pytest.mark.parametrize("text", ["周", "zhou", "ZNS", "zhou nv", "1234", "19900001234", "c0001"])
def test_a_customer_is_found_by_whatever_is_at_hand(
    database: Database, people: dict[str, Actor], text: str
) -> None:
    assert found(database, people["whole"], text) == ["C0001"]
    with database.read() as session:
        assert len(offer(session, people["whole"], "customer", text)) == 1


def test_a_surname_is_found_by_each_of_its_readings(
    database: Database, people: dict[str, Actor]
) -> None:
    for text in ("zeng", "ceng", "zxj", "曾小姐", "曾 小"):
        assert found(database, people["whole"], text) == ["C0002"], text


def test_no_search_finds_what_its_asker_does_not_see(
    database: Database, people: dict[str, Actor]
) -> None:
    """The last four digits stand in a masked number as well; the fifth does not."""
    for text in ("周", "zhou", "zns", "01234", "19900001234"):
        assert found(database, people["part"], text) == [], text
    assert found(database, people["part"], "1234") == ["C0001"]


def test_a_record_without_a_name_is_found_by_whom_it_is_about(
    database: Database, people: dict[str, Actor]
) -> None:
    assert found(database, people["whole"], "zns", "visit") == ["A"]
    assert found(database, people["part"], "zns", "visit") == []
    assert found(database, people["part"], "1234", "visit") == ["A"]


def test_a_changed_name_is_found_anew(database: Database, people: dict[str, Actor]) -> None:
    with database.read() as session:
        at = list_records(session, SYSTEM, "customer", sort=["id"]).items[0].id
    database.write(lambda session: change(session, SYSTEM, "customer", at, {"name": "吴先生"}))
    assert found(database, people["whole"], "wxs") == ["C0001"]
    assert found(database, people["whole"], "zns") == []


def test_another_label_is_filled_in_by_a_job(database: Database, people: dict[str, Actor]) -> None:
    make.record(database, "customer", name="甲", alias="小周")
    make.publish(database, "form", {**CUSTOMER, "x-label": "alias"})
    jobs.run(database)
    assert found(database, people["whole"], "xz") == ["C0003"]
    assert found(database, people["whole"], "zns") == []


def test_rows_from_before_are_filled_in_by_the_job(
    database: Database, people: dict[str, Actor]
) -> None:
    def forget_all(session: object) -> None:
        table = shape_of(session, "customer").table  # type: ignore[arg-type]
        session.execute(update(table).values(_found_by=None))  # type: ignore[attr-defined]
        jobs.ask(session, "found_by", "customer")  # type: ignore[arg-type]

    database.write(forget_all)
    assert found(database, people["whole"], "zns") == []
    jobs.run(database)
    assert found(database, people["whole"], "zns") == ["C0001"]
