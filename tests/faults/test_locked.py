"""Somebody else keeps a table of PostgreSQL locked: whoever needs it is told so after a while, with
nothing done; everybody else goes on, and all of it again by itself once the lock is given back."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import list_records
from careloom.platform.store import database as store
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database
from careloom.platform.store.errors import Unavailable
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, sound
from .asked import BEGUN, Asked

pytestmark = pytest.mark.parametrize("clinic", ["postgresql"], indirect=True)
SHORT = 0.3  # seconds


@pytest.fixture
def asked(clinic: Clinic, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """The clinic's application, with less patience than it has by itself."""
    monkeypatch.setattr(store, "LOCK_SECONDS", SHORT)
    url = f"{clinic.database.url}?options={quote(f'-c lock_timeout={SHORT}s')}"
    database = open_database(url, clinic.database.home, clock)
    yield Asked(clinic, clock, database)
    database.close()


@contextmanager
def locked(clinic: Clinic, table: str) -> Iterator[None]:
    """As a migration does."""
    with psycopg.connect(clinic.database.url.replace("+psycopg", "")) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


def test_whoever_needs_what_is_locked_is_told_and_served_afterwards(asked: Asked) -> None:
    question = asked.lead()
    get = asked.app.test_client().get
    headers = {"Authorization": f"Bearer {asked.token}", "Accept-Language": "en"}
    with locked(asked.clinic, "form_lead"):
        since = time.monotonic()
        assert asked.ask(*question, "key") == (503, "E_BUSY")
        read = get("/api/records/lead", headers=headers)
        assert (read.status_code, read.json["code"]) == (503, "E_BUSY")
        assert read.headers["Retry-After"]
        assert time.monotonic() - since < 10 * SHORT
        assert get("/api/records/call", headers=headers).status_code == 200
    assert asked.ask(*question, "key") == (201, "")
    assert asked.count("SELECT count(*) FROM form_lead") == 1


def test_a_worker_comes_again(asked: Asked) -> None:
    asked.new_leads()
    with locked(asked.clinic, "form_customer"), pytest.raises(Unavailable, match="E_BUSY"):
        work_once(asked.database)
    work_once(asked.database)
    assert asked.count(BEGUN) == asked.made == asked.count("SELECT count(*) FROM instance")
    assert sound(asked.clinic)


def test_health_says_that_somebody_waits(asked: Asked) -> None:
    """What waits is another program: how patient ours are makes no difference."""
    look = asked.app.test_client().get

    def wait() -> None:
        with psycopg.connect(asked.clinic.database.url.replace("+psycopg", "")) as third:
            third.execute("SELECT count(*) FROM form_lead")

    assert look("/readyz").json["database"] == "ok"
    with locked(asked.clinic, "form_lead"):
        waiting = threading.Thread(target=wait)
        waiting.start()
        until = time.monotonic() + 10
        while (answer := look("/readyz")).json["database"] != "locked":
            assert time.monotonic() < until
            time.sleep(0.2)
        assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    waiting.join(10)
    assert look("/readyz").json == {"status": "ok", "database": "ok", "queue": "ok"}


def test_nobody_waits_for_long_by_itself(clinic: Clinic, asked: Asked) -> None:
    with clinic.database.read() as session:
        shown = session.connection().exec_driver_sql("SHOW lock_timeout").scalar_one()
        assert shown == "10s"
    with asked.database.read() as session:
        shown = session.connection().exec_driver_sql("SHOW lock_timeout").scalar_one()
        assert shown == "300ms", "as the address says"
    with clinic.database.snapshot() as session:
        shown = session.connection().exec_driver_sql("SHOW lock_timeout").scalar_one()
        assert shown == "1min", "nobody waits for a backup"
        assert list_records(session, SYSTEM, "lead").items == []
