"""What is in somebody's hands is found there, by whichever road it came."""

from typing import Any

from sqlalchemy import event

from careloom.platform.identity.actor import SYSTEM, actor_of
from careloom.platform.identity.grants import give, take
from careloom.runtime.flows.hand_over import reassign
from careloom.runtime.flows.held_pages import held_by
from careloom.runtime.tasks.hold import claim

from ..clinic import Clinic, flow_of, listed

CALL = {
    "key": "call",
    "kind": "task",
    "title": "Call",
    "form": "call",
    "prefill": {"lead": "this"},
    "who": {"role": "supervisor"},
}
END = {"key": "end", "kind": "end"}


def held(clinic: Clinic, login: str) -> list[int]:
    with clinic.database.read() as session:
        return held_by(session, SYSTEM, clinic.people[login])


def test_a_task_held_through_a_role_that_was_taken_away_is_found_and_given_on(
    clinic: Clinic,
) -> None:
    write, sue, bob = clinic.database.write, clinic.people["sue"], clinic.people["bob"]
    write(lambda session: give(session, SYSTEM, bob, "supervisor", clinic.units["one"]))
    clinic.publish("flow", flow_of(CALL, END))
    clinic.started("李雷")
    (task,) = listed(clinic, "sue")
    assert held(clinic, "sue") == [], "it is offered to all who have the role"
    write(lambda session: claim(session, actor_of(session, sue), task.id))
    assert held(clinic, "sue") == [task.id]
    write(lambda session: take(session, SYSTEM, sue, "supervisor", clinic.units["one"]))
    assert listed(clinic, "sue") == []
    assert held(clinic, "sue") == [task.id]
    write(lambda session: reassign(session, SYSTEM, task.id, bob))
    assert (held(clinic, "sue"), held(clinic, "bob")) == ([], [task.id])


def test_what_is_in_ones_hands_is_read_from_an_index(sqlite_clinic: Clinic) -> None:
    asked: list[tuple[str, Any]] = []

    @event.listens_for(sqlite_clinic.database.reader, "before_cursor_execute")
    def sent(_connection: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        asked.append((statement, given))

    held(sqlite_clinic, "sue")
    ((statement, given),) = [one for one in asked if "UNION" in one[0]]
    with sqlite_clinic.database.read() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        steps = [row.detail for row in plan]
    assert any("ix_task_held" in step for step in steps), steps
    assert not any(step.startswith("SCAN task") for step in steps), steps
