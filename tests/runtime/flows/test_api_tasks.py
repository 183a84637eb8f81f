"""The work list over the API, narrowed by what stands in the address."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.web.app import create_app
from careloom.runtime.flows.control import cancel
from careloom.runtime.tasks.model import Task

from ..clinic import Clinic, done, listed, rows
from .test_api import Caller


@pytest.fixture
def ann(sqlite_clinic: Clinic) -> Caller:
    """Ann, with the first calls to two leads before her, of whom she has taken one."""
    sqlite_clinic.started("李雷", owner=str(sqlite_clinic.people["ann"]))
    sqlite_clinic.started("韩梅", owner=str(sqlite_clinic.people["ann"]))
    return Caller(sqlite_clinic, create_app(sqlite_clinic.database).test_client(), "ann")


def found(ann: Caller, **asked: object) -> list[str]:
    status, page = ann.get(f"/api/tasks?{urlencode(asked)}")
    assert status == 200, page
    assert page["total"] == len(page["items"])
    return sorted(item["id"] for item in page["items"])


def test_each_condition_narrows_the_list(sqlite_clinic: Clinic, ann: Caller) -> None:
    all_ = found(ann)
    tasks = listed(sqlite_clinic, "ann")
    assert all_ == sorted(str(task.id) for task in tasks)
    one = tasks[0]
    assert found(ann, flow="follow_up", step=one.step_key) == all_
    assert found(ann, flow="other") == found(ann, step="invite") == []
    assert found(ann, form="lead", subject=one.subject_id) == [str(one.id)]
    assert found(ann, holder=sqlite_clinic.people["ann"]) == []
    assert ann.post(f"/api/tasks/{one.id}/claim")[0] == 200
    assert found(ann, holder=sqlite_clinic.people["ann"]) == [str(one.id)]
    assert one.due_at is not None
    assert found(ann, due_before=one.due_at.isoformat()) == []
    assert str(one.id) in found(ann, due_before=(one.due_at + timedelta(1)).isoformat())


@pytest.mark.parametrize(
    "asked", ["subject=x", "holder=-", "due_before=soon", "due_before=2026-03-03T10:00", "colour=1"]
)
def test_what_is_no_condition_is_refused(ann: Caller, asked: str) -> None:
    assert ann.get(f"/api/tasks?{asked}")[0] == 400


def ids(asker: Caller, **asked: object) -> list[str]:
    status, page = asker.get(f"/api/tasks?{urlencode(asked)}")
    assert status == 200, page
    return [item["id"] for item in page["items"]]


def test_what_one_has_done_and_what_was_dropped_is_listed_too(
    sqlite_clinic: Clinic, ann: Caller
) -> None:
    one = listed(sqlite_clinic, "ann")[0].id
    assert ids(ann, state="done") == ids(ann, state="cancelled") == []
    done(sqlite_clinic, "ann", one, result="answered")
    assert ids(ann, state="done") == [str(one)]
    assert ids(ann, state="done", flow="other") == []
    bob = Caller(sqlite_clinic, ann.http, "bob")
    assert ids(bob, state="done") == []
    (invite,) = (task for task in listed(sqlite_clinic, "ann") if task.step_key == "invite")
    sqlite_clinic.database.write(lambda s: cancel(s, SYSTEM, invite.instance_id))
    assert ids(ann, state="cancelled") == [str(invite.id)]
    assert ids(bob, state="cancelled") == []


def test_everybodys_tasks_are_for_those_who_see_what_flows_do_and_their_records(
    sqlite_clinic: Clinic, ann: Caller
) -> None:
    away = sqlite_clinic.started("王五", clinic=str(sqlite_clinic.units["two"]))
    all_ = [str(task.id) for task in rows(sqlite_clinic, Task)][::-1]
    assert ann.get("/api/tasks?mine=false")[0] == 403
    boss = Caller(sqlite_clinic, ann.http, "max")
    sue = Caller(sqlite_clinic, ann.http, "sue")
    assert ids(boss, mine="false") == all_
    assert len(all_) == 3
    of_branch = ids(sue, mine="false")
    assert of_branch == [one for one in all_ if one not in ids(boss, mine="false", subject=away)]
    assert ids(boss, mine="true") == []
    task = listed(sqlite_clinic, "ann")[0].id
    done(sqlite_clinic, "ann", task, result="answered")
    assert ids(sue, mine="false", state="done") == [str(task)]
    assert str(task) not in ids(sue, mine="false")


def test_everybodys_are_had_page_by_page(sqlite_clinic: Clinic, ann: Caller) -> None:
    sue = Caller(sqlite_clinic, ann.http, "sue")
    first = sue.get("/api/tasks?mine=false&limit=1")[1]
    assert first["total"] is None
    second = sue.get(f"/api/tasks?mine=false&limit=1&cursor={first['next']}")[1]
    found = [item["id"] for page in (first, second) for item in page["items"]]
    assert (found, second["next"]) == (ids(sue, mine="false"), None)
