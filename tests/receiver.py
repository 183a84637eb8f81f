"""A receiver on this machine that does what a test says: it answers, is silent, drips, lies."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

#: What is done with a connection once its request was read.
Does = Callable[[socket.socket, "Asked"], None]


@dataclass(frozen=True)
class Asked:
    """One request as it came: its first line, its headers in small letters, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


def says(status: int, body: bytes = b"{}", *more: str) -> Does:
    """Answer with a status, a body and further header lines."""
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *more, "", ""]
    words = "\r\n".join(head).encode() + body

    def answer(line: socket.socket, _asked: Asked) -> None:
        line.sendall(words)

    return answer


@dataclass
class Receiver:
    """port: where it listens. asked: every request so far. does: what it does from now on."""

    port: int
    does: Does
    asked: list[Asked] = field(default_factory=list)
    reached: int = 0
    """Connections there were, whatever came of them."""


@contextmanager
def receiving(
    does: Does | None = None, host: str = "127.0.0.1", certificate: Path | None = None
) -> Iterator[Receiver]:
    """Listen until the block ends; with a certificate (and its key, one file) over TLS."""
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    listening = socket.create_server((host, 0), family=_family(host))
    receiver = Receiver(listening.getsockname()[1], does or says(200))
    thread = threading.Thread(target=_serve, args=(listening, receiver, tls), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _serve(listening: socket.socket, receiver: Receiver, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            line, _ = listening.accept()
        except OSError:
            return
        receiver.reached += 1
        threading.Thread(target=_one, args=(line, receiver, tls), daemon=True).start()


def _one(line: socket.socket, receiver: Receiver, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError, ValueError):
        if tls is not None:
            line = tls.wrap_socket(line, server_side=True)
        with line:
            asked = _read(line)
            receiver.asked.append(asked)
            receiver.does(line, asked)


def _read(line: socket.socket) -> Asked:
    got = b""
    while b"\r\n\r\n" not in got:
        got += line.recv(65536) or _gone()
    head, _, body = got.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)
    }
    while len(body) < int(headers.get("content-length", "0")):
        body += line.recv(65536) or _gone()
    return Asked(first, headers, body)


def _gone() -> bytes:
    raise OSError("the other side has left")
