"""Two at once: of two who want the same exactly one gets it, and nothing happens twice."""

import threading
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Conflict, Refusal
from careloom.runtime.flows.model import Instance, Wait
from careloom.runtime.tasks.hold import claim
from careloom.runtime.work.dispatch import drain

from ..clinic import Clinic, done, flow_of, listed, rows, sound, turn
from .test_trouble import END, POOL, act
from .test_waits import BEFORE_VISIT, WAIT_FOR_CALL, call_about, changed
from .test_waits import task as task_of


def at_once(*deeds: Any) -> list[Any]:
    """Run each in a thread, all begun together; what each returned or was refused with."""
    barrier = threading.Barrier(len(deeds))
    results: list[Any] = [None] * len(deeds)

    def run(number: int, deed: Any) -> None:
        barrier.wait()
        try:
            results[number] = deed()
        except Refusal as refusal:
            results[number] = refusal

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_who_complete_at_once_exactly_one_does(clinic: Clinic, clock: TurnedClock) -> None:
    for number in range(3):
        clinic.started(f"客户{number}")
    turn(clinic, clock, timedelta(minutes=16))
    for task in listed(clinic, "sue"):
        owner = "ann" if task.id in {one.id for one in listed(clinic, "ann")} else "bob"
        results = at_once(
            lambda o=owner, t=task: done(clinic, o, t.id, result="answered"),
            lambda t=task: done(clinic, "sue", t.id, result="no_answer"),
        )
        refused = [one for one in results if isinstance(one, Conflict)]
        assert len(refused) == 1
        assert refused[0].code == "E_TASK_DONE"
    with clinic.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM form_call")).scalar() == 3
    assert sound(clinic)


def test_of_two_who_claim_at_once_exactly_one_holds(clinic: Clinic) -> None:
    clinic.publish("flow", flow_of(deepcopy(POOL), END))
    clinic.started()
    (task,) = listed(clinic, "ann")
    results = at_once(
        lambda: act(clinic, claim, "ann", task.id), lambda: act(clinic, claim, "bob", task.id)
    )
    assert sum(isinstance(one, Conflict) for one in results) == 1
    assert len(listed(clinic, "ann")) + len(listed(clinic, "bob")) == 1


def test_two_workers_drain_at_once_and_each_thing_happens_once(
    clinic: Clinic, clock: TurnedClock
) -> None:
    leads = [clinic.lead(f"客户{number}") for number in range(12)]
    at_once(lambda: drain(clinic.database), lambda: drain(clinic.database))
    drain(clinic.database)
    assert len(rows(clinic, Instance)) == len(leads)
    clock.turn(timedelta(minutes=16))
    at_once(lambda: drain(clinic.database), lambda: drain(clinic.database))
    drain(clinic.database)
    events = _events(clinic)
    assert events.count("task:reminded") == events.count("task:escalated") == len(leads)
    assert sound(clinic)


def _events(clinic: Clinic) -> list[str]:
    with clinic.database.read() as session:
        return list(session.execute(text("SELECT name FROM event")).scalars())


def test_a_timer_and_a_completion_at_once_do_not_cross(clinic: Clinic, clock: TurnedClock) -> None:
    clinic.started()
    (call,) = listed(clinic, "ann")
    clock.turn(timedelta(minutes=31))
    at_once(
        lambda: drain(clinic.database),
        lambda: done(clinic, "ann", call.id, result="answered"),
    )
    drain(clinic.database)
    assert [task.step_key for task in listed(clinic, "ann")] == ["invite"]
    assert listed(clinic, "sue") == []
    assert sound(clinic)


def test_a_record_that_comes_as_its_wait_begins_is_met(clinic: Clinic) -> None:
    clinic.publish("flow", flow_of(task_of("look"), WAIT_FOR_CALL, END))
    leads = [clinic.started(f"客户{number}") for number in range(6)]
    for offered in listed(clinic, "ann"):
        at_once(
            lambda o=offered: done(clinic, "ann", o.id),
            lambda o=offered: call_about(clinic, o.subject_id),
            lambda: drain(clinic.database),
        )
    drain(clinic.database)
    assert [one.state for one in rows(clinic, Instance)] == ["ended"] * len(leads)
    assert sound(clinic)


def test_a_field_that_changes_as_a_wait_hangs_on_it_moves_it(clinic: Clinic) -> None:
    clinic.publish("flow", flow_of(task_of("look"), BEFORE_VISIT, END))
    for number in range(6):
        clinic.started(f"客户{number}", visit_at="2026-03-05T13:00")
    for offered in listed(clinic, "ann"):
        at_once(
            lambda o=offered: done(clinic, "ann", o.id),
            lambda o=offered: changed(clinic, o.subject_id, visit_at="2026-03-06T13:00"),
            lambda: drain(clinic.database),
        )
    drain(clinic.database)
    assert {wait.until for wait in rows(clinic, Wait)} == {datetime(2026, 3, 6, 4, tzinfo=UTC)}
    assert sound(clinic)
