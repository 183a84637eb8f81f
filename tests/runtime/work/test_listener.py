"""Waking through Redis: heard while it is there, missed without loss, and never a way in."""

import json
import pickle
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from own_redis import OwnRedis
from redis import Redis
from rq import Queue
from rq.job import Callback
from rq.serializers import JSONSerializer

from careloom.runtime.flows.model import Instance
from careloom.runtime.work import listener, queues
from careloom.runtime.work.dispatch import drain
from careloom.runtime.work.listener import Ear

from ..clinic import Clinic, listed, rows, soon, sound

KEY = "rq:queue:careloom"


@pytest.fixture
def own_redis(tmp_path: Path, redis_url: str) -> Iterator[OwnRedis]:
    """Not the run's, for it is stopped and filled with rubbish; `redis_url` says if one can be."""
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def wishes(own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """When each wish was heard, of an ear at this test's Redis."""
    monkeypatch.setattr(listener, "LISTEN_SECONDS", 1)
    monkeypatch.setattr(listener, "MOST_PAUSE_SECONDS", 1.0)
    monkeypatch.setattr(listener.Listener, "max_connection_wait_time", 1.0)
    heard: list[float] = []
    ear = Ear(own_redis.url, lambda: heard.append(time.monotonic()))
    ear.start()
    yield heard
    ear.stop()


def rung(own_redis: OwnRedis, wishes: list[float], seconds: float = 30) -> bool:
    """Whether a ring is heard now."""
    before = len(wishes)
    queues.Bell(own_redis.url).put()
    return soon(lambda: len(wishes) > before, seconds)


def plant(server: OwnRedis, data: bytes, **more: Any) -> None:
    """A job as somebody who can write to Redis would put it there."""
    with server.client() as redis:
        values = {"data": data, "created_at": "2026-03-03T02:00:00.000000Z", **more}
        redis.hset("rq:job:planted", mapping=values)
        redis.rpush(KEY, "planted")


def was_taken(server: OwnRedis) -> bool:
    """Whether the planted job is gone from where it lay, and nothing is kept of it."""
    with server.client() as redis:
        return soon(lambda: not redis.exists("rq:job:planted", KEY, f"{KEY}:intermediate"))


def test_a_full_queue_of_the_same_wish_is_one_job(own_redis: OwnRedis) -> None:
    bell = queues.Bell(own_redis.url)
    for _ in range(5):
        bell.put()
    with own_redis.client() as redis:
        [number] = redis.lrange(KEY, 0, -1)
        said = redis.hget(f"rq:job:{number.decode()}", "data")
    assert json.loads(zlib.decompress(said)) == ["careloom.drain", None, [], {}]


def test_a_wish_is_heard_and_leaves_nothing_behind(
    own_redis: OwnRedis, wishes: list[float]
) -> None:
    assert rung(own_redis, wishes)
    assert rung(own_redis, wishes)
    with own_redis.client() as redis:
        assert soon(lambda: not redis.keys("rq:job:*") and not redis.exists(f"{KEY}:intermediate"))


class Canary:
    """Unpickled, it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_planted_pickle_is_never_unpickled(
    own_redis: OwnRedis, wishes: list[float], tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    pickled = pickle.dumps(("os.system", None, (Canary(canary),), {}))
    for data in (pickled, zlib.compress(pickled)):
        plant(own_redis, data, meta=pickled, result=pickled)
        assert was_taken(own_redis)
    assert rung(own_redis, wishes)
    assert len(wishes) == 1 and not canary.exists()
    pickle.loads(pickled)
    assert canary.exists()  # it would have


def test_a_planted_function_is_refused(
    own_redis: OwnRedis, wishes: list[float], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    canary = tmp_path / "canary"
    said = ["pathlib.Path.touch", None, [str(canary)], {}]
    plant(own_redis, zlib.compress(json.dumps(said).encode()))
    assert was_taken(own_redis)
    with own_redis.client() as redis:
        Queue("careloom", connection=redis, serializer=JSONSerializer).enqueue(
            "os.mkdir", str(canary)
        )
    assert rung(own_redis, wishes)
    assert len(wishes) == 1 and not canary.exists()
    assert caplog.text.count("was not done") == 2


def test_what_else_a_wish_says_is_not_done(
    own_redis: OwnRedis, wishes: list[float], tmp_path: Path
) -> None:
    """Callbacks that RQ would import and call, an address it would ask, a job it would repeat."""
    with own_redis.client() as redis:
        Queue("careloom", connection=redis, serializer=JSONSerializer).enqueue(
            queues.WISH,
            on_success=Callback(f"{__name__}.called"),
            on_failure=Callback(f"{__name__}.called"),
            meta={"path": str(tmp_path / "called")},
        )
        assert soon(lambda: len(wishes) == 1)
        assert soon(lambda: not redis.keys("rq:job:*"))
    assert rung(own_redis, wishes) and len(wishes) == 2
    assert not (tmp_path / "called").exists()


def called(job: Any, *_rest: Any) -> None:
    """What RQ would call."""
    Path(job.meta["path"]).touch()


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 100, zlib.compress(b"[" * 100_000), zlib.compress(b"\x00" * (64 << 20))],
    ids=["empty", "noise", "deep", "bomb"],
)
def test_rubbish_is_taken_away_and_the_next_wish_heard(
    own_redis: OwnRedis, wishes: list[float], data: bytes
) -> None:
    plant(own_redis, data, status="no such status", timeout="soon", retry_intervals="[[[")
    assert was_taken(own_redis)
    assert rung(own_redis, wishes) and len(wishes) == 1


def test_keys_of_a_strange_kind_cost_a_pause_at_most(
    own_redis: OwnRedis, wishes: list[float]
) -> None:
    assert rung(own_redis, wishes)
    with own_redis.client() as redis:
        redis.set("rq:job:planted", "a text")
        redis.rpush(KEY, "planted")
        assert soon(lambda: not redis.exists(KEY))
        redis.set(KEY, "a text")
        time.sleep(1)
        redis.delete(KEY)
    assert rung(own_redis, wishes)


def test_a_command_by_redis_to_leave_is_not_heard(own_redis: OwnRedis, wishes: list[float]) -> None:
    assert rung(own_redis, wishes)
    with own_redis.client() as redis:
        for key in redis.smembers("rq:workers"):
            name = key.decode().removeprefix("rq:worker:")
            assert redis.publish(f"rq:pubsub:{name}", json.dumps({"command": "shutdown"})) == 0
    assert rung(own_redis, wishes)


def test_a_redis_that_restarts_empty_is_heard_again(
    own_redis: OwnRedis, wishes: list[float]
) -> None:
    assert rung(own_redis, wishes)
    own_redis.stop()
    time.sleep(2.5)
    own_redis.start()
    assert soon(lambda: rung(own_redis, wishes, 5))


def test_a_redis_that_comes_after_the_worker_is_heard(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MOST_PAUSE_SECONDS", 0.5)
    server, heard = OwnRedis(tmp_path), Event()
    ear = Ear(server.url, heard.set)
    ear.start()
    try:
        time.sleep(1)
        server.start()
        queues.Bell(server.url).put()
        assert heard.wait(20)
    finally:
        ear.stop()
        server.stop()


def test_a_wrong_password_is_told_and_tried_again(
    tmp_path: Path,
    redis_url: str,
    caplog: pytest.LogCaptureFixture,
    sqlite_clinic: Clinic,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever submits notices nothing, and the words do not repeat the password."""
    monkeypatch.setattr(listener, "MOST_PAUSE_SECONDS", 0.5)
    server = OwnRedis(tmp_path, "the-right-one")
    server.start()
    wrong = server.url_with("another-secret")
    ear, undo = Ear(wrong, lambda: None), queues.ring_in(wrong)
    ear.start()
    try:
        sqlite_clinic.lead()
        assert soon(lambda: caplog.text.count("asked again in") >= 2)
        assert soon(lambda: "workers look by themselves" in caplog.text)
        drain(sqlite_clinic.database)
        assert len(listed(sqlite_clinic, "ann")) == 1
    finally:
        undo()
        ear.stop()
        server.stop()
    assert "another-secret" not in caplog.text


def test_a_redis_that_is_gone_holds_nobody_up(
    sqlite_clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    """And is told of once, not with each commit."""
    undo = queues.ring_in("redis://127.0.0.1:1/0")
    try:
        begun = time.monotonic()
        for _ in range(20):
            sqlite_clinic.lead()
            time.sleep(0.05)
        assert time.monotonic() - begun < 20
        drain(sqlite_clinic.database)
        assert len(rows(sqlite_clinic, Instance)) == 20
    finally:
        undo()
    assert caplog.text.count("Redis does not answer") == 1


WORKER = """
import sys
from pathlib import Path
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database
from careloom.runtime.work import looker, verbs, worker
from careloom.platform.web.app import create_app
from datetime import datetime, UTC
worker.Worker.nudge = lambda self: None
url, home, redis = sys.argv[1:]
database = open_database(url, Path(home), TurnedClock(datetime(2026, 3, 3, 2, 1, tzinfo=UTC)))
create_app(database)
looker.LOOK_SECONDS = 3600.0
verbs.stay(database, redis)
"""


def test_a_worker_is_woken_through_redis(
    sqlite_clinic: Clinic, own_redis: OwnRedis, tmp_path: Path
) -> None:
    """It hardly looks by itself here; the job does it. Then Redis forgets all, and it goes on."""
    database = sqlite_clinic.database
    command = [sys.executable, "-c", WORKER, database.url, str(database.home), own_redis.url]
    process = subprocess.Popen(command, cwd=tmp_path)
    undo = queues.ring_in(own_redis.url)
    try:
        sqlite_clinic.lead("eins")
        assert soon(lambda: len(rows(sqlite_clinic, Instance)) == 1, 240)
        with Redis.from_url(own_redis.url) as redis:
            redis.flushall()
        sqlite_clinic.lead("zwei")
        assert soon(lambda: len(rows(sqlite_clinic, Instance)) == 2, 240)
        with own_redis.client() as redis:
            assert redis.scard("rq:workers") <= 1
            process.terminate()
            assert process.wait(120) == 0
            assert redis.scard("rq:workers") == 0  # it took its leave
    finally:
        undo()
        process.kill()
    assert sound(sqlite_clinic)
