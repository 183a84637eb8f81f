"""The work list over the API, narrowed by what stands in the address."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from careloom.platform.web.app import create_app

from ..clinic import Clinic, listed
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
