"""PostgreSQL goes away in the middle: every connection cut, the server stopped at once.

The served site answers again by itself; what it acknowledged is there, once; and a COMMIT whose
answer was lost is decided by the Idempotency-Key when the request comes again.
"""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import servers
from kills.longer import seed, times
from kills.nursery import Child, born, careloom
from kills.visitor import Visitors, wait_for
from servers import free_port
from sqlalchemy import text

from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.standing import begin_keys
from careloom.platform.store.database import open_database
from careloom.platform.store.upgrade import upgrade
from careloom.runtime.work.worker import work_once

from ..conftest import lacking
from ..runtime.clinic import Clinic, clinic_in, sound
from .own_server import Server, own_postgresql

pytestmark = pytest.mark.timeout(3600)
BACK_SECONDS = 30
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'clinic'"


def a_lead(name: str, chance: random.Random) -> dict[str, Any]:
    return {"name": name, "mobile": f"1380{chance.randrange(10**7):07d}", "status": "new"}


@dataclass
class Site:
    """A small clinic on a server of its own, served by a process of its own, with people at it."""

    server: Server
    clinic: Clinic
    child: Child
    port: int
    visitors: Visitors

    def served_again(self) -> float:
        """Wait until a submission more is answered; after how many seconds it was."""
        before, since = len(self.visitors.told), time.monotonic()
        while len(self.visitors.told) == before:
            assert time.monotonic() - since < BACK_SECONDS * 4, self.child.words()[-3000:]
            time.sleep(0.01)
        return time.monotonic() - since


@pytest.fixture
def site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="careloom-cuts-"))
    try:
        with own_postgresql(folder / "server") as server:
            yield from _served(server, folder / "home")
    except servers.Missing as error:
        lacking(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(server: Server, home: Path) -> Iterator[Site]:
    server.ask("CREATE DATABASE clinic")
    url = f"{server.url}/clinic"
    upgrade(url)
    database = open_database(url, home)
    clinic = clinic_in(database)
    sue = clinic.people["sue"]
    token = database.write(lambda s: access_tokens.issue(s, SYSTEM, sue, "test")[1])
    begin_keys(database)
    database.close()
    port = free_port()
    environment = {"CARELOOM_HOME": str(home), "CARELOOM_DATABASE_URL": url}
    words = ("run", "--port", str(port))
    child = born(careloom, *words, environment=environment, printed=home / "log")
    try:
        wait_for(port, 300)
        visitors = Visitors(token, 1, threads=4, form="lead", values=a_lead)
        visitors.begin()
        visitors.go_on(port)
        site = Site(server, clinic, child, port, visitors)
        site.served_again()
        yield site
    finally:
        child.kill()
        database.close()


def test_the_site_outlives_its_database(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    number = seed()
    chance, longest = random.Random(number), 0.0
    for _ in range(times("CUTS")):
        time.sleep(chance.uniform(0, 0.5))
        site.server.ask(CUT)
        longest = max(longest, site.served_again())
    for _ in range(max(1, times("CUTS") // 3)):
        time.sleep(chance.uniform(0, 0.5))
        site.server.stop_at_once()
        time.sleep(chance.uniform(0, 0.5))
        site.server.start()
        longest = max(longest, site.served_again())
    site.visitors.end()
    told = f"seed {number}; longest {longest:.1f} s; put off {site.visitors.put_off}"
    assert site.visitors.refused == [], told
    assert longest < BACK_SECONDS, told
    _nothing_is_lost(site)
    record_property("cuts", times("CUTS") + max(1, times("CUTS") // 3))


def _nothing_is_lost(site: Site) -> None:
    database = site.clinic.database
    work_once(database)
    with database.read() as session:
        rows = session.execute(text("SELECT _id, name FROM form_lead")).all()
    there = {number: name for number, name in rows}
    assert len(set(there.values())) == len(there), "a lead was written twice"
    assert {number: name for name, number in site.visitors.told.items()} == there
    assert sound(site.clinic)
