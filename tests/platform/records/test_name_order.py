"""A long list in the order of names is read from an index, not put in order each time."""

from datetime import UTC, datetime
from typing import Any

import make
import pytest
from sqlalchemy import event, text

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import Page, list_records
from careloom.platform.store import jobs
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.found_by import ORDERED
from careloom.platform.store.upgrade import upgrade

NAMES = ("王丽", "方安", "阿宝", "赵一", "范刚")
INDEX = "ix_form_lead__name"
COPIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)",
    "postgresql": "WITH n AS (SELECT i FROM generate_series(1, 2000) AS i)",
}
COLUMNS = "_revision, _version, _unit, _state, _created_at, _updated_at"


@pytest.fixture(autouse=True)
def leads(database: Database) -> None:
    make.organisation(database)
    make.publish(database, "form", make.form("lead", {"name": make.field()}, x_label="name"))
    for name in NAMES:
        make.record(database, "lead", name=name)


def listed(database: Database, sort: str, cursor: str | None = None) -> tuple[Page, list[str]]:
    """A page, and how the database says that it finds it."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, given: Any, _x: Any, _m: Any) -> None:
        if "ORDER BY" in statement:
            asked.append((statement, given))

    word = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
    with database.read() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", note)
        page = list_records(session, SYSTEM, "lead", sort=[sort], limit=3, cursor=cursor)
        event.remove(connection, "before_cursor_execute", note)
        plans = [str(connection.exec_driver_sql(word + s, g).all()) for s, g in asked]
    return page, plans


@pytest.mark.parametrize("sort", ["name", "-name"])
def test_no_page_of_a_long_list_sorts_all_of_it(database: Database, sort: str) -> None:
    def many(session: Any) -> None:
        copied = f"_id + i * 1000000, {COLUMNS}, name || i, _found_by || i"
        session.execute(
            text(
                f"INSERT INTO form_lead (_id, {COLUMNS}, name, _found_by)"
                f" {COPIES[database.dialect]} SELECT {copied} FROM form_lead, n"
            )
        )
        if database.dialect == "postgresql":
            session.execute(text("ANALYZE form_lead"))

    database.write(many)
    first, plans = listed(database, sort)
    second, more = listed(database, sort, first.next)
    for plan in plans + more:
        assert INDEX in plan, plan
        assert "TEMP B-TREE" not in plan and "Sort" not in plan
    names = [record.label for record in (*first.items, *second.items)]
    assert names[0] == ("阿宝" if sort == "name" else "赵一999")
    assert len(set(names)) == 6 and second.next


def test_forms_of_an_older_release_get_it_by_a_job(database: Database, clock: TurnedClock) -> None:
    def as_it_was(session: Any) -> None:
        session.execute(text(f"DROP INDEX {INDEX}"))
        session.execute(text("UPDATE alembic_version SET version_num = '0020'"))

    database.write(as_it_was)
    upgrade(database.url, "0021")
    clock.set(datetime.now(UTC))  # upgrading goes by the machine's own
    jobs.run(database)
    there = "SELECT name FROM sqlite_master"
    if database.dialect == "postgresql":
        there = "SELECT indexname FROM pg_indexes"
    with database.read() as session:
        assert INDEX in session.scalars(text(there)).all()


def test_a_name_of_any_length_has_a_place(database: Database) -> None:
    """No index of PostgreSQL takes more than 2,700 bytes; a name may have more."""
    long = "".join(chr(0x4E00 + at * 7919 % 20000) for at in range(ORDERED * 2))
    make.record(database, "lead", name=long)
    make.record(database, "lead", name=long + "后")
    page, _ = listed(database, "name")
    assert len(page.items) == 3
