"""A task in other hands: given on, looked at and brought back, hurried, commented on."""

from datetime import timedelta
from typing import Any

import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.people import disable
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany
from careloom.runtime.flows import hand_over
from careloom.runtime.flows.complete import complete
from careloom.runtime.flows.control import suspend
from careloom.runtime.flows.model import Instance
from careloom.runtime.flows.read import read_instance, read_task
from careloom.runtime.tasks.hold import unclaim
from careloom.runtime.tasks.model import Task, TaskNote

from ..clinic import Clinic, done, lead_values, listed, rows, sound, turn


def called(clinic: Clinic, owner: str = "ann") -> int:
    """A lead of that agent's, whose first call waits; the task's id."""
    clinic.started()
    (task,) = [one for one in rows(clinic, Task) if one.state == "open"]
    assert [row.id for row in listed(clinic, owner)] == [task.id]
    return int(task.id)


def give(clinic: Clinic, by: str, task: int, to: str, said: str | None = None, **more: Any) -> None:
    actor, person = clinic.actor(by), clinic.people[to]
    clinic.database.write(lambda s: hand_over.reassign(s, actor, task, person, said, **more))


def ask(clinic: Clinic, by: str, task: int, to: str, said: str | None = None) -> None:
    actor, person = clinic.actor(by), clinic.people[to]
    clinic.database.write(lambda s: hand_over.delegate(s, actor, task, person, said))


def notes(clinic: Clinic) -> list[tuple[str, str | None]]:
    return [(one.kind, one.text) for one in rows(clinic, TaskNote)]


def test_a_task_given_on_is_the_others_alone(clinic: Clinic) -> None:
    task = called(clinic)
    give(clinic, "ann", task, "sue", "She asked for a supervisor")
    assert listed(clinic, "ann") == []
    (row,) = listed(clinic, "sue")
    assert (row.id, row.how, row.holder) == (task, "reassigned", "Sue")
    with pytest.raises(NotFound):
        done(clinic, "ann", task, result="answered")
    done(clinic, "sue", task, result="answered")
    assert notes(clinic) == [("reassigned", "She asked for a supervisor")]
    assert sound(clinic)


def test_it_is_given_only_to_who_may_do_it(clinic: Clinic) -> None:
    task = called(clinic)
    for to in ("bob", "zoe", "sid"):
        with pytest.raises(Invalid) as refused:
            give(clinic, "ann", task, to)
        assert [(one.path, one.code) for one in refused.value.problems] == [
            ("/to", "E_TASK_NOT_FOR")
        ]
    assert notes(clinic) == []
    with clinic.database.read() as session:
        row = session.get_one(Task, task)
        step = read_instance(session, clinic.actor("max"), row.instance_id).graph.task("first_call")
        offered = hand_over.hands(session, clinic.actor("ann"), row, step)
    assert [one.login for one in offered] == ["bob", "sue"]  # bob: when the lead becomes his


def test_with_the_record_what_comes_later_goes_to_the_other_too(clinic: Clinic) -> None:
    task = called(clinic)
    give(clinic, "sue", task, "bob", record=True)
    (row,) = listed(clinic, "bob")
    assert (row.id, row.label) == (task, "李雷")
    lead = row.subject_id
    assert lead_values(clinic, lead)["owner"] == clinic.people["bob"]
    done(clinic, "bob", task, result="answered")
    assert [one.step_key for one in listed(clinic, "bob")] == ["invite"]
    assert listed(clinic, "ann") == []
    assert sound(clinic)


def test_the_tasks_of_somebody_who_left_go_to_a_colleague(clinic: Clinic) -> None:
    task = called(clinic)
    clinic.database.write(lambda s: disable(s, SYSTEM, clinic.people["ann"]))
    give(clinic, "sue", task, "bob", "Ann has left", record=True)
    done(clinic, "bob", task, result="answered")
    assert sound(clinic)


def test_only_who_has_it_or_may_assign_gives_it_on(clinic: Clinic) -> None:
    task = called(clinic)
    for by in ("bob", "zoe", "sid"):
        with pytest.raises(NotFound):
            give(clinic, by, task, "sue")
    with pytest.raises(NotAllowed):  # sees the run, and does not hand tasks out
        give(clinic, "max", task, "sue")
    done(clinic, "ann", task, result="answered")
    with pytest.raises((Conflict, NotFound)):
        give(clinic, "sue", task, "bob")


