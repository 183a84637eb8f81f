"""The demo clinic as a chain runs it: web processes and workers over one PostgreSQL and one Redis.

Each process has a data folder of its own, as on a machine of its own; what PRODUCTION.md says must
be the same everywhere (CARELOOM_SECRET, the keys) is the same.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from own_redis import OwnRedis
from servers import free_port
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.access_tokens import issue
from careloom.platform.identity.actor import SYSTEM, actor_of
from careloom.platform.identity.model import Person
from careloom.platform.store.database import Database, open_database
from careloom.platform.web.app import create_app

BIN = Path(sys.executable).parent
PATIENCE = 900  # seconds, for a machine that has much else to do
LEAVES_WITHIN = 300  # seconds; the units give it 30, on a machine that has nothing else to do


@dataclass
class Process:
    """One of the cluster's: started, told to leave, started again. port: 0 for a worker."""

    name: str
    words: tuple[str, ...]
    home: Path
    port: int = 0
    running: subprocess.Popen[bytes] | None = None

    def start(self, environment: dict[str, str]) -> None:
        """Begin; `wait` tells when it is there."""
        log = (self.home / "log").open("ab")
        given = environment | {"CARELOOM_HOME": str(self.home), "PORT": str(self.port or 8000)}
        self.running = subprocess.Popen(
            [str(BIN / "careloom"), *self.words],
            env=given,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def wait(self) -> None:
        """Until a web process serves and reaches its database, or a worker works."""
        until = time.monotonic() + PATIENCE
        while not self._ready():
            assert self.running is not None and self.running.poll() is None, self.told()
            assert time.monotonic() < until, self.told()
            time.sleep(0.05)

    def _ready(self) -> bool:
        if not self.port:
            return "Ctrl+C" in self.told()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10).close()
        except (urllib.error.URLError, OSError):
            return False
        return True

    def stop(self) -> float:
        """Tell it to leave as systemd does; the seconds until it had, whole and by itself."""
        assert self.running is not None
        since = time.monotonic()
        self.running.send_signal(signal.SIGTERM)
        status = self.running.wait(LEAVES_WITHIN)
        assert status == 0, f"{self.name} ended with {status}:\n{self.told()}"
        (self.home / "log").rename(self.home / f"log-{time.monotonic_ns()}")
        return time.monotonic() - since

    def kill(self) -> None:
        """At once, and without a word: it and the processes it has begun."""
        if self.running is not None and self.running.poll() is None:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()

    def told(self) -> str:
        """The end of what it has logged since it began."""
        return (self.home / "log").read_text(errors="replace")[-4000:]


@dataclass
class Cluster:
    """The processes, and the database opened here as well, for looking at it."""

    url: str
    redis: OwnRedis
    environment: dict[str, str]
    database: Database
    web: list[Process] = field(default_factory=list)
    work: list[Process] = field(default_factory=list)

    @property
    def processes(self) -> list[Process]:
        """All of them, workers first: the order in which PRODUCTION.md restarts them."""
        return [*self.work, *self.web]

    @property
    def ports(self) -> list[int]:
        """Where it serves."""
        return [process.port for process in self.web]

    def token(self, login: str) -> str:
        """An access token of one of the demo's people."""

        def deed(session: Session) -> str:
            person = session.scalars(select(Person.id).where(Person.login == login)).one()
            return issue(session, actor_of(session, person), person, "scale")[1]

        return self.database.write(deed)

    def publish(self, kind: str, document: dict[str, Any]) -> None:
        """A definition more than the demo has."""
        self.database.write(lambda session: publish_document(session, SYSTEM, kind, document))

    def number(self, query: str) -> int:
        """What a `SELECT count(*) …` counts."""
        with self.database.read() as session:
            found: int = session.connection().exec_driver_sql(query).scalar_one()
        return found

    def careloom(self, *words: str) -> str:
        """Run a verb to its end; what it printed."""
        given = self.environment | {"CARELOOM_HOME": str(self.database.home)}
        done = subprocess.run(
            [str(BIN / "careloom"), *words],
            env=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout


@contextmanager
def cluster(url: str, folder: Path, webs: int = 2, workers: int = 3) -> Iterator[Cluster]:
    """Set the demo clinic up in an empty PostgreSQL database and start everything over it."""
    redis = OwnRedis(folder, "a-redis-password")
    redis.start()
    environment = os.environ | {
        "CARELOOM_DATABASE_URL": url,
        "CARELOOM_REDIS_URL": redis.url,
        "CARELOOM_SECRET": secrets.token_hex(32),
        "LANG": "en_GB.UTF-8",
    }
    home = folder / "first"
    database = open_database(url, home)
    made = Cluster(url, redis, environment, database)
    try:
        made.careloom("setup", "--demo")
        create_app(database)  # this process too knows the kinds of definition
        for number in range(webs):
            made.web.append(Process(f"web{number}", ("run", "--no-work"), home, free_port()))
        for number in range(workers):
            made.work.append(Process(f"work{number}", ("work",), home))
        for process in made.processes:
            process.home = folder / process.name
            shutil.copytree(home, process.home)
            process.start(environment)
        for process in made.processes:
            process.wait()
        yield made
    finally:
        for process in made.processes:
            process.kill()
        database.close()
        redis.stop()
