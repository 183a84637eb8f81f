"""Publishing while people write: nobody's record is lost, and each is valid for its version."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import make
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.check import violations
from careloom.platform.records.past import history
from careloom.platform.records.record import Record
from careloom.platform.records.shape import shape_of, steady
from careloom.platform.records.submit import change, submit
from careloom.platform.records.validate import required_problems, schema_problems
from careloom.platform.store import database as door
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Unavailable
from careloom.platform.store.history import RecordHistory
from careloom.platform.store.session import epoch

WRITERS, EACH = 50, 3
PLAIN: dict[str, Any] = {"name": make.field(), "price": make.field("money", x_scale=2)}
COUNTED = PLAIN | {"count": make.field("number", x_default="1")}
FINER = COUNTED | {"price": make.field("money", x_scale=4)}
TWICE = FINER | {"double": make.field("money", x_scale=4, x_value="price * 2")}
VERSIONS = (
    make.form("thing", PLAIN, ["name"]),
    make.form("thing", COUNTED, ["name"]),
    make.form("thing", FINER, ["name"]),
    make.form("thing", TWICE, ["name"]),
    make.form("thing", FINER, ["name"]),
)


def begin(database: Database) -> Database:
    """The first version in force."""
    make.organisation(database)
    make.publish(database, "form", VERSIONS[0])
    return database


@pytest.fixture
def clinic(database: Database) -> Database:
    return begin(database)


@pytest.fixture
def shared_clinic(postgresql_url: str, tmp_path: Path) -> Iterator[Database]:
    """On PostgreSQL alone, where deeds do not take turns."""
    opened = door.open_database(postgresql_url, tmp_path)
    yield begin(opened)
    opened.close()


def test_fifty_writers_lose_nothing_while_versions_are_published(clinic: Database) -> None:
    database = clinic
    begun = threading.Barrier(WRITERS + 1, timeout=60)

    def write(writer: int) -> None:
        begun.wait()
        for number in range(EACH):
            values = {"name": f"{writer}.{number}", "price": f"{writer}.25"}
            made = make.record(database, "thing", **values)
            again = {"price": f"{writer}.50"}
            database.write(lambda s, id=made.id, new=again: change(s, SYSTEM, "thing", id, new))

    def publish() -> None:
        begun.wait()
        for version in VERSIONS[1:]:
            make.publish(database, "form", version)

    with ThreadPoolExecutor(WRITERS + 1) as threads:
        waiting = [threads.submit(write, writer) for writer in range(WRITERS)]
        waiting.append(threads.submit(publish))
        for each in waiting:
            each.result()

    with database.read() as session:
        shape = shape_of(session, "thing")
        assert shape.form.version == len(VERSIONS)
        rows = [dict(row) for row in session.execute(select(shape.table)).mappings()]
        values = {row["_id"]: shape.to_values(row) for row in rows}
        names = {f"{writer}.{number}" for writer in range(WRITERS) for number in range(EACH)}
        assert {each["name"] for each in values.values()} == names
        for each in values.values():
            assert each["price"] == Decimal(each["name"].partition(".")[0]) + Decimal("0.5")
        for line in session.scalars(select(RecordHistory)):
            form = shape_of(session, "thing", line.version).form
            kept = shape_of(session, "thing", line.version).from_history(line.kept)
            assert schema_problems(form, kept) == [] == required_problems(form, kept, {})
            if line.action == "submit":
                assert (kept.get("count") == 1) == (line.version > 1)
            assert (kept.get("double") == kept["price"] * 2) == (line.version == 4)
        assert list(violations(session)) == []


def test_what_began_by_an_older_version_is_carried_out_again(shared_clinic: Database) -> None:
    """Between a writer's reading of the form and its row, another version comes in force."""
    database = shared_clinic
    seen = []

    def deed(session: Any) -> Any:
        shape = shape_of(session, "thing")
        seen.append(shape.form.version)
        if len(seen) == 1:
            publisher = threading.Thread(
                target=lambda: [make.publish(database, "form", each) for each in VERSIONS[1:3]]
            )
            publisher.start()
            publisher.join()
        steady(session, shape.form.key)
        return submit(session, SYSTEM, "thing", {"name": "a", "price": "1.50"})

    made = database.write(deed)
    assert seen == [1, 3]
    assert (made.version, made.json()["price"]) == (3, "1.5000")


@pytest.mark.parametrize("grants", [1, 2, door.RETRIES + 1])
def test_a_grant_meanwhile_ends_in_one_record_or_in_none(
    shared_clinic: Database, grants: int
) -> None:
    """A grant moves the epoch too; one may come between each beginning of a deed and its rows."""
    database = shared_clinic
    begun = []

    def deed(session: Session) -> Record:
        begun.append(epoch(session))
        if len(begun) <= grants:
            others = threading.Thread(target=make.person, args=(database, f"p{len(begun)}", "B1"))
            others.start()
            others.join()
        return submit(session, SYSTEM, "thing", {"name": "a"})

    if grants <= door.RETRIES:
        assert database.write(deed).revision == 1
    else:
        with pytest.raises(Unavailable):
            database.write(deed)
    assert len(set(begun)) == len(begun) == min(grants, door.RETRIES) + 1
    with database.read() as session:
        table = shape_of(session, "thing").table
        written = session.scalar(select(func.count()).select_from(table))
    assert written == (grants <= door.RETRIES)


def test_a_publishing_that_cannot_have_the_table_soon_says_so(
    shared_clinic: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the table for long: writers go on, and the publisher is told to come again."""
    monkeypatch.setattr(door, "RETRIES", 1)
    database = shared_clinic
    with database.read() as report:
        report.execute(text("SELECT count(*) FROM form_thing"))
        with pytest.raises(Unavailable, match="E_BUSY"):
            make.publish(database, "form", VERSIONS[1])
        make.record(database, "thing", name="b")
    make.publish(database, "form", VERSIONS[1])
    assert make.record(database, "thing", name="c").values["count"] == 1


def test_holding_a_form_steady_costs_its_readers_nothing(clinic: Database) -> None:
    with clinic.read() as session:
        shape = shape_of(session, "thing")
        make.publish(clinic, "form", VERSIONS[1])
        steady(session, shape.form.key)


def test_more_decimals_leave_the_history_as_it_was(clinic: Database) -> None:
    database = clinic
    whole = make.form("bill", {"amount": make.field("number")})
    make.publish(database, "form", whole)
    made = make.record(database, "bill", amount=3)
    make.publish(database, "form", make.form("bill", {"amount": make.field("money", x_scale=2)}))
    database.write(lambda s: change(s, SYSTEM, "bill", made.id, {"amount": "3.50"}))
    with database.read() as session:
        lines = history(session, SYSTEM, "bill", made.id)
    assert [line.changed["amount"] for line in lines] == [("3.00", "3.50"), (None, "3.00")]