def test_a_task_looked_at_by_another_comes_back_to_who_asked(clinic: Clinic) -> None:
    task = called(clinic)
    ask(clinic, "ann", task, "sue", "Is this one urgent?")
    assert listed(clinic, "ann") == []
    (row,) = listed(clinic, "sue")
    assert (row.how, row.principal_id) == ("delegated", clinic.people["ann"])
    with pytest.raises(Conflict) as refused:
        done(clinic, "sue", task, result="answered")
    assert refused.value.code == "E_TASK_DELEGATED"
    with pytest.raises(Conflict):  # it is not the asker's while it is there
        done(clinic, "ann", task, result="answered")
    with pytest.raises(Invalid):  # an answer says something
        done(clinic, "sue", task)
    sue = clinic.actor("sue")
    clinic.database.write(lambda s: complete(s, sue, task, {}, None, "No, next week will do"))
    assert listed(clinic, "sue") == []
    (row,) = listed(clinic, "ann")
    assert (row.holder, row.principal_id) == ("Ann", None)
    done(clinic, "ann", task, result="answered")
    assert notes(clinic) == [
        ("delegated", "Is this one urgent?"),
        ("answered", "No, next week will do"),
    ]
    with clinic.database.read() as session:
        view = read_task(session, clinic.actor("ann"), task)
    assert [one.kind for one in view.notes] == ["delegated", "answered"]
    assert sound(clinic)


@pytest.mark.parametrize("by", ["sue", "ann"])
def test_a_task_to_look_at_is_given_back_or_taken_back_unanswered(
    sqlite_clinic: Clinic, by: str
) -> None:
    task = called(sqlite_clinic)
    ask(sqlite_clinic, "ann", task, "sue")
    with pytest.raises((Conflict, NotAllowed)):
        ask(sqlite_clinic, "ann", task, "sue")
    actor = sqlite_clinic.actor(by)
    sqlite_clinic.database.write(lambda s: unclaim(s, actor, task))
    assert [row.id for row in listed(sqlite_clinic, "ann")] == [task]
    assert listed(sqlite_clinic, "sue") == []


def test_an_escalation_finds_a_task_wherever_it_is(clinic: Clinic, clock: TurnedClock) -> None:
    task = called(clinic)
    ask(clinic, "ann", task, "sue")
    turn(clinic, clock, timedelta(minutes=31))
    assert [row.how for row in listed(clinic, "max")] == ["escalated"]
    max_ = clinic.actor("max")
    clinic.database.write(lambda s: unclaim(s, max_, task))  # back to Ann first
    assert [row.holder for row in listed(clinic, "ann")] == ["Ann"]
    assert sound(clinic)


def test_those_who_have_it_are_hurried_once_in_half_an_hour(
    sqlite_clinic: Clinic, clock: TurnedClock
) -> None:
    task = called(sqlite_clinic)
    sue = sqlite_clinic.actor("sue")
    sqlite_clinic.database.write(lambda s: hand_over.remind(s, sue, task))
    assert listed(sqlite_clinic, "ann")[0].reminded_at == clock.now()
    clock.turn(timedelta(minutes=29))
    with pytest.raises(TooMany) as refused:
        sqlite_clinic.database.write(lambda s: hand_over.remind(s, sue, task))
    assert 0 < refused.value.seconds <= 61
    clock.turn(timedelta(minutes=1))
    sqlite_clinic.database.write(lambda s: hand_over.remind(s, sue, task))
    zoe = sqlite_clinic.actor("zoe")
    with pytest.raises(NotFound):
        sqlite_clinic.database.write(lambda s: hand_over.remind(s, zoe, task))


def test_whoever_sees_a_task_says_something_to_it(sqlite_clinic: Clinic) -> None:
    task = called(sqlite_clinic)
    for login in ("ann", "sue", "max"):
        actor = sqlite_clinic.actor(login)
        sqlite_clinic.database.write(
            lambda s, a=actor: hand_over.comment(s, a, task, f"by {a.login}")
        )
    for login in ("bob", "zoe"):
        actor = sqlite_clinic.actor(login)
        with pytest.raises(NotFound):
            sqlite_clinic.database.write(lambda s, a=actor: hand_over.comment(s, a, task, "hello"))
    ann = sqlite_clinic.actor("ann")
    for said in ("", " \n", "x" * 2001):
        with pytest.raises(Invalid):
            sqlite_clinic.database.write(lambda s, said=said: hand_over.comment(s, ann, task, said))
    assert notes(sqlite_clinic) == [
        ("comment", "by ann"),
        ("comment", "by sue"),
        ("comment", "by max"),
    ]
    (instance,) = rows(sqlite_clinic, Instance)
    with sqlite_clinic.database.read() as session:
        view = read_instance(session, sqlite_clinic.actor("max"), instance.id)
    assert "task:commented" in [event.name for event in view.events]


def test_nothing_is_handed_on_while_the_flow_is_halted(sqlite_clinic: Clinic) -> None:
    task = called(sqlite_clinic)
    (instance,) = rows(sqlite_clinic, Instance)
    max_ = sqlite_clinic.actor("max")
    sqlite_clinic.database.write(lambda s: suspend(s, max_, instance.id))
    with pytest.raises(Conflict) as refused:
        give(sqlite_clinic, "ann", task, "sue")
    assert refused.value.code == "E_FLOW_SUSPENDED"
