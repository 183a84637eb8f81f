"""Tasks and instances over HTTP, as a program with an access token asks for them."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.access_tokens import issue
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import change
from careloom.platform.web.app import create_app
from careloom.runtime.work.dispatch import drain

from ..clinic import CALL, LEAD, Clinic, flow_of, listed

OF_LEAD, OF_CALL = "110101199003070038", "110101199003070054"


class Caller:
    """A person's program."""

    def __init__(self, clinic: Clinic, http: FlaskClient, login: str) -> None:
        actor = clinic.actor(login)
        person = clinic.people[login]
        issued = clinic.database.write(lambda s: issue(s, actor, person, "test"))
        self.http = http
        self.headers = {"Authorization": f"Bearer {issued[1]}", "Accept-Language": "en"}

    def get(self, path: str) -> tuple[int, Any]:
        answer = self.http.get(path, headers=self.headers)
        return answer.status_code, answer.get_json()

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        answer = self.http.post(path, headers=self.headers, json=body)
        return answer.status_code, answer.get_json()


@pytest.fixture
def http(sqlite_clinic: Clinic) -> FlaskClient:
    return create_app(sqlite_clinic.database).test_client()


def test_a_task_is_listed_read_and_completed(sqlite_clinic: Clinic, http: FlaskClient) -> None:
    sqlite_clinic.started()
    ann = Caller(sqlite_clinic, http, "ann")
    status, page = ann.get("/api/tasks?state=open&mine=true")
    assert (status, page["total"], page["next"]) == (200, 1, None)
    (line,) = page["items"]
    assert line["subject"]["label"] == "李雷"
    assert line["due_at"] == "2026-03-03T02:15:00Z"
    status, task = ann.get(f"/api/tasks/{line['id']}")
    assert (status, task["form"], task["rights"]["lead"]) == (200, "call", "read")
    status, problem = ann.post(f"/api/tasks/{line['id']}/complete", values={"note": "x"})
    assert (status, problem["problems"][0]["path"]) == (422, "/result")
    status, task = ann.post(f"/api/tasks/{line['id']}/complete", values={"result": "answered"})
    assert (status, task["state"], task["may_complete"]) == (200, "done", False)
    status, problem = ann.post(f"/api/tasks/{line['id']}/complete", values={"result": "answered"})
    assert status == 409
    assert problem["type"].endswith("E_TASK_DONE") or "Ann" in problem["detail"]


def test_an_answer_that_is_kept_holds_no_encrypted_value(
    sqlite_clinic: Clinic, http: FlaskClient, tmp_path: Path
) -> None:
    """Neither of the task's own form nor of the record that it is about."""
    id_no = {"id_no": {"type": "string", "x-widget": "id_card", "x-title": "ID"}}
    for form in (LEAD, CALL):
        fields = form["properties"] | id_no
        layout = [{"key": "all", "fields": list(fields)}]
        document = {**form, "properties": fields, "x-layout": layout}
        sqlite_clinic.database.write(lambda s, d=document: publish_document(s, SYSTEM, "form", d))
    lead = sqlite_clinic.started()
    values = {"id_no": OF_LEAD}
    sqlite_clinic.database.write(lambda s: change(s, SYSTEM, "lead", lead, values))
    ann = Caller(sqlite_clinic, http, "ann")
    ann.headers["Idempotency-Key"] = "once"
    (task,) = listed(sqlite_clinic, "ann")
    sent = {"result": "answered", "id_no": OF_CALL}
    _, answer = ann.post(f"/api/tasks/{task.id}/complete", values=sent)
    assert (answer["values"]["id_no"], answer["about"]["values"]["id_no"]) == (OF_CALL, OF_LEAD)
    _, again = ann.post(f"/api/tasks/{task.id}/complete", values=sent)
    assert again["values"]["result"] == "answered" and again["about"]["values"]["name"]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("careloom.db*"))
    assert b"answered" in kept
    assert OF_LEAD.encode() not in kept and OF_CALL.encode() not in kept


