"""The demo clinic at a clock of its own, and what its people do there."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from careloom.platform.events.log import subscribe
from careloom.platform.identity.actor import SYSTEM, Actor, actor_of
from careloom.platform.identity.model import Person
from careloom.platform.identity.tree import unit_by_code
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get
from careloom.platform.records.submit import submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.runtime.flows.complete import complete
from careloom.runtime.flows.follow import wants
from careloom.runtime.flows.soundness import flows_are_sound
from careloom.runtime.tasks.worklist import TaskRow, worklist
from careloom.runtime.work.dispatch import CONSUMER, EVENTS, drain

TUESDAY = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
LEAD: dict[str, Any] = {
    "channel": "meituan",
    "name": "陈建国",
    "mobile": "19900000001",
    "project": ["den_implant_std"],
    "pack_kind": "dental",
    "received_at": "2026-03-03T10:00",
    "consent_privacy": True,
}
CALL = {"summary": "聊了种植牙", "next_action": "invite", "next_at": "2026-03-20T10:00"}
VISIT = "2026-03-09T10:00"


class Clinic:
    """The demo clinic at a clock of its own."""

    def __init__(self, database: Database, clock: TurnedClock) -> None:
        self.database = database
        self.clock = clock

    def actor(self, login: str) -> Actor:
        with self.database.read() as session:
            found = session.scalars(select(Person.id).where(Person.login == login)).one()
            return actor_of(session, found)

    def lead(self, **values: Any) -> int:
        """A lead comes in, and the worker works until nothing is due."""
        given = {key: value for key, value in {**LEAD, **values}.items() if value is not None}
        made = self.database.write(lambda session: submit(session, SYSTEM, "lead_intake", given))
        self.work()
        return made.id

    def at(self, code: str) -> str:
        with self.database.read() as session:
            return str(unit_by_code(session, code).id)

    def work(self) -> None:
        while drain(self.database):
            pass

    def turn(self, **by: float) -> None:
        self.clock.turn(timedelta(**by))
        self.work()

    def tasks(self, login: str) -> list[TaskRow]:
        actor = self.actor(login)
        with self.database.read() as session:
            return worklist(session, actor, limit=50).items

    def task(self, login: str, lead: int) -> TaskRow:
        return next(task for task in self.tasks(login) if task.subject_id == lead)

    def done(
        self,
        login: str,
        lead: int,
        outcome: str | None = None,
        comment: str | None = None,
        **values: Any,
    ) -> int | None:
        """Complete what the person has to do about the record, and let the worker work; the
        record that came of it."""
        actor, task = self.actor(login), self.task(login, lead).id
        made = self.database.write(
            lambda session: complete(session, actor, task, values, outcome, comment)
        )
        self.work()
        return made

    def steps(self, login: str, lead: int) -> list[str]:
        return [task.step_key for task in self.tasks(login) if task.subject_id == lead]

    def add(self, login: str, form: str, **values: Any) -> int:
        """Somebody submits a record by themselves, and the worker works."""
        actor = self.actor(login)
        made = self.database.write(lambda session: submit(session, actor, form, values))
        self.work()
        return made.id

    def stage(self, lead: int) -> str:
        customer = self.values("lead_intake", lead)["customer"]
        return str(self.values("customer_profile", customer)["lifecycle_stage"])

    def values(self, form: str, record: int) -> dict[str, Any]:
        with self.database.read() as session:
            return dict(get(session, SYSTEM, form, record).values)


@pytest.fixture
def clinic(demo_home: Path, tmp_path: Path) -> Iterator[Clinic]:
    subscribe(CONSUMER, EVENTS, wants)
    home = tmp_path / "home"
    shutil.copytree(demo_home, home)
    clock = TurnedClock(TUESDAY)
    database = open_database(f"sqlite:///{home}/careloom.db", home, clock)
    yield Clinic(database, clock)
    with database.read() as session:
        assert [*violations(session), *flows_are_sound(session)] == []
    database.close()
