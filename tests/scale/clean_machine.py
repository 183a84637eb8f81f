"""python -m scale.clean_machine: PRODUCTION.md followed to the letter on a freshly made Debian 12.

    python -m scale.clean_machine [--folder DIR] [--keep]

Makes a Debian by debootstrap, boots it in a container (systemd-nspawn, systemd its first process),
copies the sources to /root/careloom, and runs every block of the page in one shell of root's, as
it stands there. Then people work through its nginx while `careloom-restart` goes round, and nothing
may be lost. Needs root, debootstrap, systemd-container, and a way to Debian and PyPI; half an hour.

What differs from a machine of one's own: it shares the network with the host, so nothing else may
listen on the ports below; and where the host reaches the network through an authority of its own,
that authority's certificate is copied in.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .guide import ROOT, script

PACKAGES = "ca-certificates,systemd,systemd-sysv,dbus,adduser,iproute2"
PORTS = (80, 443, 5432, 6379, 8001, 8002)
AUTHORITY = Path("etc/ssl/authority.pem")
ENVIRONMENT = {
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
HERE = Path(__file__).parent


def main() -> int:
    """Make it, follow the page, let people work; 0 when all went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/careloom-clean-machine"))
    parser.add_argument("--keep", action="store_true", help="leave the machine's folder there")
    given = parser.parse_args()
    for port in PORTS:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", port))
    machine = given.folder / "machine"
    since = time.monotonic()
    try:
        make(machine)
        told("the machine is made", since)
        with booted(machine) as first:
            told("it has booted", since)
            run(first, ["bash", "/root/page.sh"])
            told("the page was followed", since)
            run(first, ["python3", "/root/at_work.py"])
            told("people worked while all was restarted", since)
    finally:
        if not given.keep:
            away(given.folder)
    return 0


def away(folder: Path) -> None:
    """Remove it, and nothing that is mounted in it: debootstrap, cut short, leaves /proc there."""
    for mounted in ("proc", "sys"):
        subprocess.run(["umount", str(folder / "machine" / mounted)], stderr=subprocess.DEVNULL)
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)])


def told(what: str, since: float) -> None:
    """Say how far it is."""
    print(f"--- {what} ({time.monotonic() - since:.0f} s)", flush=True)


def make(machine: Path) -> None:
    """A Debian 12 with what an installation has at least, and the sources in /root."""
    if not (machine / "lib" / "systemd" / "systemd").exists():
        away(machine.parent)
        machine.mkdir(parents=True)
        words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm"]
        subprocess.run([*words, str(machine)], check=True, stdout=subprocess.DEVNULL)
        mend_later(machine / "etc/apt/sources.list")
    shutil.copy("/etc/resolv.conf", machine / "etc/resolv.conf")
    (machine / "etc/hostname").write_text("careloom\n")
    if authority := os.environ.get("PIP_CERT"):
        shutil.copy(authority, machine / AUTHORITY)
        (machine / "etc/pip.conf").write_text(f"[global]\ncert = /{AUTHORITY}\n")
        (machine / "root/.npmrc").write_text(f"cafile=/{AUTHORITY}\n")
    sources_of(ROOT, machine / "root" / "careloom")
    (machine / "root" / "page.sh").write_text(script())
    shutil.copy(HERE / "at_work.py", machine / "root")


def mend_later(sources: Path) -> None:
    """Security updates, from beside the mirror that debootstrap chose."""
    _deb, mirror, *_ = sources.read_text().split()
    with sources.open("a") as file:
        file.write(f"deb {mirror.rstrip('/')}-security bookworm-security main\n")


def sources_of(checkout: Path, to: Path) -> None:
    """What is committed, as `git clone` would bring it."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    packed = subprocess.run(
        ["git", "-C", str(checkout), "archive", "HEAD"], check=True, stdout=subprocess.PIPE
    )
    subprocess.run(["tar", "-x", "-C", str(to)], input=packed.stdout, check=True)


@contextmanager
def booted(machine: Path) -> Iterator[int]:
    """The machine running; the process id of its init."""
    words = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot"]
    process = subprocess.Popen(
        [*words, f"--directory={machine}", "--console=pipe"],
        stdin=subprocess.DEVNULL,
        stdout=(machine.parent / "boot.log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        first = init_of(process)
        run(first, ["systemctl", "is-system-running", "--wait"], check=False)
        yield first
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def init_of(process: "subprocess.Popen[bytes]") -> int:
    """The container's first process, once systemd answers in it."""
    until = time.monotonic() + 300
    while time.monotonic() < until and process.poll() is None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children:
            first = int(children[0])
            if run(first, ["systemctl", "list-units"], check=False, quiet=True) == 0:
                return first
        time.sleep(1)
    raise RuntimeError("the machine did not boot")


def run(first: int, words: Sequence[str], check: bool = True, quiet: bool = False) -> int:
    """A command inside, as root on its console; its exit status. Raises CalledProcessError."""
    output = subprocess.DEVNULL if quiet else None
    enter = ["nsenter", f"--target={first}", "--mount", "--uts", "--ipc", "--pid", "--cgroup"]
    done = subprocess.run(
        [*enter, "--root", "--wd", *words],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        check=check,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
