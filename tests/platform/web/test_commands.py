"""The verbs `people`, `tokens`, `settings`, and serving for real."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import make
import pytest
from click.testing import CliRunner, Result
from flask.cli import ScriptInfo
from visitors import PASSWORD, Site

from careloom.platform.cli import main
from careloom.platform.identity.roles import save_role
from careloom.platform.store.database import open_database
from careloom.platform.store.upgrade import upgrade
from careloom.platform.web.settings import SETTINGS


@pytest.fixture
def tell(site: Site):  # type: ignore[no-untyped-def]
    site.role("agent", lead=[make.rule("own", "read")])

    def run(*words: str, input: str = "") -> Result:
        info = ScriptInfo(create_app=lambda: site.app)
        return CliRunner(env={"LANG": "en_GB.UTF-8"}).invoke(main, words, obj=info, input=input)

    return run


def test_a_person_is_added_and_signs_in(site: Site, tell) -> None:  # type: ignore[no-untyped-def]
    words = ["people", "add", "Lina", "--role", "agent", "--unit", "B1", "--password-stdin"]
    answer = tell(*words, input=PASSWORD + "\n")
    assert (answer.exit_code, answer.output) == (0, "lina was added.\n")
    assert site.visitor().sign_in("lina").status_code == 303
    assert tell(*words, input=PASSWORD + "\n").exit_code == 1
    assert tell("people", "list").output == "lina\tLina\n"


def test_a_password_is_asked_for_twice(site: Site, tell) -> None:  # type: ignore[no-untyped-def]
    words = ["people", "add", "lina", "--role", "agent", "--unit", "B1"]
    assert tell(*words, input=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    assert PASSWORD not in tell(*words, input=f"{PASSWORD}\nother\n").output


@pytest.mark.parametrize(
    ("words", "sent", "said"),
    [
        (["lina", "--role", "agent", "--unit", "B1"], "1234567890", "too common"),
        (["lina", "--role", "agent", "--unit", "B1"], "region@2026", "names of the clinic"),
        (["lina", "--role", "agent", "--unit", "nowhere"], PASSWORD, "no such unit"),
        (["lina", "--role", "nothing", "--unit", "B1"], PASSWORD, "no role nothing"),
        (["l i", "--role", "agent", "--unit", "B1"], PASSWORD, "A login is"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_added(  # type: ignore[no-untyped-def]
    tell, words: list[str], sent: str, said: str
) -> None:
    answer = tell("people", "add", *words, "--password-stdin", input=sent)
    assert answer.exit_code == 1 and said in answer.output
    assert tell("people", "list").output == ""


def test_a_token_is_printed_alone_on_its_line(site: Site, tell) -> None:  # type: ignore[no-untyped-def]
    site.person("lina")
    issued = tell("tokens", "issue", "lina")
    token = issued.output.removesuffix("\n")
    assert "\n" not in token
    header = {"Authorization": f"Bearer {token}"}
    assert site.visitor().get("/api/me", headers=header).status_code == 200
    shown = tell("tokens", "list", "lina").output
    assert token not in shown
    assert tell("tokens", "revoke", shown.split("\t")[0]).exit_code == 0
    assert site.visitor().get("/api/me", headers=header).status_code == 401
    assert tell("tokens", "issue", "nobody").exit_code == 1


def test_a_person_is_disabled_and_enabled_and_given_a_password(site: Site, tell) -> None:  # type: ignore[no-untyped-def]
    site.person("lina")
    assert tell("people", "disable", "lina").exit_code == 0
    assert site.visitor().sign_in("lina").status_code == 401
    assert tell("people", "enable", "lina").exit_code == 0
    tell("people", "password", "lina", "--password-stdin", input="another good secret\n")
    assert site.visitor().sign_in("lina", "another good secret").status_code == 303
    assert tell("people", "give", "lina", "agent", "B2").exit_code == 0
    assert tell("people", "take", "lina", "agent", "B2").exit_code == 0
    assert tell("people", "take", "lina", "agent", "B2").exit_code == 1


def test_a_unit_is_added_below_another(tell) -> None:  # type: ignore[no-untyped-def]
    words = ["units", "add", "B9", "第九分院", "--under", "B1", "--type", "department"]
    answer = tell(*words)
    assert (answer.exit_code, answer.output) == (0, "B9 was added.\n")
    assert "B9\tdepartment\t第九分院" in tell("units", "list").output
    assert tell(*words).exit_code == 1
    assert "no such unit" in tell("units", "add", "B8", "B8", "--under", "nowhere").output


def test_the_settings_are_told(tell) -> None:  # type: ignore[no-untyped-def]
    told = tell("settings").output
    assert all(setting.name in told and setting.says in told for setting in SETTINGS)


# --- for real --------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """`careloom run` on SQLite, in a process of its own; its address."""
    home = tmp_path / "home"
    url = f"sqlite:///{home / 'careloom.db'}"
    database = open_database(url, home)
    upgrade(url)
    make.organisation(database)
    make.person(database, "lina", "B1")
    database.write(lambda s: save_role(s, make.role("r", {}), 1))
    database.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("careloom")), "run", "--port", str(port)]
    environ = {**os.environ, "CARELOOM_HOME": str(home), "CARELOOM_DATABASE_URL": ""}
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(command, env=environ, stderr=log, cwd=tmp_path)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, process)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines and all("words" in json.loads(line) for line in lines)


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.2)


def test_it_serves_says_so_and_stops_when_told(served: str) -> None:
    with urllib.request.urlopen(f"{served}/readyz") as answer:
        assert json.load(answer) == {"status": "ok", "database": "ok", "queue": "ok"}
        assert "Werkzeug" not in answer.headers.get("Server", "")
    with urllib.request.urlopen(f"{served}/sign-in") as page:
        assert b"<form" in page.read()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{served}/api/me")
    assert refused.value.code == 401


def test_a_strange_request_harms_nobody(served: str) -> None:
    """Raw bytes a client library would not send: each is refused, and the next is served."""
    port = int(served.rpartition(":")[2])
    raw = [
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET " + b"/a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
    ]
    for data in raw:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.settimeout(10)
            try:
                connection.sendall(data)
                first = connection.recv(64)
            except (ConnectionError, TimeoutError):
                first = b""
        assert not first or first.split()[1][:1] in (b"3", b"4"), data[:60]
    with urllib.request.urlopen(f"{served}/healthz") as answer:
        assert answer.status == 200
