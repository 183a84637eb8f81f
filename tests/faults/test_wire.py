"""PostgreSQL behind a wire that is cut at any piece that passes, drops all that passes, is slow, or
falls silent: nothing acknowledged is lost, nothing happens twice, and a COMMIT whose answer was
lost is decided by the Idempotency-Key when the request comes again.

The pieces are counted, not guessed, as crash points are.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from socket import IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPIDLE, TCP_USER_TIMEOUT, socket
from typing import Any

import pytest
from kills.longer import seed
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database
from careloom.platform.store.errors import Unavailable
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, sound
from .asked import BEGUN, Answer, Asked, Question, some
from .proxy import Proxy

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.parametrize("clinic", ["postgresql"], indirect=True),
]
COMMIT = b"COMMIT\0"  # as the client asks for it, and as the server says it is done


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
class Wired(Asked):
    """The clinic's application, whose database is at the other end of the wire."""

    wire: Proxy = field(kw_only=True)


@pytest.fixture
def wired(clinic: Clinic, clock: TurnedClock) -> Iterator[Wired]:
    place = make_url(clinic.database.url)
    assert place.port is not None
    wire = Proxy(place.port)
    url = place.set(port=wire.port).render_as_string(hide_password=False)
    database = open_database(url, clinic.database.home, clock)
    yield Wired(clinic, clock, database, wire=wire)
    database.close()
    wire.close()


@pytest.mark.parametrize("what", ["lead", "call"])
def test_a_request_that_is_cut_off_at_any_piece_is_done_once(
    wired: Wired, what: str, record_property: Callable[[str, object], None]
) -> None:
    wanted: Callable[[], Question] = getattr(wired, what)
    rows = f"SELECT count(*) FROM form_{what}"
    assert wired.ask(*wanted(), "first")[0] in (200, 201)
    wired.wire.cut_at = unharmed = Pieces()
    assert wired.ask(*wanted(), "second")[0] in (200, 201)
    chance = seed()
    cuts = [Pieces(number) for number in some(unharmed.passed, chance)]
    cuts += [Pieces(words=COMMIT, there=there) for there in (True, False)]
    for number, cut in enumerate(cuts):
        path, body = wanted()
        wired.database.close()  # and those that open now stand, with no lease due
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
    work_once(wired.database)
    wired.new_leads()
    wired.wire.cut_at = unharmed = Pieces()
    work_once(wired.database)
    chance = seed()
    cuts = [Pieces(number) for number in some(unharmed.passed, chance)]
    cuts += [Pieces(words=COMMIT, there=there) for there in (True, False)]
    for cut in cuts:
        wired.new_leads()
        wired.wire.cut_at = cut
        try:
            work_once(wired.database)
        except (Unavailable, DBAPIError):
            pass  # the worker's thread tells of it and looks again
        wired.wire.cut_at = None
        told, until = f"{cut}, seed {chance}", time.monotonic() + 30
        while wired.count(BEGUN) < wired.made:  # the server may not have let go of the rows yet
            assert time.monotonic() < until, told
            work_once(wired.database)
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
    url = f"{wired.database.url}?connect_timeout=2&keepalives_idle=77"
    wired.wire.held = True
    impatient = open_database(url, tmp_path)
    since = time.monotonic()
    with pytest.raises(DBAPIError), impatient.read() as session:
        session.execute(text("SELECT 1"))
    assert time.monotonic() - since < 10
    wired.wire.held = False
    assert _of_socket(impatient, TCP_KEEPIDLE) == 77
    impatient.close()
    assert _of_socket(wired.database, TCP_KEEPIDLE) <= 15
    assert 0 < _of_socket(wired.database, TCP_USER_TIMEOUT) <= 30_000


SOON = {
    "connect_timeout": "2",
    "tcp_user_timeout": "700",
    "keepalives_idle": "1",
    "keepalives_interval": "1",
    "keepalives_count": "1",
    "options": "-c tcp_keepalives_idle=1 -c tcp_keepalives_interval=1 -c tcp_user_timeout=1000",
}
"""How an address says that who is silent is to be noticed, on both sides, sooner than in half a
minute."""
PLACES = ("there", "back", "COMMIT-there", "COMMIT-back")


