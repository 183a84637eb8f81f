"""The dental follow-up as the clinic lives it: from a lead that comes in to one that is booked."""

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

    def done(self, login: str, lead: int, outcome: str | None = None, **values: Any) -> None:
        """Complete what the person has to do about the lead, and let the worker work."""
        actor, task = self.actor(login), self.task(login, lead).id
        self.database.write(lambda session: complete(session, actor, task, values, outcome))
        self.work()

    def steps(self, login: str, lead: int) -> list[str]:
        return [task.step_key for task in self.tasks(login) if task.subject_id == lead]

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
        assert list(violations(session)) == []
    database.close()


def test_a_lead_gets_a_customer_an_owner_and_a_first_call(clinic: Clinic) -> None:
    lead = clinic.lead()
    task = clinic.task("agent", lead)
    assert task.step_key == "first_call"
    assert task.due_at == TUESDAY + timedelta(minutes=15)
    values = clinic.values("lead_intake", lead)
    agent = clinic.actor("agent").person_id
    assert (values["status"], values["owner"]) == ("assigned", agent)
    customer = clinic.values("customer_profile", values["customer"])
    assert (customer["name"], customer["mobile"]) == ("陈建国", "19900000001")
    assert customer["owner_consultant"] == agent
    assert customer["one_id"].startswith("C2026")


def test_the_other_branch_sees_nothing(clinic: Clinic) -> None:
    lead = clinic.lead()
    for login in ("agent2", "manager2"):
        assert clinic.steps(login, lead) == []
    theirs = clinic.lead(target_clinic=clinic.at("R1-B02"), name="李雷", mobile="19900000002")
    assert clinic.steps("agent2", theirs) == ["first_call"]
    assert clinic.steps("agent", theirs) == clinic.steps("supervisor", theirs) == []


