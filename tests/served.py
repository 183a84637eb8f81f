"""The demo clinic, served from a thread of the test on a clock that can be turned."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

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


@contextmanager
def served(site: Site) -> Iterator[Site]:
    """The site on a free port, until the end of the block."""
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
