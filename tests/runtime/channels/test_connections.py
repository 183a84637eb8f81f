"""Connections: who sets them up, what is kept of them, what a trial shows; a run's page."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from receiver import Receiver, says
from sqlalchemy import text

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.access_tokens import issue
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.grants import give
from careloom.platform.outbound.addresses import read_allowed
from careloom.platform.records.new_key import ask_for, in_use
from careloom.platform.records.standing import begin_keys, require_standing
from careloom.platform.store import jobs
from careloom.platform.store.database import open_database
from careloom.platform.store.encrypted import keyring
from careloom.platform.store.errors import Conflict
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.channels.connection_api import CLIENT
from careloom.runtime.work.dispatch import drain

from ..clinic import Clinic, form, rows, sound
from ..clinic import text as field
from .ring import END, TELL, Ring, client_for, is_signed, ring_in

PATH = "/api/connections"


class Caller:
    """A person's program, and their browser."""

    def __init__(self, clinic: Clinic, http: FlaskClient, login: str) -> None:
        actor = clinic.actor(login)
        person = clinic.people[login]
        token = clinic.database.write(lambda s: issue(s, actor, person, "test"))[1]
        self.http = http
        self.headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}

    def ask(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        sent = {} if method in ("GET", "DELETE") else {"json": body}
        answer = self.http.open(path, method=method, headers=self.headers, **sent)
        return answer.status_code, answer.get_json() if answer.text else None


@pytest.fixture
def served(sqlite_clinic: Clinic, receiver: Receiver) -> FlaskClient:
    """Max administers connections."""
    database = sqlite_clinic.database
    role = {"format": 1, "key": "it", "title": "IT", "rights": ["connections.write"], "forms": {}}
    database.write(lambda s: publish_document(s, SYSTEM, "role", role))
    max_, group = sqlite_clinic.people["max"], sqlite_clinic.units["group"]
    database.write(lambda s: give(s, SYSTEM, max_, "it", group))
    allowed = f"http://127.0.0.1:{receiver.port}"
    settings = settings_from({"CARELOOM_HOME": str(database.home), "CARELOOM_OUTBOUND": allowed})
    app = create_app(database, settings)
    app.extensions[CLIENT] = client_for(receiver)
    return app.test_client()


def address(receiver: Receiver, path: str = "/hook?key=topsecret") -> str:
    return f"http://127.0.0.1:{receiver.port}{path}"


def test_only_who_may_administers_connections(
    sqlite_clinic: Clinic, served: FlaskClient, receiver: Receiver
) -> None:
    sue = Caller(sqlite_clinic, served, "sue")
    for method, path in (
        ("GET", PATH),
        ("PUT", f"{PATH}/finance"),
        ("DELETE", f"{PATH}/finance"),
        ("POST", f"{PATH}/finance/secret"),
        ("POST", f"{PATH}/finance/try"),
        ("POST", f"{PATH}/finance/give-up"),
        ("GET", "/connections"),
        ("GET", "/connections/finance"),
    ):
        status, _ = sue.ask(method, path, title="x", address=address(receiver))
        assert status == 403, path
    assert not receiver.reached


def test_a_connection_is_set_up_tried_changed_and_removed(
    sqlite_clinic: Clinic, served: FlaskClient, receiver: Receiver
) -> None:
    it = Caller(sqlite_clinic, served, "max")
    wanted = {"title": {"en": "Finance"}, "address": address(receiver)}
    wanted |= {"header": "X-Api-Key", "header_value": "shibboleth"}
    status, made = it.ask("PUT", f"{PATH}/finance", **wanted)
    secret = made.pop("secret")
    assert status == 200 and len(secret) == 64
    assert made["host"] == f"127.0.0.1:{receiver.port}" and made["header"] == "X-Api-Key"
    receiver.does = says(200, b"you said topsecret shibboleth " + secret.encode())
    status, trial = it.ask("POST", f"{PATH}/finance/try")
    assert (status, trial["ok"], trial["status"]) == (200, True, 200)
    (asked,) = receiver.asked
    assert is_signed(asked, secret) and asked.headers["x-api-key"] == "shibboleth"
    assert json.loads(asked.body)["careloom"] == "trial"
    assert secret not in trial["said"] and "shibboleth" not in trial["said"]
    receiver.does = says(404, b"nobody")
    assert it.ask("POST", f"{PATH}/finance/try")[1]["code"] == "E_CALL_STATUS"
    # Without a value the header's stays; with another host it is asked for anew.
    status, changed = it.ask("PUT", f"{PATH}/finance", **{**wanted, "header_value": ""})
    assert status == 200 and "secret" not in changed
    status, problem = it.ask(
        "PUT",
        f"{PATH}/finance",
        **{**wanted, "header_value": "", "address": "https://evil.example/"},
    )
    assert (status, problem["problems"][0]["code"]) == (422, "E_CALL_HEADER_ANEW")
    status, renewed = it.ask("POST", f"{PATH}/finance/secret")
    it.ask("POST", f"{PATH}/finance/try")
    assert is_signed(receiver.asked[-1], renewed["secret"]) and renewed["secret"] != secret
    listed = it.ask("GET", PATH)[1]["items"]
    assert [one["key"] for one in listed] == ["finance"]
    page = served.get("/connections", headers=it.headers).text
    one = served.get("/connections/finance", headers=it.headers).text
    shown = json.dumps(listed) + page + one
    assert "shibboleth" not in shown and secret not in shown and renewed["secret"] not in shown
    assert "topsecret" not in json.dumps(listed) + page and "topsecret" in one
    assert it.ask("DELETE", f"{PATH}/finance")[0] == 204
    assert it.ask("POST", f"{PATH}/finance/try")[0] == 404


def test_nothing_secret_is_kept_or_told_in_the_open(
    sqlite_clinic: Clinic, served: FlaskClient, receiver: Receiver
) -> None:
    it = Caller(sqlite_clinic, served, "max")
    wanted = {"title": "Finance", "address": address(receiver), "header": "Authorization"}
    key = {**it.headers, "Idempotency-Key": "renew-1"}
    _, made = it.ask("PUT", f"{PATH}/finance", **wanted, header_value="Bearer shibboleth")
    first = served.post(f"{PATH}/finance/secret", headers=key, json={}).get_json()["secret"]
    again = served.post(f"{PATH}/finance/secret", headers=key, json={}).get_json()["secret"]
    assert again == "" and first
    it.ask("POST", f"{PATH}/finance/try")
    with sqlite_clinic.database.read() as session:
        ask = session.connection().exec_driver_sql
        tables = [row[0] for row in ask("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = "\n".join(repr(ask(f'SELECT * FROM "{name}"').all()) for name in tables)
    for secret in (made["secret"], first, "shibboleth", "topsecret"):
        assert secret not in kept
    assert "connection:tried" in kept


REFUSED = {
    "http://example.com/": "E_CALL_SCHEME",
    "https://127.0.0.1/": "E_CALL_INSIDE",
    "https://[::1]/": "E_CALL_INSIDE",
    "https://169.254.169.254/latest/meta-data/": "E_CALL_INSIDE",
    "https://0x7f.1/": "E_CALL_ADDRESS",
    "https://user@example.com/": "E_CALL_ADDRESS",
    "https://example.com:6379/": "E_CALL_PORT",
    "file:///etc/passwd": "E_CALL_SCHEME",
    "javascript:alert(1)": "E_CALL_SCHEME",
}
HEADERS = (
    *("Host", "Cookie", "Content-Length", "Transfer-Encoding", "Connection", "X-Forwarded-For"),
    *("Proxy-Authorization", "Careloom-Signature", "Idempotency-Key", "X-A: b", "x-a\r\nb"),
)


def test_t58_what_may_not_be_called_is_refused_where_it_is_written(
    sqlite_clinic: Clinic, served: FlaskClient, receiver: Receiver
) -> None:
    it = Caller(sqlite_clinic, served, "max")
    for written, code in REFUSED.items():
        status, problem = it.ask("PUT", f"{PATH}/finance", title="Finance", address=written)
        assert status == 422 and [one["code"] for one in problem["problems"]] == [code], written
    wanted = {"title": "x", "address": address(receiver), "header_value": "y"}
    for header in HEADERS:
        status, problem = it.ask("PUT", f"{PATH}/finance", **wanted, header=header)
        assert status in (400, 422), header
    for value in ("a\r\nX-B: c", "诊所", "a\x00"):
        wanted |= {"header": "X-Api-Key", "header_value": value}
        assert it.ask("PUT", f"{PATH}/finance", **wanted)[0] in (400, 422), value
    assert it.ask("GET", PATH)[1]["items"] == [] and not receiver.reached


def test_what_waits_keeps_a_connection_until_it_is_given_up(
    sqlite_clinic: Clinic, served: FlaskClient, receiver: Receiver
) -> None:
    ring = ring_in(sqlite_clinic, receiver, TELL, END)
    sqlite_clinic.started()
    it = Caller(sqlite_clinic, served, "max")
    assert it.ask("DELETE", f"{PATH}/finance")[0] == 409
    assert it.ask("POST", f"{PATH}/finance/give-up")[0] == 204
    ring.work()
    assert receiver.asked == [] and ring.incidents() == ["E_CALL_TIME_OVER"]
    assert it.ask("DELETE", f"{PATH}/finance")[0] == 204 and sound(sqlite_clinic)


def test_the_page_lists_what_flows_name_and_nobody_has_set_up(
    sqlite_clinic: Clinic, served: FlaskClient, receiver: Receiver
) -> None:
    ring_in(sqlite_clinic, receiver, {**TELL, "connection": "chat_group"}, END)
    it = Caller(sqlite_clinic, served, "max")
    page = served.get("/connections", headers=it.headers).text
    assert 'href="/connections/chat_group"' in page and "finance" in page
    assert served.get("/connections/chat_group", headers=it.headers).status_code == 200
    assert served.get("/connections/No", headers=it.headers).status_code == 404


def test_t27_a_runs_page_tells_of_a_call_what_its_reader_may_read(
    sqlite_clinic: Clinic, served: FlaskClient, receiver: Receiver
) -> None:
    """Who reads the lead but not its mobile sees everything else; the answer's words nobody."""
    rule = {"key": "all", "scope": "all", "actions": ["read"], "fields": {"mobile": "masked"}}
    role = {
        "format": 1, "key": "looks", "title": "Looks", "rights": ["flows.read"],
        "forms": {"lead": [rule]},
    }  # fmt: skip
    database = sqlite_clinic.database
    database.write(lambda s: publish_document(s, SYSTEM, "role", role))
    zoe, group = sqlite_clinic.people["zoe"], sqlite_clinic.units["group"]
    database.write(lambda s: give(s, SYSTEM, zoe, "looks", group))
    again = {
        "key": "again",
        "kind": "call",
        "title": "Again",
        "connection": "finance",
        "body": {"number": "tell.number", "outcome": "tell.outcome"},
    }
    ring = ring_in(sqlite_clinic, receiver, TELL, again, END)
    receiver.does = says(200, b'{"data": {"id": "INV-17"}}')
    sqlite_clinic.lead(mobile="13911112222")
    ring.work()
    (run,) = ring.instances()
    seen = {}
    for login in ("max", "zoe"):
        caller = Caller(sqlite_clinic, served, login)
        status, told = caller.ask("GET", f"/api/instances/{run.id}/calls")
        assert status == 200
        seen[login] = {one["path"]: one["value"] for call in told["items"] for one in call["sent"]}
        page = served.get(f"/instances/{run.id}", headers=caller.headers).text
        assert ("13911112222" in page) is (login == "max") and "INV-17" not in page
    assert seen["max"]["mobile"] == "13911112222" and seen["zoe"]["mobile"] is None
    assert seen["zoe"]["name"] == "李雷" and seen["zoe"]["outcome"] == "answered"
    assert seen["max"]["number"] is None
    assert (
        Caller(sqlite_clinic, served, "sid").ask("GET", f"/api/instances/{run.id}/calls")[0] == 404
    )


def test_the_page_of_a_stuck_run_lets_it_go_on_without(
    sqlite_clinic: Clinic, served: FlaskClient, receiver: Receiver
) -> None:
    ring = ring_in(sqlite_clinic, receiver, TELL, END)
    receiver.does = says(410)
    sqlite_clinic.lead()
    ring.work()
    (run,) = ring.instances()
    it = Caller(sqlite_clinic, served, "max")
    page = served.get(f"/instances/{run.id}", headers=it.headers).text
    assert "410" in page and "/skip" in page
    from careloom.runtime.flows.model import Incident

    (stuck,) = rows(sqlite_clinic, Incident)
    assert it.ask("POST", f"/api/incidents/{stuck.id}/skip")[0] == 204
    assert it.ask("POST", f"/api/incidents/{stuck.id}/skip")[0] == 409
    drain(sqlite_clinic.database)
    assert [one.result for one in ring.instances()] == ["told"] and sound(sqlite_clinic)


def test_a_new_key_writes_connections_and_calls_anew(clinic: Clinic, receiver: Receiver) -> None:
    ring = ring_in(clinic, receiver, TELL, END)
    clinic.publish("form", form("guest", {"name": field("Name")}))
    for number in range(3):
        clinic.lead(f"客户{number}")
    drain(clinic.database)
    database = clinic.database
    ring_of = keyring(database.home)
    number = ring_of.rotate()
    database.write(lambda session: ask_for(session, SYSTEM, number))
    with database.read() as session:
        assert in_use(session, 1)
    jobs.run(database)
    with database.read() as session:
        assert not in_use(session, 1)
        kept = session.execute(text("SELECT address, secret FROM connection")).one()
        assert all(one.startswith(f"{number}:") for one in kept)
    ring_of.drop(1)
    ring.work()
    assert len(receiver.asked) == 3 and is_signed(receiver.asked[0], ring.secret)


def test_a_process_begins_only_with_the_keys_of_what_is_set_up(
    clinic: Clinic, receiver: Receiver, tmp_path: Path
) -> None:
    """And none are made beside them: what is encrypted is a connection and nothing else."""
    ring_in(clinic, receiver, TELL, END)
    second = open_database(clinic.database.url, tmp_path / "second")
    begin_keys(second)
    assert keyring(second.home).numbers() == []
    keyring(second.home).begin()
    with pytest.raises(Conflict) as refusal:
        require_standing(second)
    assert (refusal.value.code, refusal.value.params["field"]) == (
        "E_KEYS_OTHER",
        "connection.address",
    )
    second.close()
    require_standing(clinic.database)


def test_without_its_keys_a_call_is_an_incident_and_not_a_loop(
    sqlite_clinic: Clinic, receiver: Receiver
) -> None:
    ring: Ring = ring_in(sqlite_clinic, receiver, TELL, END)
    sqlite_clinic.started()
    folder = sqlite_clinic.database.home / "keys" / "fields"
    ring_of = keyring(sqlite_clinic.database.home)
    ring_of.rotate()
    Path(folder / "1.key").unlink()
    ring_of._read(again=True)
    ring.work()
    assert receiver.asked == [] and ring.incidents() == ["E_CALL_KEYS"] and sound(sqlite_clinic)


def test_what_is_not_allowed_is_not_called_though_it_was_set_up(
    sqlite_clinic: Clinic, receiver: Receiver
) -> None:
    ring = ring_in(sqlite_clinic, receiver, TELL, END)
    ring.client.allowed = read_allowed("")
    sqlite_clinic.lead()
    ring.work()
    assert not receiver.reached and ring.incidents() == ["E_CALL_SCHEME"]
