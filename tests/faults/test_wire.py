"""PostgreSQL behind a wire that is cut at any piece that passes, is slow, or falls silent: nothing
acknowledged is lost, nothing happens twice, and a COMMIT whose answer was lost is decided by the
Idempotency-Key when the request comes again.

The pieces are counted, not guessed, as crash points are.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from socket import IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPIDLE, TCP_USER_TIMEOUT, socket
from typing import Any

import pytest
from kills.longer import seed, times
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database
from careloom.platform.store.errors import Unavailable
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, listed, sound
from .proxy import Proxy

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.parametrize("clinic", ["postgresql"], indirect=True),
]
Answer = tuple[int, str]
COMMIT = b"COMMIT\0"  # as the client asks for it, and as the server says it is done
BEGUN = "SELECT count(DISTINCT subject_id) FROM instance"
AGAIN = {"E_IDEMPOTENCY_BUSY"}  # its first transaction may still be there for a moment


@dataclass
class Pieces:
    """Counts what passes, and cuts at the number-th, or at the first that has some words."""

    number: int = 0
    words: bytes = b""
    there: bool = True
    passed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, words: bytes, there: bool) -> bool:
        with self._lock:
            self.passed += 1
            if self.words:
                return there == self.there and self.words in words
            return self.passed == self.number


@dataclass
class Wired:
    """The clinic's application, whose database is at the other end of the wire."""

    clinic: Clinic
    wire: Proxy
    clock: TurnedClock
    over: Clinic  # the same clinic over the wire
    app: Any
    token: str
    made: int = 0

    def lead(self) -> tuple[str, dict[str, Any]]:
        """What to ask for: a lead more."""
        self.made += 1
        return "/api/records/lead", {"name": f"客户{self.made}", "mobile": "13800000000"}

    def call(self) -> tuple[str, dict[str, Any]]:
        """What to ask for: the end of a first call, by the supervisor it was escalated to."""
        self.made += 1
        self.clinic.started(f"客户{self.made}")
        while not (open_tasks := listed(self.clinic, "sue")):
            self.clock.turn(timedelta(minutes=16))  # and it may be night
            work_once(self.clinic.database)
        return f"/api/tasks/{open_tasks[-1].id}/complete", {"values": {"result": "answered"}}

    def ask(self, path: str, body: Any, key: str) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        answer = self.app.test_client().post(path, json=body, headers=headers)
        return answer.status_code, (answer.json or {}).get("code", "")

    def done(self, path: str, body: Any, key: str) -> Answer:
        """Ask until it is done."""
        until = time.monotonic() + 30
        while (answer := self.ask(path, body, key))[0] == 503 or answer[1] in AGAIN:
            assert time.monotonic() < until, answer
            time.sleep(0.01)
        return answer

    def count(self, query: str) -> int:
        with self.clinic.database.read() as session:
            return int(session.execute(text(query)).scalar_one())


@pytest.fixture
def wired(clinic: Clinic, clock: TurnedClock) -> Iterator[Wired]:
    place = make_url(clinic.database.url)
    assert place.port is not None
    wire = Proxy(place.port)
    url = place.set(port=wire.port).render_as_string(hide_password=False)
    database = open_database(url, clinic.database.home, clock)
    sue = clinic.people["sue"]
    token = clinic.database.write(lambda s: access_tokens.issue(s, SYSTEM, sue, "test")[1])
    app = create_app(database, settings_from({"CARELOOM_HOME": str(database.home)}))
    yield Wired(clinic, wire, clock, replace(clinic, database=database), app, token)
    database.close()
    wire.close()


def some(pieces: int, chance: int) -> list[int]:
    """Drawn by the seed, the last among them."""
    numbers = range(1, pieces)
    drawn = random.Random(chance).sample(numbers, min(len(numbers), times("POINTS") - 1))
    return [*drawn, pieces]


