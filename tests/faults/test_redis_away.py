"""Redis behind a wire that is slow, holds everything back, or is cut: nobody who submits waits for
it, and the worker goes on from the database."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from kills.nursery import Child, born, careloom
from own_redis import OwnRedis
from sqlalchemy import text

from careloom.platform.records.standing import begin_keys
from careloom.runtime.work.queues import ring_in

from ..conftest import lacking
from ..runtime.clinic import Clinic, sound
from .proxy import Proxy

pytestmark = pytest.mark.timeout(300)
SLOW = 2.0  # seconds each way
FOLLOWED_WITHIN = 30  # seconds, as every fault is over by then
LEADS = 3


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Proxy]:
    """To a Redis of the test's own."""
    try:
        redis = OwnRedis(tmp_path)
    except servers.Missing as error:
        lacking(str(error))
    redis.start()
    proxy = Proxy(redis.port)
    yield proxy
    proxy.close()
    redis.stop()


@pytest.fixture
def worker(clinic: Clinic, wire: Proxy, tmp_path: Path) -> Iterator[Child]:
    """A worker of its own, which hears over that wire what this process commits."""
    database, url = clinic.database, f"redis://127.0.0.1:{wire.port}/0"
    begin_keys(database)
    environment = {
        "CARELOOM_HOME": str(database.home),
        "CARELOOM_DATABASE_URL": database.url.replace("+psycopg", ""),
        "CARELOOM_REDIS_URL": url,
    }
    child = born(careloom, "work", environment=environment, printed=tmp_path / "log")
    quiet = ring_in(url)
    yield child
    quiet()
    child.kill()


@pytest.mark.parametrize("clinic", ["postgresql"], indirect=True)
def test_work_goes_on_however_bad_the_wire_to_redis_is(
    clinic: Clinic, wire: Proxy, worker: Child
) -> None:
    leads = 0
    for what in ("good", "slow", "holds all back", "drops all", "cut", "refuses", "good again"):
        wire.delay = SLOW if what == "slow" else 0.0
        wire.held, wire.refused = what == "holds all back", what == "refuses"
        if what == "drops all":
            wire.deafen()
        if what in ("cut", "refuses"):
            wire.cut()
        for number in range(LEADS):
            since = time.monotonic()
            clinic.lead(f"{what} {number}")
            assert time.monotonic() - since < SLOW, f"{what}: a submission waited for Redis"
        leads += LEADS
        until = time.monotonic() + FOLLOWED_WITHIN
        while (found := _instances(clinic)) < leads:
            assert worker.runs(), worker.words()
            assert time.monotonic() < until, f"{what}: {found} of {leads}\n{worker.words()}"
            time.sleep(0.05)
        assert found == leads
    assert sound(clinic)


def _instances(clinic: Clinic) -> int:
    with clinic.database.read() as session:
        return int(session.execute(text("SELECT count(*) FROM instance")).scalar_one())
