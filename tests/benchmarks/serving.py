"""Two servers over the same PostgreSQL, in turns: `careloom run` and the bare one.

What is told of each: the seconds a request takes of the clock at so many connections (the rate is
its inverse), and of the processor in the server's own processes, read from /proc. The client and
PostgreSQL are not in the latter.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from careloom_command import BIN, Command
from servers import free_port
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.identity.access_tokens import issue
from careloom.platform.identity.actor import actor_of
from careloom.platform.identity.model import Person
from careloom.platform.store.database import Database, open_database

from . import bare
from .measure import Cost, address, middle

CONNECTIONS = 16
SECONDS = 2.0
ROUNDS = 7
PATIENCE = 60
TICKS = os.sysconf("SC_CLK_TCK")
HERE = Path(__file__).parent

_numbers = count(1_000_000, 1_000_000)  # where each round begins to count its requests


@dataclass(frozen=True)
class Server:
    """A server at work: its process and its port."""

    process: subprocess.Popen[bytes]
    port: int

    def cpu(self) -> float:
        """Seconds of the processor that it and the processes it started have used."""
        return sum(_ticks(number) for number in _family(self.process.pid)) / TICKS


@dataclass(frozen=True)
class Clinic:
    """The demo clinic on PostgreSQL, open in this process too."""

    database: Database
    command: Command

    def token(self, login: str) -> str:
        """An access token of one of its people."""

        def deed(session: Session) -> str:
            person = person_of(session, login)
            return issue(session, actor_of(session, person), person, "bench")[1]

        return self.database.write(deed)


def person_of(session: Session, login: str) -> int:
    """A person of the demo."""
    return session.scalars(select(Person.id).where(Person.login == login)).one()


@contextmanager
def clinic() -> Iterator[Clinic]:
    """`careloom setup --demo` in a durable PostgreSQL, and beside the leads a table of the same
    columns and indexes for the reference."""
    with TemporaryDirectory(prefix="careloom-bench-") as home:
        command = Command(Path(home), address("postgresql", Path(home)))
        command.run("setup", "--demo")
        database = open_database(command.url, command.home)
        with database.reader.begin() as connection:
            connection.exec_driver_sql(
                f"CREATE TABLE {bare.TABLE} (LIKE form_lead_intake INCLUDING ALL)"
            )
        try:
            yield Clinic(database, command)
        finally:
            database.close()


@contextmanager
def careloom_run(clinic: Clinic, *words: str) -> Iterator[Server]:
    """`careloom run` over the clinic, as a clinic runs it."""
    port = free_port()
    line = [str(BIN / "careloom"), "run", "--port", str(port), *words]
    with _running(line, port, clinic.command) as server:
        yield server


@contextmanager
def bare_run(clinic: Clinic) -> Iterator[Server]:
    """The reference over the same database."""
    port = free_port()
    line = [sys.executable, "-m", "benchmarks.bare", clinic.command.url, str(port)]
    with _running(line, port, clinic.command) as server:
        yield server


@contextmanager
def _running(line: Sequence[str], port: int, command: Command) -> Iterator[Server]:
    log = command.home / f"{port}.log"
    with log.open("wb") as lines:
        process = subprocess.Popen(line, env=command.environment(), stdout=lines, stderr=lines)
        try:
            _wait_until_ready(process, port, log)
            yield Server(process, port)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")


def _family(process: int) -> list[int]:
    """A process and all that descend from it, over its threads' lists of children."""
    found = [process]
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in task.read_text().split():
            found += _family(int(child))
    return found


def _ticks(process: int) -> int:
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(words[11]) + int(words[12])  # in user mode, and in the kernel for it


def post(path: str, body: dict[str, Any], token: str = "") -> str:
    """A POST of JSON as it goes over the wire; see `load` for `{n}`, twelve digits once there."""
    sent = json.dumps(body)
    length = len(sent.replace("{n}", "0" * 12).encode())
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Idempotency-Key: bench-{{n}}\r\nContent-Length: {length}\r\n"
    return f"{head}{_bearer(token)}\r\n{sent}"


def get(path: str, token: str = "") -> str:
    """A GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{_bearer(token)}\r\n"


def _bearer(token: str) -> str:
    return f"Authorization: Bearer {token}\r\n" if token else ""


@dataclass(frozen=True)
class Asked:
    """One server, the request it is asked, and the status it is to answer."""

    server: Server
    request: str
    expected: int

    def round(self, connections: int, seconds: float) -> Cost:
        """Ask for so long; what one request cost."""
        given = {
            "port": self.server.port,
            "request": self.request,
            "expected": self.expected,
            "connections": connections,
            "seconds": seconds,
            "first": next(_numbers),
        }
        before = self.server.cpu()
        done = subprocess.run(
            [sys.executable, str(HERE / "load.py")],
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        told = json.loads(done.stdout)
        used = self.server.cpu() - before
        return Cost(told["seconds"] / told["answered"], used / told["answered"])


def in_turns(
    ours: Asked,
    theirs: Asked,
    connections: int = CONNECTIONS,
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
) -> tuple[Cost, Cost]:
    """Medians over the rounds; each round asks the one, then the other. The first warms up."""
    found = [
        (ours.round(connections, seconds), theirs.round(connections, seconds))
        for _ in range(rounds + 1)
    ][1:]
    return middle(one for one, _ in found), middle(other for _, other in found)