@pytest.mark.parametrize("what", ["lead", "call"])
def test_a_request_that_is_cut_off_at_any_piece_is_done_once(
    wired: Wired, what: str, record_property: Callable[[str, object], None]
) -> None:
    wanted: Callable[[], tuple[str, dict[str, Any]]] = getattr(wired, what)
    rows = f"SELECT count(*) FROM form_{what}"
    assert wired.ask(*wanted(), "first")[0] in (200, 201)
    wired.wire.cut_at = unharmed = Pieces()
    assert wired.ask(*wanted(), "second")[0] in (200, 201)
    chance = seed()
    cuts = [Pieces(number) for number in some(unharmed.passed, chance)]
    cuts += [Pieces(words=COMMIT, there=there) for there in (True, False)]
    for number, cut in enumerate(cuts):
        path, body = wanted()
        wired.over.database.close()  # and those that open now stand, with no lease due
        wired.done(*wired.lead(), f"warm-{number}")
        before, at = wired.count(rows), f"{what}, {cut}, seed {chance}"
        wired.wire.cut_at = cut
        status, code = wired.ask(path, body, f"key-{number}")
        wired.wire.cut_at = None
        assert status in (200, 201, 503), at
        assert not cut.words or code == "E_COMMIT_UNKNOWN", at
        assert wired.done(path, body, f"key-{number}")[0] in (200, 201), at
        assert wired.count(rows) == before + 1, at
    work_once(wired.clinic.database)
    assert sound(wired.clinic)
    record_property("crash points", len(cuts))


def test_a_worker_that_is_cut_off_at_any_piece_begins_each_flow_once(
    wired: Wired, record_property: Callable[[str, object], None]
) -> None:
    def new_leads() -> None:
        for _ in range(2):
            wired.made += 1
            wired.clinic.lead(f"客户{wired.made}")

    work_once(wired.over.database)
    new_leads()
    wired.wire.cut_at = unharmed = Pieces()
    work_once(wired.over.database)
    chance = seed()
    cuts = [Pieces(number) for number in some(unharmed.passed, chance)]
    cuts += [Pieces(words=COMMIT, there=there) for there in (True, False)]
    for cut in cuts:
        new_leads()
        wired.wire.cut_at = cut
        try:
            work_once(wired.over.database)
        except (Unavailable, DBAPIError):
            pass  # the worker's thread tells of it and looks again
        wired.wire.cut_at = None
        told, until = f"{cut}, seed {chance}", time.monotonic() + 30
        while wired.count(BEGUN) < wired.made:  # the server may not have let go of the rows yet
            assert time.monotonic() < until, told
            work_once(wired.over.database)
        assert wired.count(BEGUN) == wired.count("SELECT count(*) FROM instance"), told
    assert sound(wired.clinic)
    record_property("crash points", len(cuts))


def test_a_slow_wire_only_takes_longer_and_a_silent_one_goes_on_where_it_was(wired: Wired) -> None:
    wired.wire.delay = 0.02
    assert wired.ask(*wired.lead(), "slow")[0] == 201
    wired.wire.delay, wired.wire.held = 0.0, True
    answers: list[Answer] = []
    request = wired.lead()
    asking = threading.Thread(target=lambda: answers.append(wired.ask(*request, "silent")))
    asking.start()
    time.sleep(0.3)
    assert answers == []
    wired.wire.held = False
    asking.join(30)
    assert answers == [(201, "")]
    assert wired.count("SELECT count(*) FROM form_lead") == 2


def test_a_server_that_never_answers_is_given_up_and_one_that_has_gone_is_noticed(
    wired: Wired, tmp_path: Path
) -> None:
    """Who connects gives up; of a connection that is open the kernel asks whether it still stands.
    The address may say otherwise."""
    url = f"{wired.over.database.url}?connect_timeout=2&keepalives_idle=77"
    wired.wire.held = True
    impatient = open_database(url, tmp_path)
    since = time.monotonic()
    with pytest.raises(DBAPIError), impatient.read() as session:
        session.execute(text("SELECT 1"))
    assert time.monotonic() - since < 10
    wired.wire.held = False
    assert _of_socket(impatient, TCP_KEEPIDLE) == 77
    impatient.close()
    assert _of_socket(wired.over.database, TCP_KEEPIDLE) <= 15
    assert 0 < _of_socket(wired.over.database, TCP_USER_TIMEOUT) <= 30_000


def _of_socket(database: Any, option: int) -> int:
    """What the kernel was told of a connection."""
    with database.read() as session:
        driver = session.connection().connection.driver_connection
        with socket(fileno=os.dup(driver.fileno())) as seen:
            assert seen.getsockopt(SOL_SOCKET, SO_KEEPALIVE)
            return seen.getsockopt(IPPROTO_TCP, option)
