"""Throw-away PostgreSQL and Redis for one test run, on free ports, as an ordinary user.

The first process of a run that asks for a server starts it; the others (pytest-xdist's workers)
find it in the run's folder. Beside each server stands a guard, this file run as a program: when
the process that owns the run is gone, even killed, the guard stops the server and removes its
folder.
"""

import argparse
import fcntl
import json
import os
import pickle
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

RUN = "CARELOOM_TEST_RUN"  # the run's folder, handed to the workers through the environment
OF = "CARELOOM_TEST_OF"
PREFIX = "careloom-tests-"
START_SECONDS = 60
MEMORY = "/dev/shm"


class Missing(Exception):
    """A server's program is not installed here."""


def run_folder() -> Path:
    """This run's folder; made by the first process that asks, which thereby owns the run."""
    if RUN not in os.environ:
        _sweep()
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=quick_folder()))
        folder.chmod(0o755)  # the servers' user passes through
        (folder / "owner").write_text(str(os.getpid()))
        os.environ[RUN] = str(folder)
    return Path(os.environ[RUN])


def quick_folder() -> str:
    """Where throw-away files lie: in memory where there is enough of it, else on the disk."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 << 30:
        return MEMORY
    return tempfile.gettempdir()


def _sweep() -> None:
    """Remove folders of killed runs that had started no server; guards see to the others."""
    for owner in Path(quick_folder()).glob(f"{PREFIX}*/owner"):
        number = owner.read_text()
        if number.isdigit() and not alive(int(number)) and not any(owner.parent.glob("*.json")):
            shutil.rmtree(owner.parent, ignore_errors=True)


def end_run() -> None:
    """Stop this run's servers, when this process owns the run."""
    if RUN not in os.environ:
        return
    folder = Path(os.environ[RUN])
    if (folder / "owner").read_text() != str(os.getpid()):
        return
    for state in folder.glob("*.json"):
        guard = json.loads(state.read_text())["guard"]
        os.kill(guard, signal.SIGTERM)
        os.waitid(os.P_PID, guard, os.WEXITED) if _is_child(guard) else _wait_for_end(guard)
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ[RUN]


def postgresql(durable: bool = False) -> str:
    """A PostgreSQL server's address without a database: `postgresql://postgres@127.0.0.1:PORT`.

    `durable` keeps its files on the disk and fsync on, as the crash harness needs it.
    Raises Missing.
    """
    name = "postgresql-durable" if durable else "postgresql"
    state = _started(name, lambda folder, port: postgresql_command(folder, port, durable), durable)
    return f"postgresql://postgres@127.0.0.1:{state['port']}"


def redis_server() -> str:
    """A Redis server's address: `redis://127.0.0.1:PORT/0`. Raises Missing."""
    return f"redis://127.0.0.1:{_started('redis', _redis_command)['port']}/0"


def _started(name: str, command: Any, on_disk: bool = False) -> dict[str, Any]:
    run = run_folder()
    state = run / f"{name}.json"
    with locked(name):
        if not state.exists():
            folder = run / name
            if on_disk:
                folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}-"))
            folder.mkdir(exist_ok=True)
            own(folder)
            port = free_port()
            words = command(folder, port)
            guard = [sys.executable, __file__, "--folder", str(folder), "--run", str(run)]
            guard += ["--owner", _owner(run)]
            process = subprocess.Popen(
                [*guard, "--", *words],
                stdin=subprocess.DEVNULL,
                stdout=(folder / "log").open("ab"),
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            _wait_until_ready(name, port, process, folder / "log")
            state.write_text(json.dumps({"port": port, "guard": process.pid}))
        found: dict[str, Any] = json.loads(state.read_text())
        return found


def _owner(run: Path) -> str:
    return (run / "owner").read_text()


def postgresql_command(folder: Path, port: int, durable: bool) -> list[str]:
    programs = _postgresql_programs()
    data = folder / "data"
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "max_connections": "200",
        "timezone": "UTC",
        "shared_buffers": "128MB",
        "log_min_messages": "fatal",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings |= {"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "256MB"}
    subprocess.run(
        [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync"]
        + ["--encoding=UTF8", "--locale=C.UTF-8"],
        check=True,
        stdout=subprocess.DEVNULL,
        **as_ordinary_user(),
    )
    chosen = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [str(programs / "postgres"), "-D", str(data), *chosen]


def _postgresql_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_major)
    program = shutil.which("initdb") or (str(found[-1]) if found else None)
    if program is None:
        raise Missing("PostgreSQL")
    return Path(program).resolve().parent


def _major(initdb: Path) -> int:
    name = initdb.parts[-3]
    return int(name) if name.isdigit() else 0


def _redis_command(folder: Path, port: int) -> list[str]:
    program = shutil.which("redis-server")
    if program is None:
        raise Missing("Redis")
    return [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)] + [
        *("--save", ""),
        *("--appendonly", "no"),
    ]


def _ordinary_user() -> str:
    """Whom servers run as when we are root: PostgreSQL refuses root."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Missing("an ordinary user for PostgreSQL")


def as_ordinary_user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {"cwd": "/"}
    user = pwd.getpwnam(_ordinary_user())
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def own(folder: Path) -> None:
    if os.geteuid() == 0:
        user = pwd.getpwnam(_ordinary_user())
        os.chown(folder, user.pw_uid, user.pw_gid)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _wait_until_ready(name: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{name} did not start:\n{log.read_text()}")
        try:
            if name == "redis":
                redis.Redis(port=port).ping()
            else:
                psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres").close()
            return
        except (redis.ConnectionError, psycopg.OperationalError):
            time.sleep(0.05)
    raise RuntimeError(f"{name} was not ready in {START_SECONDS} s:\n{log.read_text()}")


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One process of the run at a time."""
    with (run_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def once(name: str, build: Callable[[Path], Any]) -> tuple[Path, Any]:
    """A folder of this name that the first process of the run to ask has built, and what building
    it returned; for the others to copy, never to open.

    Processes whose code differs say so by `OF`, and have each their own.
    """
    name += os.environ.get(OF, "")
    folder, returned = run_folder() / name, run_folder() / f"{name}.pickle"
    with locked(name):
        if not returned.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            result = build(folder)
            returned.write_bytes(pickle.dumps(result))
        return folder, pickle.loads(returned.read_bytes())


def alive(process: int) -> bool:
    """Whether a process of this id runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _is_child(process: int) -> bool:
    try:
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _wait_for_end(process: int) -> None:
    until = time.monotonic() + 20
    while alive(process) and time.monotonic() < until:
        time.sleep(0.05)


def guard(folder: Path, run: Path, owner: int, command: list[str]) -> int:
    """Run the server until told to stop or until the owner is gone; then clear up: the server's
    folder, and the run's when nobody else will (the two need not lie in each other)."""
    server = subprocess.Popen(command, **as_ordinary_user())
    told = False

    def tell(*_: object) -> None:
        nonlocal told
        told = True

    signal.signal(signal.SIGTERM, tell)
    while server.poll() is None and not told and alive(owner):
        time.sleep(0.2)
    server.send_signal(signal.SIGINT)  # PostgreSQL: fast shutdown, without waiting for clients
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    shutil.rmtree(folder, ignore_errors=True)
    if not alive(owner):
        shutil.rmtree(run, ignore_errors=True)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--owner", type=int, required=True)
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    raise SystemExit(guard(given.folder, given.run, given.owner, given.command))
