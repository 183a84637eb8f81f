"""The work list: the soonest due first, a page at a time, and only what the reader may know."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import insert

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Malformed
from careloom.platform.store.session import moment, new_id
from careloom.runtime.tasks.model import task_actors, tasks
from careloom.runtime.tasks.worklist import worklist
from careloom.runtime.work.dispatch import drain

from ..clinic import Clinic


def pages(clinic: Clinic, login: str, limit: int) -> list[list[str | None]]:
    actor = clinic.actor(login)
    found: list[list[str | None]] = []
    cursor: str | None = None
    with clinic.database.read() as session:
        while True:
            page = worklist(session, actor, limit, cursor)
            found.append([task.label for task in page.items])
            cursor = page.next
            if cursor is None:
                return found


def test_the_soonest_due_comes_first_and_pages_join(clinic: Clinic, clock: TurnedClock) -> None:
    for number in range(5):
        clinic.lead(f"客户{number}", clinic=str(clinic.units["two"]))
        drain(clinic.database)
        clock.turn(timedelta(seconds=20))
    names = [f"客户{number}" for number in range(5)]
    assert pages(clinic, "zoe", 2) == [names[:2], names[2:4], names[4:]]
    assert pages(clinic, "zoe", 5) == [names]
    assert pages(clinic, "sid", 5) == [[]]


def test_the_total_counts_all_pages(clinic: Clinic) -> None:
    for number in range(3):
        clinic.started(f"客户{number}", clinic=str(clinic.units["two"]))
    actor = clinic.actor("zoe")
    with clinic.database.read() as session:
        page = worklist(session, actor, 2, count=True)
    assert (len(page.items), page.total) == (2, 3)


def test_a_long_list_is_counted_so_far_and_no_further(
    sqlite_clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        sqlite_clinic.started(f"客户{number}", clinic=str(sqlite_clinic.units["two"]))
    monkeypatch.setattr("careloom.runtime.tasks.worklist.MOST_COUNTED", 2)
    actor = sqlite_clinic.actor("zoe")
    with sqlite_clinic.database.read() as session:
        assert worklist(session, actor, count=True).total == 2


def test_a_cursor_that_is_none_is_refused(sqlite_clinic: Clinic) -> None:
    actor = sqlite_clinic.actor("ann")
    with sqlite_clinic.database.read() as session:
        for cursor in ("x", "MjAyNg", "2026-03-03 1"):
            with pytest.raises(Malformed):
                worklist(session, actor, 5, cursor)


def test_a_long_list_costs_no_more_than_a_short_one(sqlite_clinic: Clinic) -> None:
    """Twenty thousand open tasks of one agent, and the first page at once."""
    clinic = sqlite_clinic
    lead = clinic.started()

    def fill(session: object) -> None:
        from sqlalchemy.orm import Session

        assert isinstance(session, Session)
        now = moment(session)
        ids = [new_id(session) for _ in range(20_000)]
        session.execute(
            insert(tasks),
            [
                {
                    "id": number,
                    "instance_id": 1,
                    "token_id": 1,
                    "flow_key": "follow_up",
                    "flow_version": 1,
                    "step_key": "first_call",
                    "title": "Call",
                    "form_key": "call",
                    "subject_form": "lead",
                    "subject_id": lead,
                    "unit_id": None,
                    "state": "open",
                    "offered_at": now,
                    "due_at": now + timedelta(seconds=at),
                }
                for at, number in enumerate(ids)
            ],
        )
        session.execute(
            insert(task_actors),
            [
                {
                    "id": new_id(session),
                    "task_id": number,
                    "person_id": clinic.people["ann"],
                    "role_key": None,
                    "unit_id": None,
                    "how": "offered",
                    "since": now,
                    "sort_at": now + timedelta(seconds=at),
                    "open": True,
                }
                for at, number in enumerate(ids)
            ],
        )

    clinic.database.write(fill)
    actor = clinic.actor("ann")
    with clinic.database.read() as session:
        worklist(session, actor, 20)
        begun = time.process_time()
        page = worklist(session, actor, 20)
        took = time.process_time() - begun
    assert [task.label for task in page.items] == ["李雷"] * 20
    assert took < 0.1, "a page reads a page's worth of the index"
