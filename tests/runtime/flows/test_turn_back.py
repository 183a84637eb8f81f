"""A task returned to a step that was done before, and walked again from there."""

from typing import Any

import pytest

from careloom.platform.store.errors import Conflict, Invalid, NotAllowed, NotFound
from careloom.platform.web.app import create_app
from careloom.runtime.flows.model import Instance, StepTaken
from careloom.runtime.flows.turn_back import turn_back
from careloom.runtime.tasks.model import Task

from ..clinic import FIRST_CALL, Clinic, done, flow_of, listed, rows, sound
from .test_api import Caller
from .test_approve import END, PLAN, approval

Document = dict[str, Any]
WORD: Document = {
    "key": "word",
    "kind": "task",
    "title": "A word from the supervisor",
    "who": {"role": "supervisor"},
    "may_return": True,
}
CALL = {key: value for key, value in FIRST_CALL.items() if key not in ("due", "limits")}
ALONG: Document = {
    "key": "which",
    "kind": "branch",
    "cases": [
        {"key": "yes", "when": 'first_call.result = "answered"', "steps": [WORD]},
        {"key": "no", "steps": []},
    ],
}


def back(clinic: Clinic, login: str, to: str | None = None, said: str | None = "Ask again") -> None:
    actor, task = clinic.actor(login), listed(clinic, login)[0].id
    clinic.database.write(lambda s: turn_back(s, actor, task, to, said))


def test_a_task_goes_back_to_the_step_before_and_the_flow_is_walked_again(clinic: Clinic) -> None:
    clinic.publish("flow", flow_of({**CALL, "who": {"role": "agent"}}, ALONG, END))
    clinic.started()
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    back(clinic, "sue", said="Which tooth?")
    (again,) = listed(clinic, "ann")
    assert again.step_key == "first_call"
    assert listed(clinic, "sue") == []
    done(clinic, "ann", again.id, result="answered")
    (word,) = listed(clinic, "sue")
    done(clinic, "sue", word.id)
    (instance,) = rows(clinic, Instance)
    assert instance.state == "ended"
    returned = [task for task in rows(clinic, Task) if task.outcome == "returned"]
    assert [(task.state, task.comment) for task in returned] == [("done", "Which tooth?")]
    assert [step.case_key for step in rows(clinic, StepTaken) if step.step_key == "word"] == [
        "returned",
        None,
    ]
    assert sound(clinic)


def test_it_goes_only_where_it_has_been_and_with_a_reason(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    extra: Document = {**WORD, "key": "later", "title": "Later"}
    clinic.publish("flow", flow_of({**CALL, "who": {"role": "agent"}}, ALONG, extra, END))
    clinic.started()
    with pytest.raises(NotAllowed):  # the call is not to be returned
        back(clinic, "ann", "first_call")
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    for to, said, path in (
        ("later", "Why not", "/to"),  # it has not been there
        ("word", "Why not", "/to"),  # it is there
        (None, " ", "/comment"),
    ):
        with pytest.raises(Invalid) as refused:
            back(clinic, "sue", to, said)
        assert [problem.path for problem in refused.value.problems] == [path]
    task = listed(clinic, "sue")[0].id
    ann, sue = clinic.actor("ann"), clinic.actor("sue")
    with pytest.raises(NotFound):
        clinic.database.write(lambda s: turn_back(s, ann, task, None, "x"))
    done(clinic, "sue", task)
    with pytest.raises(Conflict):
        clinic.database.write(lambda s: turn_back(s, sue, task, None, "x"))
    back(clinic, "sue", None)  # `word` stands in a branch that is over: the call is what is left
    assert [row.step_key for row in listed(clinic, "ann")] == ["first_call"]
    assert sound(clinic)


def test_an_approval_of_all_is_returned_by_any_of_them(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    who = ({"role": "supervisor"}, {"role": "manager"})
    clinic.publish("flow", flow_of(PLAN, approval(*who, by="all", may_return=True), END))
    clinic.started()
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    assert listed(clinic, "max")
    back(clinic, "sue", "plan")
    assert listed(clinic, "max") == []
    assert [row.step_key for row in listed(clinic, "ann")] == ["plan"]
    assert sound(clinic)


def test_it_is_returned_over_http_and_says_so(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    clinic.publish("flow", flow_of(PLAN, approval(may_return=True), END))
    clinic.started()
    http = create_app(clinic.database).test_client()
    ann, sue, max_ = (Caller(clinic, http, login) for login in ("ann", "sue", "max"))
    plan = ann.get("/api/tasks")[1]["items"][0]["id"]
    ann.post(f"/api/tasks/{plan}/complete", values={"result": "answered"})
    (line,) = sue.get("/api/tasks")[1]["items"]
    path = f"/api/tasks/{line['id']}/return"
    assert sue.post(path, comment=" ")[0] == 422
    status, after = sue.post(path, comment="Add the price", to="plan")
    assert (status, after["state"], after["outcome"]) == (200, "done", "returned")
    assert ann.get("/api/tasks")[1]["items"][0]["step"] == "plan"
    steps = max_.get(f"/api/instances/{line['instance']}")[1]["steps"]
    assert [step["case"] for step in steps if step["step"] == "approve"] == ["returned"]