@pytest.fixture
def soon(wired: Wired) -> Iterator[Wired]:
    """The same with an address that is quick to notice."""
    url = make_url(wired.database.url).update_query_dict(SOON)
    named = url.render_as_string(hide_password=False)
    database = open_database(named, wired.clinic.database.home, wired.clock)
    yield Wired(wired.clinic, wired.clock, database, wire=wired.wire)
    database.close()


def deafened_at(wire: Proxy, words: bytes, there: bool) -> None:
    """From the next piece on that has these words nothing comes through, and nobody is told."""

    def look(piece: bytes, going: bool) -> bool:
        if going == there and words in piece:
            wire.cut_at = None
            wire.deafen()
        return False

    wire.cut_at = look


def test_a_request_whose_packets_are_dropped_is_done_once(
    soon: Wired, record_property: Callable[[str, object], None]
) -> None:
    chance = seed()
    drawn = some(len(PLACES), chance)
    for place in (PLACES[number - 1] for number in drawn):
        soon.database.close()  # and those that open now stand
        assert soon.ask(*soon.lead(), f"before-{place}")[0] == 201
        question, going = soon.lead(), place.endswith("there")
        words = COMMIT if place.startswith("COMMIT") else b""
        deafened_at(soon.wire, words, going)
        since = time.monotonic()
        status, code = soon.ask(*question, place)
        took, told = time.monotonic() - since, f"{place}, seed {chance}"
        assert soon.wire.cut_at is None and took < 15, told
        assert status in (201, 503) and code in ("", "E_COMMIT_UNKNOWN", "E_UNAVAILABLE"), told
        assert not words or code == "E_COMMIT_UNKNOWN", told
        assert soon.done(*question, place)[0] == 201, told
        assert soon.count("SELECT count(*) FROM form_lead") == soon.made, told
    work_once(soon.database)
    assert sound(soon.clinic)
    record_property("crash points", len(drawn))


def test_a_worker_whose_packets_are_dropped_begins_each_flow_once(soon: Wired) -> None:
    work_once(soon.database)
    soon.new_leads()
    deafened_at(soon.wire, b"instance", True)
    until = time.monotonic() + 30
    while soon.count(BEGUN) < soon.made:
        assert time.monotonic() < until
        try:
            work_once(soon.database)
        except (Unavailable, DBAPIError):
            pass  # the worker's thread tells of it and looks again
    assert soon.wire.cut_at is None, "it was in the middle"
    assert soon.count(BEGUN) == soon.count("SELECT count(*) FROM instance")
    assert sound(soon.clinic)


def test_who_is_gone_without_a_word_gives_back_what_they_held(soon: Wired) -> None:
    """The server asks whether they are there, as each connection tells it to."""
    asks = text("SELECT current_setting('tcp_user_timeout') || current_setting(:idle)")
    idle = {"idle": "tcp_keepalives_idle"}
    with soon.clinic.database.read() as session:
        assert session.scalar(asks, idle) == "3000010"
    with soon.database.read() as session:
        assert session.scalar(asks, idle) == "10001", "as the address says"
    lead = {"lead": soon.clinic.started()}
    hold = text("SELECT _id FROM form_lead WHERE _id = :lead FOR UPDATE")
    gone = soon.database.reader.connect()
    gone.execute(hold, lead)
    soon.wire.deafen()
    with soon.clinic.database.read() as session:
        session.execute(hold, lead)  # before anybody gives up waiting
    gone.invalidate()


def _of_socket(database: Any, option: int) -> int:
    """What the kernel was told of a connection."""
    with database.read() as session:
        driver = session.connection().connection.driver_connection
        with socket(fileno=os.dup(driver.fileno())) as seen:
            assert seen.getsockopt(SOL_SOCKET, SO_KEEPALIVE)
            return seen.getsockopt(IPPROTO_TCP, option)
