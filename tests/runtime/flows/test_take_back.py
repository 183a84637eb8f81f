"""A task taken back by who completed it, while nobody has begun what comes after."""

from typing import Any

import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import list_records
from careloom.platform.store.errors import Conflict, NotAllowed, NotFound
from careloom.platform.web.app import create_app
from careloom.runtime.flows.read import read_task
from careloom.runtime.flows.take_back import take_back
from careloom.runtime.tasks.hold import claim
from careloom.runtime.tasks.model import Task

from ..clinic import FIRST_CALL, Clinic, done, flow_of, listed, rows, sound
from .test_api import Caller
from .test_approve import END

Document = dict[str, Any]
CALL = {key: value for key, value in FIRST_CALL.items() if key not in ("due", "limits")}
WORD: Document = {
    "key": "word",
    "kind": "task",
    "title": "A word from the supervisor",
    "who": {"role": "supervisor"},
}


def called(clinic: Clinic, *between: Document) -> int:
    """A lead that Ann has called; the task she completed."""
    clinic.publish("flow", flow_of({**CALL, "who": {"role": "agent"}}, *between, WORD, END))
    clinic.started()
    task = listed(clinic, "ann")[0].id
    done(clinic, "ann", task, result="no_answer", note="silent")
    return task


def back(clinic: Clinic, login: str, task: int) -> int:
    actor = clinic.actor(login)
    return clinic.database.write(lambda s: take_back(s, actor, task))


def test_it_is_open_again_with_what_was_written_and_makes_no_second_record(clinic: Clinic) -> None:
    task = called(clinic)
    again = back(clinic, "ann", task)
    assert listed(clinic, "sue") == []
    (line,) = listed(clinic, "ann")
    assert (line.id, line.step_key, line.holder) == (again, "first_call", line.holder)
    with clinic.database.read() as session:
        assert read_task(session, clinic.actor("ann"), again).values["note"] == "silent"
    done(clinic, "ann", again, result="answered")
    with clinic.database.read() as session:
        (call,) = list_records(session, SYSTEM, "call").items
    assert (call.values["result"], call.values["note"]) == ("answered", "silent")
    assert [one.step_key for one in listed(clinic, "sue")] == ["word"]
    assert [one.state for one in rows(clinic, Task)] == ["done", "cancelled", "done", "open"]
    assert sound(clinic)


def test_what_was_done_before_at_the_same_moment_is_not_in_the_way(sqlite_clinic: Clinic) -> None:
    done(sqlite_clinic, "sue", _word_before_the_call(sqlite_clinic))
    task = listed(sqlite_clinic, "ann")[0].id
    done(sqlite_clinic, "ann", task, result="no_answer")
    assert back(sqlite_clinic, "ann", task)


def _word_before_the_call(clinic: Clinic) -> int:
    before = {**WORD, "key": "before"}
    clinic.publish("flow", flow_of(before, {**CALL, "who": {"role": "agent"}}, WORD, END))
    clinic.started()
    return listed(clinic, "sue")[0].id


def test_what_somebody_has_begun_is_not_taken_back(clinic: Clinic) -> None:
    task = called(clinic)
    word, sue = listed(clinic, "sue")[0].id, clinic.actor("sue")
    clinic.database.write(lambda s: claim(s, sue, word))
    with pytest.raises(Conflict) as refusal:
        back(clinic, "ann", task)
    assert refusal.value.code == "E_GONE_ON"
    done(clinic, "sue", word)
    with pytest.raises(Conflict):
        back(clinic, "ann", task)


def test_only_who_completed_it_takes_it_back(sqlite_clinic: Clinic) -> None:
    task = called(sqlite_clinic)
    with pytest.raises(NotAllowed):
        back(sqlite_clinic, "bob", task)
    with pytest.raises(NotFound):
        back(sqlite_clinic, "zoe", task)
    word = listed(sqlite_clinic, "sue")[0].id
    with pytest.raises(NotAllowed):
        back(sqlite_clinic, "sue", word)


def test_a_record_made_meanwhile_or_a_message_sent_stands(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    made = {"key": "m", "action": "create", "form": "customer", "values": {"name": "name"}}
    told: Document = {
        "key": "tell",
        "kind": "notify",
        "text": "Called",
        "who": [{"key": "s", "role": "supervisor"}],
    }
    for between in ({"key": "more", "kind": "action", "do": [made]}, told):
        task = called(clinic, between)
        with pytest.raises(Conflict):
            back(clinic, "ann", task)
        done(clinic, "sue", listed(clinic, "sue")[-1].id)


def test_over_the_api_it_answers_with_the_task_that_is_open_instead(sqlite_clinic: Clinic) -> None:
    task = called(sqlite_clinic)
    ann = Caller(sqlite_clinic, create_app(sqlite_clinic.database).test_client(), "ann")
    status, line = ann.post(f"/api/tasks/{task}/take-back")
    assert (status, line["state"], line["id"] != str(task)) == (200, "open", True)
    assert ann.post(f"/api/tasks/{task}/take-back")[0] == 409
