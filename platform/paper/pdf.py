"""A page made into PDF by a child process: it is given all it needs, has limits, and is killed when
it takes too long. Whatever becomes of it, the server goes on serving.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import IO, Any

from ..store.errors import Refusal
from .child import GIVEN, TOO_LARGE

log = logging.getLogger("careloom.paper")

CHILD = Path(__file__).with_name("child.py")
COMMAND = (sys.executable, "-I", str(CHILD))
AT_ONCE = 2
WAIT_SECONDS = 10.0  # for one of these to be free
MOST_SECONDS = 20.0
PROBE_SECONDS = 5.0  # somebody waits for a page
MOST_GIVEN = 24_000_000  # bytes of pictures, together
MEGABYTE = 1_000_000
#: of a child, by the names of setrlimit: a sheet of Chinese takes 300 MB and half a second
LIMITS: Mapping[str, int] = {
    "AS": 512 * MEGABYTE,
    "CPU": 10,
    "FSIZE": 20 * MEGABYTE,
    "NOFILE": 64,
    "CORE": 0,
}
BEGINS = b"%PDF-"
#: all that a child has of the environment
ENVIRONMENT = {"LANG": "C.UTF-8"}

_free = BoundedSemaphore(AT_ONCE)


class NotMade(Refusal):
    """There is no PDF. code: E_PDF_ABSENT, E_PDF_BUSY, E_PDF_SLOW, E_PDF_LARGE or E_PDF_FAILED."""

    status = 503
    code = "E_PDF_FAILED"


@dataclass(frozen=True)
class Made:
    """A PDF. refused: the addresses that its page named and that nobody went to."""

    pdf: bytes
    refused: tuple[str, ...]


def address_of(name: str) -> str:
    """What a page says for a file that is given with it."""
    return GIVEN + name


@cache
def can_make() -> bool:
    """Whether PDFs can be made here: WeasyPrint is installed and finds Pango. A child is asked,
    once in the life of a process, so that the server itself loads neither."""
    if find_spec("weasyprint") is None:
        return False
    try:
        _child({"html": "<p>", "styles": [], "files": {}}, PROBE_SECONDS)
    except NotMade as refusal:
        if refusal.code == "E_PDF_SLOW":
            return True  # it is there, and the machine busy
        log.error("WeasyPrint is installed, and makes no PDF: %s", refusal.code)
        return False
    return True


def make_pdf(
    html: str, styles: Sequence[str] = (), files: Mapping[str, bytes] | None = None
) -> Made:
    """A page with its styles as PDF. files: by the names that `address_of` is asked with.

    Slow (half a second, at most MOST_SECONDS): never inside a transaction. Raises NotMade.
    """
    given = files or {}
    if not can_make():
        raise NotMade("E_PDF_ABSENT")
    if sum(map(len, given.values())) > MOST_GIVEN:
        raise NotMade("E_PDF_LARGE")
    encoded = {name: base64.b64encode(body).decode() for name, body in given.items()}
    with _turn():
        made = _child({"html": html, "styles": list(styles), "files": encoded}, MOST_SECONDS)
    if not made.pdf.startswith(BEGINS):
        raise NotMade()
    if made.refused:
        log.warning("a printed page named %d addresses that are not gone to", len(made.refused))
    return made


@contextmanager
def _turn() -> Iterator[None]:
    """One of the few who make a PDF at a time in this process. Raises NotMade (E_PDF_BUSY)."""
    if not _free.acquire(timeout=WAIT_SECONDS):
        raise NotMade("E_PDF_BUSY")
    try:
        yield
    finally:
        _free.release()


def _child(asked: dict[str, Any], seconds: float) -> Made:
    """Files and no pipes: neither side ever waits for the other, and the child's limit on files is
    a limit on what it answers."""
    with TemporaryFile() as given, TemporaryFile() as made, TemporaryFile() as told:
        given.write(json.dumps({**asked, "limits": dict(LIMITS)}).encode())
        given.seek(0)
        code = _run(given, made, told, seconds)
        if code != 0:
            told.seek(0)
            log.error("no PDF, the child ended with %d: %s", code, _last_line(told))
            raise NotMade(_why(code))
        made.seek(0)
        told.seek(0)
        try:
            return Made(made.read(), tuple(json.load(told)["refused"]))
        except ValueError:
            raise NotMade() from None


def _run(given: IO[bytes], made: IO[bytes], told: IO[bytes], seconds: float) -> int:
    """How it ended; killed with all that it may have started when its time is over."""
    child = subprocess.Popen(
        COMMAND,
        stdin=given,
        stdout=made,
        stderr=told,
        env=dict(ENVIRONMENT),
        cwd="/",
        start_new_session=True,
    )
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return -signal.SIGXCPU
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _why(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "E_PDF_SLOW"
    return "E_PDF_LARGE" if code in (TOO_LARGE, -signal.SIGXFSZ) else "E_PDF_FAILED"


def _last_line(told: IO[bytes]) -> str:
    """What the child's fault was called; its words may quote the page, and stay out of the log."""
    lines = told.read(MEGABYTE).decode("utf-8", "replace").strip().splitlines()
    return lines[-1].partition(":")[0][:80] if lines else ""
