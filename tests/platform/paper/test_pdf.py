"""The child that makes PDFs: it fetches nothing, has limits, and takes no server with it.

What harms is handed straight to it, as if everything before it had failed: T10, T12, F19.
"""

import io
import json
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pdf_text import pages_of, text_of
from PIL import Image

from careloom.platform.paper import child, pdf
from careloom.platform.paper.pdf import NotMade, address_of, make_pdf

SECRET = "secret-of-the-machine"
SHEET = "@page { size: A5; @bottom-right { content: counter(page) '/' counter(pages) } }"


class Canary(HTTPServer):
    """A server nobody may call. called: what was asked of it."""

    called: list[str]


@pytest.fixture
def canary() -> Iterator[Canary]:
    class Called(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.called.append(self.path)
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = Canary(("127.0.0.1", 0), Called)
    server.called = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def refused(html: str, *styles: str) -> str:
    with pytest.raises(NotMade) as found:
        make_pdf(html, styles)
    return found.value.code


def test_a_page_of_chinese_and_a_picture_become_a_pdf() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "#2a4f8f").save(picture, "JPEG")
    html = f"<html lang=zh-CN><p>种植手术知情同意书</p><img src='{address_of('p')}'>"
    made = make_pdf(
        html + "<p style='break-before: page'>第二页", [SHEET], {"p": picture.getvalue()}
    )
    first, second = pages_of(made.pdf)
    assert "种植手术知情同意书" in first and "1/2" in first and "第二页" in second
    assert b"/DCTDecode" in made.pdf, "the picture is in it, as it came"
    assert made.refused == () and len(made.pdf) < 120_000, "only the letters that are used"


def harmful(canary: int, file: Path) -> list[str]:
    """Each names the file or the server that must not be gone to."""
    found = []
    for address in (f"http://127.0.0.1:{canary}/x", f"file://{file}", "data:text/plain,x"):
        found += [
            f"<img src='{address}'>",
            f"<link rel=stylesheet href='{address}'>",
            f"<link rel=attachment href='{address}'>",
            f"<a rel=attachment href='{address}'>a</a>",
            f"<style>@import url({address});</style>",
            f"<style>p {{ background: url({address}) }}</style><p>x",
            f"<style>li {{ list-style-image: url({address}) }}</style><ul><li>x</ul>",
            f"<style>p::before {{ content: url({address}) }}</style><p>x",
            f"<object data='{address}'></object><embed src='{address}'>",
            f"<svg width=9 height=9><image href='{address}' width=9 height=9 /></svg>",
            f"<svg width=9 height=9><use href='{address}#a' /></svg>",
            f"<base href='{address}'><img src=y>",
        ]
    return [*found, f"<img src='{file}'>", f"<img src='//127.0.0.1:{canary}/x'>"]


def test_t12_nothing_is_fetched_whatever_a_page_names(
    canary: Canary, tmp_path: Path, record_property: object
) -> None:
    file = tmp_path / "of-the-machine.txt"
    file.write_text(SECRET)
    payloads = harmful(canary.server_port, file)
    made = make_pdf("".join(payloads) + "<p>all the same")
    assert canary.called == []
    assert SECRET not in text_of(made.pdf) and SECRET.encode() not in made.pdf
    assert b"/EmbeddedFile" not in made.pdf
    assert any(each.startswith("http://127.0.0.1") for each in made.refused), made.refused
    assert any(each.startswith("file:") for each in made.refused), made.refused
    assert "all the same" in text_of(made.pdf)
    record_property("payloads", len(payloads))  # type: ignore[operator]


def test_t12_behind_the_fetcher_python_itself_is_shut(canary: Canary, tmp_path: Path) -> None:
    """A second wall: even code that would go there can neither call, open, write nor start."""
    file = tmp_path / "of-the-machine.txt"
    file.write_text(SECRET)
    tries = {
        "call": f"import socket; socket.create_connection(('127.0.0.1', {canary.server_port}))",
        "read": f"open({str(file)!r}).read()",
        "write": f"open({str(tmp_path / 'new')!r}, 'w')",
        "start": "import subprocess; subprocess.run(['true'])",
        "fork": "import os; os.fork()",
        "url": f"from urllib.request import urlopen; urlopen('http://127.0.0.1:{canary.server_port}')",
    }
    for what, code in tries.items():
        script = f"import runpy; shut = runpy.run_path({str(pdf.CHILD)!r})['shut']; shut()\n{code}"
        done = subprocess.run([*pdf.COMMAND[:-1], "-c", script], capture_output=True, text=True)
        assert "PermissionError" in done.stderr, (what, done.stderr)
    assert canary.called == [] and not (tmp_path / "new").exists()


