"""A lead's follow-up, from the event that starts it to its end, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import get
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Conflict, Invalid, NotFound
from careloom.runtime.flows.model import Incident, Instance, StepTaken, Token
from careloom.runtime.flows.read import read_instance, read_task
from careloom.runtime.tasks.model import Task
from careloom.runtime.timers.model import Timer
from careloom.runtime.work.dispatch import drain

from ..clinic import Clinic, done, lead_values, listed, rows, sound, turn

MINUTE = timedelta(minutes=1)


def test_a_submitted_lead_becomes_a_task_of_its_owner(clinic: Clinic) -> None:
    lead = clinic.started("李雷")
    values = lead_values(clinic, lead)
    assert values["owner"] == clinic.people["ann"]
    assert values["assigned_at"] == datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    (task,) = listed(clinic, "ann")
    assert (task.step_key, task.label, task.overdue) == ("first_call", "李雷", False)
    assert task.due_at == datetime(2026, 3, 3, 2, 15, tzinfo=UTC)
    assert listed(clinic, "bob") == []
    assert listed(clinic, "sue") == []
    assert sound(clinic)


def test_the_same_person_is_linked_and_another_one_made(clinic: Clinic) -> None:
    first, second = clinic.started("李雷"), clinic.started("李雷")
    third = clinic.started("韩梅梅")
    linked = [lead_values(clinic, lead)["customer"] for lead in (first, second, third)]
    assert linked[0] == linked[1] != linked[2]


def test_leads_go_to_whoever_has_the_fewest_open(clinic: Clinic) -> None:
    owners = [lead_values(clinic, clinic.started(f"客户{n}"))["owner"] for n in range(4)]
    ann, bob = clinic.people["ann"], clinic.people["bob"]
    assert sorted(owners) == sorted([ann, ann, bob, bob])
    assert owners[0] != owners[1]


def test_a_lead_of_the_other_branch_goes_to_its_people(clinic: Clinic) -> None:
    lead = clinic.started("韩梅梅", clinic=str(clinic.units["two"]))
    assert lead_values(clinic, lead)["owner"] == clinic.people["zoe"]
    assert listed(clinic, "ann") == []
    assert [task.label for task in listed(clinic, "zoe")] == ["韩梅梅"]


def test_a_lead_for_which_the_condition_does_not_hold_starts_nothing(clinic: Clinic) -> None:
    clinic.started("李雷", status="won")
    assert rows(clinic, Instance) == []


def test_a_call_in_time_leads_to_the_next_task_and_to_the_end(clinic: Clinic) -> None:
    lead = clinic.started()
    (call,) = listed(clinic, "ann")
    record = done(clinic, "ann", call.id, result="answered", note="wants an implant")
    assert lead_values(clinic, lead)["contacted_at"] == datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    (invite,) = listed(clinic, "ann")
    assert invite.step_key == "invite"
    assert rows(clinic, Timer) == [], "the first call's limits went with it"
    with clinic.database.read() as session:
        made = get(session, SYSTEM, "call", record)
        assert made.values["lead"] == lead
        assert made.values["customer"] == lead_values(clinic, lead)["customer"]
        assert made.created_by == clinic.people["ann"]
    assert done(clinic, "ann", invite.id, "booked") is None
    (instance,) = rows(clinic, Instance)
    assert (instance.state, instance.ended_at is not None) == ("ended", True)
    taken = [step.step_key for step in rows(clinic, StepTaken)]
    assert taken == [
        "dedupe", "assign", "first_call", "first_call/then", "answered", "invite", "end",
    ]  # fmt: skip
    assert sound(clinic)


def test_overdue_across_the_night_counts_in_working_hours(
    clinic: Clinic, clock: TurnedClock
) -> None:
    """Submitted at 20:50 in Shanghai; the contact centre shuts at 21:00 and opens at 09:00."""
    clock.set(datetime(2026, 3, 3, 12, 50, tzinfo=UTC))
    clinic.started()
    turn(clinic, clock, 9 * MINUTE)
    assert rows(clinic, Task)[0].reminded_at is None
    turn(clinic, clock, 1 * MINUTE)
    assert rows(clinic, Task)[0].reminded_at == datetime(2026, 3, 3, 13, 0, tzinfo=UTC)
    turn(clinic, clock, timedelta(hours=11, minutes=59))
    assert listed(clinic, "sue") == [], "nobody works at night"
    clock.set(datetime(2026, 3, 4, 1, 4, tzinfo=UTC))
    drain(clinic.database)
    assert listed(clinic, "sue") == []
    turn(clinic, clock, 1 * MINUTE)
    (late,) = listed(clinic, "sue")
    assert (late.how, late.overdue, late.label) == ("escalated", True, "李雷")
    assert listed(clinic, "max") == []
    turn(clinic, clock, 15 * MINUTE)
    assert [task.how for task in listed(clinic, "max")] == ["escalated"]
    assert [task.how for task in listed(clinic, "ann")] == ["offered"]
    assert listed(clinic, "sid") == listed(clinic, "zoe") == []
    assert sound(clinic)


def test_whoever_it_was_escalated_to_may_complete_it(clinic: Clinic, clock: TurnedClock) -> None:
    clinic.started()
    turn(clinic, clock, 16 * MINUTE)
    (late,) = listed(clinic, "sue")
    done(clinic, "sue", late.id, result="answered")
    assert [task.step_key for task in listed(clinic, "ann")] == ["invite"]
    assert listed(clinic, "sue") == []


def test_no_answer_waits_calls_again_and_gives_up_in_the_end(
    clinic: Clinic, clock: TurnedClock
) -> None:
    lead = clinic.started()
    for _ in range(3):
        (call,) = listed(clinic, "ann")
        assert call.step_key == "first_call"
        done(clinic, "ann", call.id, result="no_answer")
        assert listed(clinic, "ann") == []
        turn(clinic, clock, timedelta(hours=1, minutes=59))
        assert listed(clinic, "ann") == []
        turn(clinic, clock, 1 * MINUTE)
    assert listed(clinic, "ann") == []
    assert lead_values(clinic, lead)["status"] == "closed"
    assert rows(clinic, Instance)[0].state == "ended"
    assert rows(clinic, Instance)[0].visits == {"again": 2}
    assert sound(clinic)


def test_a_refused_call_changes_nothing(clinic: Clinic) -> None:
    clinic.started()
    (call,) = listed(clinic, "ann")
    with pytest.raises(Invalid) as refused:
        done(clinic, "ann", call.id, note="no result")
    assert [problem.path for problem in refused.value.problems] == ["/result"]
    assert [task.id for task in listed(clinic, "ann")] == [call.id]
    assert len(rows(clinic, Timer)) == 3
    assert sound(clinic)


def test_a_task_is_completed_once(clinic: Clinic) -> None:
    clinic.started()
    (call,) = listed(clinic, "ann")
    done(clinic, "ann", call.id, result="answered")
    with pytest.raises(Conflict) as second:
        done(clinic, "ann", call.id, result="answered")
    assert second.value.code == "E_TASK_DONE"
    assert second.value.params["by"] == "Ann"


def test_a_task_does_not_exist_for_those_not_asked(clinic: Clinic) -> None:
    clinic.started()
    (call,) = listed(clinic, "ann")
    for login in ("bob", "zoe", "sue"):
        with pytest.raises(NotFound):
            done(clinic, login, call.id, result="answered")


def test_the_task_is_about_its_lead_and_no_other(clinic: Clinic) -> None:
    lead, other = clinic.started("李雷"), clinic.started("韩梅梅")
    (call,) = listed(clinic, "ann")
    record = done(clinic, "ann", call.id, result="answered", lead=str(other))
    with clinic.database.read() as session:
        assert get(session, SYSTEM, "call", record).values["lead"] == lead


def test_an_outcome_is_one_of_those_offered(clinic: Clinic) -> None:
    clinic.started()
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    (invite,) = listed(clinic, "ann")
    for outcome, code in [(None, "E_REQUIRED"), ("maybe", "E_ONE_OF")]:
        with pytest.raises(Invalid) as refused:
            done(clinic, "ann", invite.id, outcome)
        assert refused.value.problems[0].code == code
    with pytest.raises(Invalid):
        done(clinic, "ann", invite.id, "booked", note="there is no form")


def test_a_task_shows_its_form_filled_in_as_the_flow_knows(clinic: Clinic) -> None:
    lead = clinic.started()
    (call,) = listed(clinic, "ann")
    actor = clinic.actor("ann")
    with clinic.database.read() as session:
        view = read_task(session, actor, call.id)
    assert view.form is not None and view.form.key == "call"
    assert view.values["lead"] == str(lead)
    assert view.rights["lead"] == "read"
    assert view.rights["result"] == "write"
    assert view.about is not None and view.about["name"] == "李雷"
    assert view.may_complete


def test_an_instance_tells_what_happened_in_order(clinic: Clinic, clock: TurnedClock) -> None:
    clinic.started()
    turn(clinic, clock, 16 * MINUTE)
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    actor = clinic.actor("max")
    (instance,) = rows(clinic, Instance)
    with clinic.database.read() as session:
        view = read_instance(session, actor, instance.id)
    assert [event.name for event in view.events] == [
        "flow:started",
        "task:offered",
        "task:reminded",
        "task:escalated",
        "task:completed",
        "task:offered",
    ]
    assert [task["state"] for task in view.tasks] == ["done", "open"]
    assert view.tokens[0]["step_key"] == "invite"
    with clinic.database.read() as session, pytest.raises(NotFound):
        read_instance(session, clinic.actor("sid"), instance.id)


def test_tokens_rest_where_their_tasks_are(clinic: Clinic) -> None:
    clinic.started()
    (token,) = rows(clinic, Token)
    (task,) = rows(clinic, Task)
    assert (token.state, token.step_key, task.token_id) == ("waiting", "first_call", token.id)
    assert rows(clinic, Incident) == []
