"""A Redis of a test's own, to be stopped, started empty, and given a password."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import redis
import servers


class OwnRedis:
    """Redis on a port of its own that keeps nothing on disk. Raises servers.Missing."""

    def __init__(self, folder: Path, password: str = "") -> None:
        if shutil.which("redis-server") is None:
            raise servers.Missing("Redis")
        self._folder = folder
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @property
    def url(self) -> str:
        """Its address, with the password where it has one."""
        return self.url_with(self._password)

    def url_with(self, password: str) -> str:
        """Its address with another password."""
        return f"redis://{f':{password}@' if password else ''}127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """To look inside."""
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Empty, as after a restart; returns when it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self._folder), "--save", "", "--appendonly", "no"]
        command += ["--requirepass", self._password] if self._password else []
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.ConnectionError:
                assert self._process.poll() is None and time.monotonic() < until
                time.sleep(0.02)

    def stop(self) -> None:
        """At once, as by a power cut; may be said twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