def test_in_time_answered_graded_booked(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.turn(minutes=9)
    clinic.done("agent", lead, result="answered", **CALL)
    values = clinic.values("lead_intake", lead)
    assert values["contacted_at"] == TUESDAY + timedelta(minutes=9)
    assert (values["grade"], values["status"]) == ("B", "following")
    assert clinic.steps("supervisor", lead) == []
    assert clinic.task("agent", lead).due_at == TUESDAY + timedelta(days=3, minutes=9)
    clinic.done("agent", lead, "booked", result="answered", **CALL)
    values = clinic.values("lead_intake", lead)
    assert values["status"] == "invited" and "invited_at" in values
    assert clinic.steps("agent", lead) == []


def test_the_agents_grade_wins_over_the_score(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.done("agent", lead, result="answered", grade_after="A", **CALL)
    assert clinic.values("lead_intake", lead)["grade"] == "A"
    assert clinic.task("agent", lead).due_at == TUESDAY + timedelta(hours=24)


def test_an_untouched_call_goes_to_the_supervisor_and_then_to_the_manager(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.turn(minutes=14)
    assert clinic.steps("supervisor", lead) == []
    clinic.turn(minutes=2)
    assert clinic.steps("supervisor", lead) == ["first_call"]
    assert clinic.steps("manager", lead) == []
    clinic.turn(minutes=15)
    assert clinic.steps("manager", lead) == ["first_call"]
    assert clinic.steps("agent2", lead) == []


def test_limits_rest_over_the_night(clinic: Clinic) -> None:
    clinic.turn(hours=10, minutes=50)  # 20:50
    lead = clinic.lead()
    clinic.turn(hours=12)  # 08:50: the contact centre is still shut
    assert clinic.steps("supervisor", lead) == []
    clinic.turn(minutes=16)  # 09:06
    assert clinic.steps("supervisor", lead) == ["first_call"]


def test_a_wrong_number_closes_the_lead(clinic: Clinic) -> None:
    lead = clinic.lead()
    over = {"summary": "空号", "next_action": "close", "lost_reason": "fake"}
    clinic.done("agent", lead, result="wrong_number", **over)
    values = clinic.values("lead_intake", lead)
    assert (values["status"], values["lost_reason"]) == ("closed", "fake")
    assert "contacted_at" not in values


def test_seven_attempts_in_vain_close_the_lead(clinic: Clinic) -> None:
    lead = clinic.lead()
    for _ in range(6):
        clinic.done("agent", lead, result="no_answer", **CALL)
        assert clinic.steps("agent", lead) == []
        clinic.turn(hours=14)  # two open hours, over any night
        assert clinic.steps("agent", lead) == ["first_call"]
    clinic.done("agent", lead, result="busy", **CALL)
    clinic.turn(hours=14)
    values = clinic.values("lead_intake", lead)
    assert (values["status"], values["lost_reason"]) == ("closed", "unreachable")


def test_a_shared_phone_makes_a_second_customer_with_a_tag(clinic: Clinic) -> None:
    first = clinic.values("lead_intake", clinic.lead())["customer"]
    second = clinic.values("lead_intake", clinic.lead(name="陈小雨"))["customer"]
    assert first != second
    assert clinic.values("customer_profile", second)["tags"] == ["shared_phone"]
    assert "tags" not in clinic.values("customer_profile", first)


def test_a_second_lead_of_a_customer_goes_to_the_same_owner(clinic: Clinic) -> None:
    first = clinic.values("lead_intake", clinic.lead())
    second = clinic.values("lead_intake", clinic.lead(channel="douyin"))
    assert second["customer"] == second["duplicate_of"] == first["customer"]
    assert second["owner"] == first["owner"]


def test_a_lead_without_a_phone_has_a_customer_too(clinic: Clinic) -> None:
    by_platform = clinic.values("lead_intake", clinic.lead(mobile=None, external_id="M-1"))
    assert clinic.values("customer_profile", by_platform["customer"])["name"] == "陈建国"
    by_wecom = clinic.values("lead_intake", clinic.lead(mobile=None, wecom_external_id="w1"))
    assert by_wecom["customer"] != by_platform["customer"]
    again = clinic.values("lead_intake", clinic.lead(mobile=None, wecom_external_id="w1"))
    assert again["customer"] == by_wecom["customer"]


def test_the_forty_first_lead_of_a_day_waits_in_the_pool_and_is_taken(clinic: Clinic) -> None:
    for number in range(40):
        clinic.lead(name=f"客户{number}", mobile=f"199000001{number:02}")
    lead = clinic.lead(name="第四十一", mobile="19900000999")
    assert clinic.steps("agent", lead) == ["pool"]
    me = str(clinic.actor("agent").person_id)
    clinic.done("agent", lead, owner=me)
    assert clinic.steps("agent", lead) == ["first_call"]
    assert clinic.values("lead_intake", lead)["assigned_at"] == TUESDAY
    waiting = clinic.lead(name="第四十二", mobile="19900000998")
    clinic.turn(minutes=31)
    assert clinic.steps("manager", waiting) == ["pool"]


def test_an_invitation_put_off_comes_back_and_is_given_up_in_the_end(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.done("agent", lead, result="answered", grade_after="A", **CALL)
    clinic.done("agent", lead, "later", result="answered", **CALL)
    assert clinic.steps("agent", lead) == []
    clinic.turn(days=2)
    assert clinic.steps("agent", lead) == ["invite_a"]
    over = {"summary": "去了别家", "next_action": "close", "lost_reason": "competitor"}
    clinic.done("agent", lead, "lost", result="answered", **over)
    values = clinic.values("lead_intake", lead)
    assert (values["status"], values["lost_reason"]) == ("closed", "competitor")


def test_an_aesthetic_lead_starts_no_dental_flow(clinic: Clinic) -> None:
    lead = clinic.lead(pack_kind="aesthetic", project=["aes_ipl"])
    assert clinic.steps("agent", lead) == []
    assert "customer" not in clinic.values("lead_intake", lead)
