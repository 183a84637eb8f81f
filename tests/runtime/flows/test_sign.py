"""One more person signs an approval: beside whoever is asked, or after them."""

from datetime import timedelta

import pytest

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Conflict, Invalid, NotAllowed, NotFound
from careloom.platform.web.app import create_app
from careloom.runtime.flows.model import Instance
from careloom.runtime.flows.sign import add_sign
from careloom.runtime.tasks.model import Task, TaskNote
from careloom.runtime.timers.model import Timer

from ..clinic import Clinic, listed, rows, sound, turn
from .test_api import Caller
from .test_approve import decide, ended, planned


def sign(clinic: Clinic, login: str, to: str, way: str = "beside", said: str | None = None) -> int:
    actor, task = clinic.actor(login), listed(clinic, login)[0].id
    person = clinic.people[to]
    return clinic.database.write(lambda s: add_sign(s, actor, task, person, way, said))


def test_beside_both_have_to_say_yes_in_any_order(clinic: Clinic) -> None:
    planned(clinic)
    sign(clinic, "sue", "max", said="你也看一下")
    decide(clinic, "max", "approved")
    assert ended(clinic).state == "running"
    decide(clinic, "sue", "approved")
    assert ended(clinic).state == "ended"
    (note,) = rows(clinic, TaskNote)
    assert (note.kind, note.to_id, note.text) == ("signer", clinic.people["max"], "你也看一下")
    assert sound(clinic)


def test_after_ones_own_yes_the_other_has_to_say_yes(clinic: Clinic) -> None:
    planned(clinic)
    sign(clinic, "sue", "max", "after")
    assert listed(clinic, "sue") == []
    assert ended(clinic).state == "running"
    decide(clinic, "max", "approved")
    assert ended(clinic).state == "ended"
    assert [task.outcome for task in rows(clinic, Task)] == [None, "approved", "approved"]
    assert sound(clinic)


def test_a_no_of_either_is_a_no(clinic: Clinic) -> None:
    planned(clinic)
    sign(clinic, "sue", "max")
    decide(clinic, "max", "rejected", "too dear")
    assert listed(clinic, "sue") == []
    assert [task.step_key for task in listed(clinic, "ann")] == ["plan"]
    assert sound(clinic)


def test_who_signs_too_has_the_steps_whole_time_and_its_limits(
    clinic: Clinic, clock: TurnedClock
) -> None:
    planned(clinic)
    turn(clinic, clock, timedelta(hours=1))
    sign(clinic, "sue", "ann", "after")
    (asked,) = listed(clinic, "ann")
    assert asked.due_at == clock.now() + timedelta(hours=4)
    turn(clinic, clock, timedelta(hours=3))
    assert listed(clinic, "max") == [], "sue has said yes: her own limit went with her task"
    turn(clinic, clock, timedelta(hours=1))
    (seen,) = listed(clinic, "max")
    assert (seen.id, seen.how, seen.overdue) == (asked.id, "escalated", True)
    decide(clinic, "ann", "approved")
    assert ended(clinic).state == "ended"
    assert rows(clinic, Timer) == []
    assert sound(clinic)


def test_nobody_signs_twice_and_only_who_may_see_it(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    planned(clinic)
    sign(clinic, "sue", "max")
    for to in ("sue", "max", "zoe"):
        with pytest.raises(Invalid) as refusal:
            sign(clinic, "sue", to)
        assert [one.path for one in refusal.value.problems] == ["/to"]
    task = listed(clinic, "sue")[0].id
    ann = clinic.actor("ann")
    with pytest.raises(NotFound):
        clinic.database.write(lambda s: add_sign(s, ann, task, clinic.people["max"]))
    decide(clinic, "sue", "approved")
    with pytest.raises(Conflict):
        sue = clinic.actor("sue")
        clinic.database.write(lambda s: add_sign(s, sue, task, clinic.people["max"]))


def test_only_an_approval_is_signed(sqlite_clinic: Clinic) -> None:
    sqlite_clinic.started()
    with pytest.raises(NotAllowed):
        sign(sqlite_clinic, "ann", "sue")


def test_over_the_api_it_answers_with_the_tasks_line(sqlite_clinic: Clinic) -> None:
    planned(sqlite_clinic)
    sue = Caller(sqlite_clinic, create_app(sqlite_clinic.database).test_client(), "sue")
    path = f"/api/tasks/{listed(sqlite_clinic, 'sue')[0].id}/add-sign"
    to = str(sqlite_clinic.people["max"])
    assert sue.post(path, to=to, way="before")[0] == 400
    status, line = sue.post(path, to=to, way="after")
    assert (status, line["state"], line["outcome"]) == (200, "done", "approved")
    assert rows(sqlite_clinic, Instance)[0].state == "running"
