"""Handing tasks on over HTTP, and on pages without script."""

import pytest
from flask.testing import FlaskClient
from served import Site

from careloom.platform.web.app import create_app
from careloom.runtime.tasks.hold import found

from ..clinic import Clinic, flow_of, listed
from .test_api import Caller
from .test_approve import END, PLAN, approval


@pytest.fixture
def http(sqlite_clinic: Clinic) -> FlaskClient:
    return create_app(sqlite_clinic.database).test_client()


def test_a_task_goes_from_hand_to_hand(sqlite_clinic: Clinic, http: FlaskClient) -> None:
    sqlite_clinic.started()
    ann, sue = (Caller(sqlite_clinic, http, login) for login in ("ann", "sue"))
    people = {login: str(at) for login, at in sqlite_clinic.people.items()}
    (line,) = ann.get("/api/tasks")[1]["items"]
    path = f"/api/tasks/{line['id']}"
    status, lent = ann.post(f"{path}/delegate", to=people["sue"], comment="Please look")
    assert (status, lent["delegated_by"], lent["holder"]["name"]) == (200, people["ann"], "Sue")
    status, back = sue.post(f"{path}/complete", comment="Call again at noon")
    assert (status, back["state"], back["holder"]["id"]) == (200, "open", people["ann"])
    assert [note["text"] for note in back["notes"]] == ["Please look", "Call again at noon"]
    status, problem = ann.post(f"{path}/reassign", to=people["zoe"])
    assert (status, problem["problems"][0]["path"]) == (422, "/to")
    assert "Zoe" in problem["problems"][0]["message"]
    status, given = ann.post(f"{path}/reassign", to=people["bob"], record=True)
    assert (status, given["holder"]["name"], given["subject"]["label"]) == (200, "Bob", None)
    assert ann.post(f"{path}/complete", values={"result": "answered"})[0] == 404
    assert Caller(sqlite_clinic, http, "bob").get(path)[1]["may_complete"] is True


def test_a_task_is_hurried_and_commented_on(sqlite_clinic: Clinic, http: FlaskClient) -> None:
    sqlite_clinic.started()
    ann, sue, zoe = (Caller(sqlite_clinic, http, login) for login in ("ann", "sue", "zoe"))
    (line,) = ann.get("/api/tasks")[1]["items"]
    path = f"/api/tasks/{line['id']}"
    assert sue.post(f"{path}/remind")[0] == 200
    status, problem = sue.post(f"{path}/remind")
    assert (status, problem["status"]) == (429, 429)
    status, made = sue.post(f"{path}/comment", comment="They wait for us")
    assert status == 201
    (note,) = [one for one in ann.get(path)[1]["notes"] if one["kind"] == "comment"]
    assert (note["id"], note["text"]) == (made["id"], "They wait for us")
    for verb, body in (("remind", {}), ("comment", {"comment": "hi"})):
        assert zoe.post(f"{path}/{verb}", **body)[0] == 404
    instance = Caller(sqlite_clinic, http, "max").get(f"/api/instances/{line['instance']}")[1]
    assert [one["kind"] for one in instance["notes"]] == ["reminded", "comment"]


def test_an_approval_is_given_or_refused_by_its_own_verb(
    sqlite_clinic: Clinic, http: FlaskClient
) -> None:
    sqlite_clinic.publish("flow", flow_of(PLAN, approval(), END))
    sqlite_clinic.started()
    ann, sue = (Caller(sqlite_clinic, http, login) for login in ("ann", "sue"))
    plan = listed(sqlite_clinic, "ann")[0].id
    assert ann.post(f"/api/tasks/{plan}/approve")[0] == 422  # it is no approval
    ann.post(f"/api/tasks/{plan}/complete", values={"result": "answered"})
    path = f"/api/tasks/{listed(sqlite_clinic, 'sue')[0].id}"
    assert ann.post(f"{path}/approve")[0] == 404
    status, problem = sue.post(f"{path}/reject")
    assert (status, problem["problems"][0]["path"]) == (422, "/comment")
    status, done = sue.post(f"{path}/reject", comment="Too dear")
    assert (status, done["state"], done["outcome"]) == (200, "done", "rejected")
    again = listed(sqlite_clinic, "ann")[0].id
    ann.post(f"/api/tasks/{again}/complete", values={"result": "answered"})
    status, done = sue.post(f"/api/tasks/{listed(sqlite_clinic, 'sue')[0].id}/approve")
    assert (status, done["outcome"]) == (200, "approved")
    assert sue.post(f"{path}/approve")[0] == 409


def test_pages_hand_a_task_on_without_script(site: Site) -> None:
    site.bring_leads(3)
    agent, manager = site.client("agent"), site.client("manager")
    supervisor = site.client("supervisor", "en")
    home = agent.get("/").text
    task = home.split('href="/tasks/')[1].split('"')[0]
    page = agent.get(f"/tasks/{task}/hand-over")
    assert page.status == 200
    assert "许敏" in page.text  # the supervisor may do it
    assert "沈嘉木" not in page.text  # the doctor may not
    assert agent.post(f"/tasks/{task}/hand-over", to="", way="give").status == 422
    sup = str(site.actor("supervisor").person_id)
    agent.get(f"/tasks/{task}/hand-over")
    answer = agent.post(f"/tasks/{task}/hand-over", to=sup, way="ask", comment="客户很急")
    assert answer.to == "/"
    seen = supervisor.get(f"/tasks/{task}").text
    assert "王晓雯 asks you to look at this" in seen
    assert "客户很急" in seen
    assert supervisor.post(f"/tasks/{task}/complete", _comment="").status == 422
    assert supervisor.post(f"/tasks/{task}/complete", _comment="明早再打").to == "/"
    seen = agent.get(f"/tasks/{task}").text
    assert "明早再打" in seen
    assert "许敏 回复 王晓雯" in seen
    assert agent.post(f"/tasks/{task}/comment", comment="好的").to == f"/tasks/{task}"
    run = seen_run(site, task)
    page_of_run = manager.get(run).text
    assert f"/tasks/{task}/hand-over" in page_of_run
    assert "好的" in page_of_run
    assert manager.post(f"/tasks/{task}/remind", next="instance").to == run
    assert "刚催办过" not in manager.get(run).text
    manager.post(f"/tasks/{task}/remind", next="instance")
    assert "刚催办过" in manager.get(run).text
    assert "催办</span>" in agent.get("/").text


def seen_run(site: Site, task: str) -> str:
    with site.database.read() as session:
        return f"/instances/{found(session, int(task)).instance_id}"