def test_t10_f19_memory_that_runs_out_ends_the_child_alone() -> None:
    assert refused("<table><tr><td colspan=1000000000>x</table>") == "E_PDF_LARGE"
    assert "well" in text_of(make_pdf("<p>well").pdf)


def test_t10_a_page_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "LIMITS", {**pdf.LIMITS, "CPU": 1})
    assert refused("<p>" + "字" * 3_000_000) == "E_PDF_SLOW"


def test_t10_who_takes_too_long_is_killed_with_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sleeps, so that no limit of the processor ends it, and has a child of its own."""
    monkeypatch.setattr(pdf, "MOST_SECONDS", 2.0)
    number = f"9.{secrets.randbelow(10**8):08d}"
    sleeper = f"import subprocess, time; subprocess.Popen(['sleep', '{number}']); time.sleep(9)"
    monkeypatch.setattr(pdf, "COMMAND", (*pdf.COMMAND[:-1], "-c", sleeper))
    begun = time.monotonic()
    assert refused("<p>") == "E_PDF_SLOW"
    assert time.monotonic() - begun < 8
    left = subprocess.run(["pgrep", "-fx", f"sleep {number}"], capture_output=True, text=True)
    assert left.stdout == ""


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os; os.kill(os.getpid(), 11)", "E_PDF_FAILED"),
        ("raise RuntimeError('of ours')", "E_PDF_FAILED"),
        ("import sys; sys.exit(12)", "E_PDF_LARGE"),
        ("print('no pdf')", "E_PDF_FAILED"),
        (
            "import sys; print('no pdf'); print('{\"refused\": []}', file=sys.stderr)",
            "E_PDF_FAILED",
        ),
    ],
)
def test_f19_a_child_that_dies_is_told_and_not_caught(
    monkeypatch: pytest.MonkeyPatch, code: str, why: str
) -> None:
    monkeypatch.setattr(pdf, "COMMAND", (*pdf.COMMAND[:-1], "-c", code))
    assert refused("<p>") == why


def test_a_child_holds_its_limits_and_knows_nothing_of_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Asked of the child itself: what follows from them is the kernel's."""
    told = (
        "import json, os, resource, runpy, sys; its = runpy.run_path(sys.argv[1]);"
        "its['confine'](json.load(sys.stdin)['limits']);"
        "names = ('AS', 'CPU', 'FSIZE', 'NOFILE', 'CORE');"
        "kept = {n: resource.getrlimit(getattr(resource, 'RLIMIT_' + n))[0] for n in names};"
        "print(json.dumps({**kept, 'environ': sorted(os.environ), 'at': os.getcwd(),"
        " 'files': sorted(os.listdir('/proc/self/fd'))}));"
        "print(json.dumps({'refused': []}), file=sys.stderr)"
    )
    monkeypatch.setattr(pdf, "COMMAND", (*pdf.COMMAND[:-1], "-c", told, str(pdf.CHILD)))
    monkeypatch.setenv("CARELOOM_SECRET", SECRET)
    with (tmp_path / "open").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        seen = json.loads(pdf._child({}, 20).pdf)
    assert {name: seen[name] for name in pdf.LIMITS} == dict(pdf.LIMITS)
    assert seen["environ"] in (["LANG"], ["LANG", "LC_CTYPE"]) and seen["at"] == "/"
    assert len(seen["files"]) == 4, "its three, and the folder it looks into"


def test_few_are_made_at_once_and_who_waits_too_long_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pdf, "WAIT_SECONDS", 0.05)
    for _ in range(pdf.AT_ONCE):
        assert pdf._free.acquire(timeout=1)
    try:
        assert refused("<p>") == "E_PDF_BUSY"
    finally:
        for _ in range(pdf.AT_ONCE):
            pdf._free.release()
    assert make_pdf("<p>free again").pdf.startswith(b"%PDF")


def test_without_weasyprint_it_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "can_make", lambda: False)
    assert refused("<p>") == "E_PDF_ABSENT"
    assert (NotMade.status, child.TOO_LARGE) == (503, 12)


def test_pictures_have_a_largest_size_together() -> None:
    with pytest.raises(NotMade, match="E_PDF_LARGE"):
        make_pdf("<p>", (), {"a": b"x" * (pdf.MOST_GIVEN + 1)})
