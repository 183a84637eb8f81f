"""Approvals: one decides or every one does, a no takes its own way, nobody judges their own."""

from datetime import timedelta
from typing import Any

import pytest

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Conflict, Invalid, NotFound
from careloom.runtime.flows.complete import complete
from careloom.runtime.flows.model import Incident, Instance, StepTaken
from careloom.runtime.flows.read import read_task
from careloom.runtime.tasks.model import Task
from careloom.runtime.timers.model import Timer

from ..clinic import Clinic, done, flow_of, listed, rows, sound, turn

Document = dict[str, Any]
END: Document = {"key": "end", "kind": "end"}
PLAN: Document = {
    "key": "plan",
    "kind": "task",
    "title": "Plan",
    "form": "call",
    "who": {"field": "owner", "otherwise": {"role": "agent"}},
    "prefill": {"lead": "this"},
    "edits": "plan",
}


def approval(*who: Document, **more: Any) -> Document:
    again = {"key": "again", "kind": "go_to", "to": "plan", "visits": 2}
    no = {"key": "turned_down", "kind": "end", "result": "rejected"}
    return {
        "key": "approve",
        "kind": "approve",
        "title": "Approve the plan",
        "who": [{"key": f"who_{number}", **one} for number, one in enumerate(who)]
        or [{"key": "supervisor", "role": "supervisor"}],
        "about": "plan",
        "due": "4h",
        "limits": [{"key": "l", "after": "4h", "do": "escalate", "to": {"role": "manager"}}],
        "rejected": [again, no],
        **more,
    }


def planned(clinic: Clinic, *who: Document, login: str = "ann", **more: Any) -> int:
    """A lead whose plan waits for approval; the plan's id."""
    clinic.publish("flow", flow_of(PLAN, approval(*who, **more), END))
    clinic.started()
    made = done(clinic, login, listed(clinic, login)[0].id, result="no_answer")
    assert isinstance(made, int)
    return made


def decide(clinic: Clinic, login: str, outcome: str, comment: str | None = None) -> None:
    actor, task = clinic.actor(login), listed(clinic, login)[0].id
    clinic.database.write(lambda s: complete(s, actor, task, {}, outcome, comment))


def ended(clinic: Clinic) -> Any:
    return rows(clinic, Instance)[0]


def test_rejected_then_mended_then_approved(clinic: Clinic) -> None:
    plan = planned(clinic)
    with pytest.raises(Invalid) as silent:
        decide(clinic, "sue", "rejected")
    assert [one.path for one in silent.value.problems] == ["/comment"]
    decide(clinic, "sue", "rejected", "too dear")
    assert rows(clinic, Task)[1].comment == "too dear"
    assert sound(clinic)
    (again,) = listed(clinic, "ann")
    assert done(clinic, "ann", again.id, result="answered") == plan, "the same plan is mended"
    decide(clinic, "sue", "approved")
    assert (ended(clinic).state, ended(clinic).result) == ("ended", None)
    assert rows(clinic, Timer) == []
    assert sound(clinic)


def test_a_no_ends_it_when_no_way_back_is_left(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    planned(clinic)
    for _ in range(2):
        decide(clinic, "sue", "rejected", "no")
        done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    decide(clinic, "sue", "rejected", "no")
    assert (ended(clinic).state, ended(clinic).result) == ("ended", "rejected")
    assert sound(clinic)


def test_every_one_has_to_approve(clinic: Clinic) -> None:
    planned(clinic, {"role": "supervisor"}, {"role": "manager"}, by="all")
    decide(clinic, "max", "approved")
    assert ended(clinic).state == "running"
    assert listed(clinic, "max") == []
    assert sound(clinic)
    decide(clinic, "sue", "approved", "fine")
    assert ended(clinic).state == "ended"
    assert [step.step_key for step in rows(clinic, StepTaken)] == ["plan", "approve", "end"]
    assert sound(clinic)


def test_one_no_among_many_drops_the_others(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    planned(clinic, {"role": "supervisor"}, {"role": "manager"}, by="all")
    other = listed(clinic, "max")[0].id
    decide(clinic, "sue", "rejected", "no")
    assert listed(clinic, "max") == []
    with pytest.raises(Conflict) as late:
        actor = clinic.actor("max")
        clinic.database.write(lambda s: complete(s, actor, other, {}, "approved"))
    assert late.value.code == "E_TASK_CANCELLED"
    assert [one.step_key for one in listed(clinic, "ann")] == ["plan"]
    assert sound(clinic)


def test_any_one_of_them_decides(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    planned(clinic, {"role": "supervisor"}, {"role": "manager"})
    assert listed(clinic, "sue")[0].id == listed(clinic, "max")[0].id
    decide(clinic, "max", "approved")
    assert listed(clinic, "sue") == []
    assert ended(clinic).state == "ended"
    assert sound(clinic)


def test_nobody_approves_what_they_planned(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    planned(clinic, {"role": "agent"}, not_by=["plan"])
    assert listed(clinic, "ann") == []
    with pytest.raises(NotFound):
        actor, task = clinic.actor("ann"), listed(clinic, "bob")[0].id
        clinic.database.write(lambda s: complete(s, actor, task, {}, "approved"))
    decide(clinic, "bob", "approved")
    assert ended(clinic).state == "ended"
    assert sound(clinic)


def test_an_approval_that_only_its_planner_could_give_is_an_incident(
    sqlite_clinic: Clinic,
) -> None:
    planned(sqlite_clinic, {"person": "ann"}, not_by=["plan"])
    assert [one.code for one in rows(sqlite_clinic, Incident)] == ["E_NOBODY"]
    assert sound(sqlite_clinic)


def test_a_late_approval_goes_to_those_above(sqlite_clinic: Clinic, clock: TurnedClock) -> None:
    clinic = sqlite_clinic
    planned(clinic)
    turn(clinic, clock, timedelta(hours=4))
    assert [one.how for one in listed(clinic, "max")] == ["escalated"]
    decide(clinic, "max", "approved")
    assert sound(clinic)


def test_the_task_says_that_it_is_an_approval(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    planned(clinic)
    actor, task = clinic.actor("sue"), listed(clinic, "sue")[0].id
    with clinic.database.read() as session:
        view = read_task(session, actor, task)
    assert view.approval
    assert [(one.key, one.comment) for one in view.outcomes] == [
        ("approved", False), ("rejected", True),
    ]  # fmt: skip
