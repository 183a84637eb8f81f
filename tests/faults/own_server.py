"""A PostgreSQL server of one test's own, to be stopped at once and started again."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import servers


@dataclass
class Server:
    """Where it is, how it is started, and its process while it runs."""

    folder: Path
    port: int
    command: list[str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        log = (self.folder / "log").open("ab")
        given = servers.as_ordinary_user()
        self.process = subprocess.Popen(self.command, stdout=log, stderr=log, **given)
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                psycopg.connect(f"{self.url}/postgres").close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise TimeoutError((self.folder / "log").read_text()[-2000:])

    def stop_at_once(self) -> None:
        """As when the machine goes down: nobody is waited for, nothing is written any more."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(60)

    def ask(self, query: str, database: str = "postgres") -> None:
        with psycopg.connect(f"{self.url}/{database}", autocommit=True) as connection:
            connection.execute(query)


@contextmanager
def own_postgresql(folder: Path) -> Iterator[Server]:
    """Running, with fsync on, until the end of the block. Raises servers.Missing."""
    folder.mkdir()
    for each in (folder, *folder.parents):
        if each.stat().st_mode & 0o005 != 0o005 and each.is_relative_to("/tmp"):
            each.chmod(0o755)  # the server's user passes through
    servers.own(folder)
    port = servers.free_port()
    server = Server(folder, port, servers.postgresql_command(folder, port, True))
    server.start()
    try:
        yield server
    finally:
        server.stop_at_once()
