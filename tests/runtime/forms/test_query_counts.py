"""A page of a list asks the database as often for many rows as for few, whoever asks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from served import Client, Site
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.tree import unit_by_code
from careloom.platform.records.submit import submit

CLIENT = {
    "kind": "person",
    "gender": "female",
    "first_channel": "walk_in",
    "first_touch_at": "2026-03-01T10:00",
    "owner_channel": "walk_in",
    "lifecycle_stage": "lead",
}


def book(site: Site, count: int) -> None:
    """Customers of branch 1 who come today."""

    def deed(session: Session) -> None:
        clinic = str(unit_by_code(session, "R1-B01").id)
        for number in range(count):
            given = {**CLIENT, "name": f"客户{number}", "mobile": f"199{number:08d}"}
            customer = submit(session, SYSTEM, "customer_profile", {**given, "home_clinic": clinic})
            visit = {
                "customer": str(customer.id),
                "appt_type": "first_visit",
                "clinic": clinic,
                "dept": "den_general",
                "items": ["den_exam_first"],
                "start_at": "2026-03-03T14:30",
            }
            submit(session, SYSTEM, "appointment", visit)

    site.database.write(deed)


@contextmanager
def asked() -> Iterator[list[str]]:
    """What SQLite is asked meanwhile, also past SQLAlchemy."""
    found: list[str] = []
    traced: list[Any] = []

    def trace(connection: Any, *_: Any) -> None:
        traced.append(connection)
        connection.set_trace_callback(found.append)

    event.listen(Pool, "checkout", trace)
    try:
        yield found
    finally:
        event.remove(Pool, "checkout", trace)
        for connection in traced:
            connection.set_trace_callback(None)


def cost(client: Client, path: str, row: str = r"客户\d") -> tuple[int, int]:
    """How many rows the page has, and how many statements it took."""
    client.get(path)  # what is kept in memory is there
    with asked() as found:
        answer = client.get(path)
    assert answer.status == 200
    return len(re.findall(row, answer.text)), len(found)


@pytest.mark.parametrize("login", ["nurse", "desk"])
def test_a_list_of_many_asks_no_more_than_one_of_few(site: Site, login: str) -> None:
    client = site.client(login)
    paths = ("/records/appointment", "/records/customer_profile")
    book(site, 2)
    few = [cost(client, path) for path in paths]
    book(site, 8)
    many = [cost(client, path) for path in paths]
    assert all(rows > before for (before, _), (rows, _) in zip(few, many, strict=True))
    assert [statements for _, statements in many] == [statements for _, statements in few]


def test_a_long_work_list_asks_no_more_than_a_short_one(site: Site) -> None:
    client = site.client("agent")
    site.bring_leads(12)
    few, before = cost(client, "/", "task-link")
    site.bring_leads(24)
    many, after = cost(client, "/", "task-link")
    assert many > few > 1
    assert after == before
