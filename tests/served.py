"""The demo clinic, served from a thread of the test on a clock that can be turned."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
import servers
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

import careloom.platform.records.kinds  # noqa: F401  registers the platform's kinds
from careloom.platform.identity.actor import Actor, actor_of
from careloom.platform.identity.model import Person
from careloom.platform.records.bring import Outcome, bring, read_rows
from careloom.platform.records.sheet import read_sheet
from careloom.platform.store.clock import Clock, TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.upgrade import upgrade
from careloom.platform.verbs import demo
from careloom.platform.web.app import create_app
from careloom.runtime.work.dispatch import drain

PASSWORD = "first-day-at-the-clinic"
TUESDAY = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
LEADS = Path(__file__).parent / "data" / "leads_1000.csv"


@dataclass
class Site:
    """A served clinic. url: where, without a slash at the end."""

    app: Flask
    database: Database
    clock: Clock
    url: str = ""

    def actor(self, login: str) -> Actor:
        """A person of the demo."""
        with self.database.read() as session:
            person = session.scalar(select(Person.id).where(Person.login == login))
            assert person is not None, login
            return actor_of(session, person)

    def client(self, login: str, language: str = "zh-CN") -> "Client":
        """A browser without a screen or script, signed in through the form."""
        client = Client(self.app.test_client())
        client.http.set_cookie("careloom_language", language)
        client.get("/sign-in")
        answer = client.post("/sign-in", login=login, password=PASSWORD)
        assert answer.status == 303, answer.text
        client.get("/")
        return client

    def bring_leads(self, count: int, login: str = "supervisor") -> Outcome:
        """Bring in the first rows of the lead file and do everything that follows from them."""
        sheet = read_sheet(LEADS.name, LEADS.read_bytes())
        del sheet.rows[count:]
        actor = self.actor(login)
        with self.database.read() as session:
            reading = read_rows(session, actor, "lead_intake", sheet)
        outcome = bring(self.database, actor, reading, accept_good=True)
        self.work()
        return outcome

    def work(self) -> int:
        """What a worker would do now."""
        return drain(self.database)


@dataclass(frozen=True)
class Answer:
    """What came back. to: where it leads, empty when nowhere."""

    status: int
    text: str
    to: str
    headers: dict[str, str]


class Client:
    """Gets pages and sends their forms, with the token of the page last seen."""

    def __init__(self, http: FlaskClient) -> None:
        self.http = http
        self.csrf = ""

    def get(self, path: str) -> Answer:
        return self._answer(self.http.get(path))

    def post(self, path: str, **values: object) -> Answer:
        """Send a form; lists are sent as several values, bytes with a name as a file."""
        return self._answer(self.http.post(path, data={"csrf": self.csrf, **values}))

    def _answer(self, response: TestResponse) -> Answer:
        text = response.get_data(as_text=True)
        if found := CSRF.search(text):
            self.csrf = found[1]
        headers = dict(response.headers)
        return Answer(response.status_code, text, headers.get("Location", ""), headers)


def load_demo(folder: Path, clock: Clock) -> Path:
    """A home folder with the demo clinic, whose people all have the same password."""
    given, demo._password = demo._password, lambda: PASSWORD
    try:
        upgrade(f"sqlite:///{folder / 'careloom.db'}")
        database = open_database(f"sqlite:///{folder / 'careloom.db'}", folder, clock)
        create_app(database)  # the areas bring their kinds of definition
        demo.load_demo(database)
        database.close()
    finally:
        demo._password = given
    return folder


@contextmanager
def site_in(template: Path, home: Path, clock: Clock | None = None) -> Iterator[Site]:
    """A site over a copy of a prepared home folder; not served yet."""
    shutil.copytree(template, home, dirs_exist_ok=True)
    clock = clock or TurnedClock()
    database = open_database(f"sqlite:///{home / 'careloom.db'}", home, clock)
    try:
        yield Site(create_app(database), database, clock)
    finally:
        database.close()


class Quiet(WSGIRequestHandler):
    """Answers without a line for each request."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(site: Site) -> Iterator[Site]:
    """The site on a free port, until the end of the block."""
    server = make_server("127.0.0.1", 0, site.app, threaded=True, request_handler=Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def demo_home() -> Path:
    """A home folder with the demo clinic in it; copy it, never open it."""
    return servers.once("demo", lambda folder: load_demo(folder, TurnedClock(TUESDAY)))[0]


@pytest.fixture
def site(demo_home: Path, tmp_path: Path) -> Iterator[Site]:
    """The demo clinic at ten on a Tuesday morning, asked without a server."""
    with site_in(demo_home, tmp_path / "home", TurnedClock(TUESDAY)) as opened:
        yield opened