def test_a_task_of_others_is_not_found(sqlite_clinic: Clinic, http: FlaskClient) -> None:
    sqlite_clinic.started()
    (task,) = listed(sqlite_clinic, "ann")
    zoe = Caller(sqlite_clinic, http, "zoe")
    assert zoe.get("/api/tasks")[1]["items"] == []
    for status, _ in (
        zoe.get(f"/api/tasks/{task.id}"),
        zoe.post(f"/api/tasks/{task.id}/claim"),
        zoe.post(f"/api/tasks/{task.id}/complete", values={"result": "answered"}),
    ):
        assert status == 404


def test_an_instance_is_started_read_and_stopped(sqlite_clinic: Clinic, http: FlaskClient) -> None:
    lead = sqlite_clinic.lead(status="won")
    max_ = Caller(sqlite_clinic, http, "max")
    status, instance = max_.post("/api/flows/follow_up/instances", record=str(lead))
    assert (status, instance["state"]) == (201, "running")
    assert [step["step"] for step in instance["steps"]] == ["dedupe", "assign", "first_call"]
    assert [event["name"] for event in instance["events"]] == ["flow:started", "task:offered"]
    assert instance["tokens"][0]["step"] == "first_call"
    path = f"/api/instances/{instance['id']}"
    for verb, state in [("suspend", "suspended"), ("resume", "running"), ("cancel", "cancelled")]:
        status, instance = max_.post(f"{path}/{verb}")
        assert (status, instance["state"]) == (200, state)
    assert max_.post(f"{path}/resume")[0] == 409
    status, page = max_.get("/api/flows/follow_up/instances?state=cancelled")
    assert (status, [line["id"] for line in page["items"]]) == (200, [instance["id"]])
    sid = Caller(sqlite_clinic, http, "sid")
    assert sid.get(path)[0] == 404
    assert sid.post(f"{path}/cancel")[0] == 403
    assert Caller(sqlite_clinic, http, "ann").get(path)[0] == 403
    assert max_.post("/api/flows/follow_up/instances")[0] == 400
    assert max_.post("/api/flows/nothing/instances", record=str(lead))[0] == 404


def test_an_event_is_raised_by_those_who_may_change_the_record(
    sqlite_clinic: Clinic, http: FlaskClient
) -> None:
    clinic = sqlite_clinic
    wait = {"key": "back", "kind": "wait", "event": "lead.reactivated"}
    clinic.publish("flow", flow_of(wait, {"key": "end", "kind": "end", "result": "back"}))
    lead = clinic.started()
    path = f"/api/records/lead/{lead}/events"
    sue, zoe, max_ = (Caller(clinic, http, login) for login in ("sue", "zoe", "max"))
    assert zoe.post(path, event="lead.reactivated")[0] == 404
    assert max_.post(path, event="lead.reactivated")[0] == 403
    assert sue.post(path, event="Lead reactivated!")[0] == 400
    instances = "/api/flows/follow_up/instances"
    (line,) = max_.get(instances)[1]["items"]
    waits = max_.get(f"/api/instances/{line['id']}")[1]["waits"]
    assert [(one["kind"], one["what"]) for one in waits] == [("event", "lead.reactivated")]
    assert sue.post(path, event="lead.reactivated")[0] == 200
    drain(clinic.database)
    (line,) = max_.get(instances)[1]["items"]
    assert (line["state"], line["result"]) == ("ended", "back")


def test_messages_are_listed_and_read(sqlite_clinic: Clinic, http: FlaskClient) -> None:
    clinic = sqlite_clinic
    tell = {
        "key": "tell",
        "kind": "notify",
        "who": [{"key": "agents", "role": "agent"}],
        "text": "新线索",
    }
    clinic.publish("flow", flow_of(tell, {"key": "end", "kind": "end"}))
    clinic.started()
    ann, zoe = Caller(clinic, http, "ann"), Caller(clinic, http, "zoe")
    (message,) = ann.get("/api/messages")[1]["items"]
    assert (message["text"], message["read_at"]) == ("新线索", None)
    assert zoe.get("/api/messages")[1]["items"] == []
    path = f"/api/messages/{message['id']}/read"
    assert zoe.post(path)[0] == 404
    assert [ann.post(path)[0], ann.post(path)[0]] == [200, 200]
    assert ann.get("/api/messages")[1]["items"][0]["read_at"] is not None
