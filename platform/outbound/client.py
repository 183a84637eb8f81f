"""The client for addresses that people name: the only one of the house.

A call resolves the name once, has every number it leads to judged (`addresses.Allowed`), and
connects to one of just those; over TLS the certificate is the name's. It follows no redirect, asks
no proxy, keeps no cookie, unpacks nothing, and ends in time: whatever the other side does, after
`total` seconds its connection is cut. So the standard library is enough: what other clients do
beside, they would have to be kept from.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Lock, Timer

from .addresses import IP, Allowed, BadAddress, Target, read_target

#: (name, port) -> the numbers it leads to, as text. Raises OSError.
Resolve = Callable[[str, int], list[str]]


MOST = 64 * 1024
SECONDS = 15


@dataclass(frozen=True)
class Limits:
    """connect, read: seconds of silence; total: seconds from connecting to the answer's last byte.
    most: bytes of an answer that are kept. tries: numbers of one name that are connected to."""

    connect: float = 5
    read: float = 10
    total: float = SECONDS
    most: int = MOST
    tries: int = 3


@dataclass(frozen=True)
class Answer:
    """What came back. body: at most `Limits.most` bytes of it; cut: there was more.

    retry_after: the header as it was sent.
    """

    status: int
    body: bytes
    cut: bool
    retry_after: str


class NoAnswer(Exception):
    """Nothing came back that is an answer; whether the other side heard of it is not known.

    code: E_CALL_…, a sentence in the catalogues. What is closed and what is silent look alike.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def by_system(name: str, port: int) -> list[str]:
    """The numbers of a name, as the machine resolves it."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Client:
    """Calls what `allowed` lets it. May be used by many threads at once."""

    def __init__(
        self, allowed: Allowed, resolve: Resolve = by_system, limits: Limits | None = None
    ) -> None:
        self.allowed = allowed
        self.limits = limits or Limits()
        self._resolve = resolve
        self._tls = ssl.create_default_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send it there. Raises BadAddress for what is not called, NoAnswer."""
        target = read_target(address)
        self.allowed.may_be(target)
        numbers = self._numbers(target)
        with _Line(self.limits) as line:
            line.reach(target, numbers, self._tls)
            return line.ask(target, body, headers)

    def _numbers(self, target: Target) -> list[IP]:
        """Where it leads: each is judged, before any is connected to."""
        if target.number is not None:
            found = [target.number]
        else:
            try:
                found = [ip_address(text) for text in self._resolve(target.host, target.port)]
            except (OSError, UnicodeError):
                raise NoAnswer("E_CALL_NOT_REACHED") from None
            except ValueError:
                raise BadAddress("E_CALL_INSIDE") from None
        if not found:
            raise NoAnswer("E_CALL_NOT_REACHED")
        for number in found:
            self.allowed.judge(target, number)
        return found


class _Line:
    """One connection, cut when its time is over whatever it is doing."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._socket: socket.socket | None = None
        self._late = False
        self._lock = Lock()
        self._timer = Timer(limits.total, self._cut)
        self._timer.daemon = True
        self._end = time.monotonic() + limits.total

    def __enter__(self) -> "_Line":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    def _cut(self) -> None:
        with self._lock:
            self._late = True
            if self._socket is not None:
                with suppress(OSError):  # closed meanwhile
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _hold(self, held: socket.socket) -> None:
        """This is the line from now on; too late is too late."""
        with self._lock:
            self._socket = held
            if self._late:
                raise NoAnswer("E_CALL_TIME")

    def _left(self, most: float) -> float:
        return max(0.05, min(most, self._end - time.monotonic()))

    def reach(self, target: Target, numbers: list[IP], tls: ssl.SSLContext) -> None:
        """Connect to one of the numbers that were judged, and to nothing else."""
        reached = None
        for number in numbers[: self.limits.tries]:
            with suppress(OSError):
                seconds = self._left(self.limits.connect)
                reached = socket.create_connection((str(number), target.port), seconds)
                break
        if reached is None:
            raise NoAnswer("E_CALL_NOT_REACHED")
        self._hold(reached)
        reached.settimeout(self._left(self.limits.read))
        if target.scheme == "https":
            with self._troubles():
                line = tls.wrap_socket(
                    reached, server_hostname=target.host, do_handshake_on_connect=False
                )
                self._hold(line)
                line.do_handshake()

    def ask(self, target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request, one answer."""
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = self._socket
        with self._troubles():
            sent = {"Host": target.named, "Connection": "close", **headers}
            connection.request("POST", target.path, body, sent)
            answer = connection.getresponse()
            with answer:
                # `read` may give less than is there: a piece at a time, until there is no more.
                kept = bytearray()
                while len(kept) <= self.limits.most:
                    piece = answer.read(min(8192, self.limits.most + 1 - len(kept)))
                    if not piece:
                        break
                    kept += piece
            cut = len(kept) > self.limits.most
            if self._late:
                raise NoAnswer("E_CALL_TIME")
            after = answer.headers.get("Retry-After", "")[:40]
            return Answer(answer.status, bytes(kept[: self.limits.most]), cut, after)

    @contextmanager
    def _troubles(self) -> Iterator[None]:
        """Whatever goes wrong on the line, as one of three words."""
        try:
            yield
        except ssl.SSLCertVerificationError:
            raise NoAnswer("E_CALL_CERTIFICATE") from None
        except TimeoutError:
            raise NoAnswer("E_CALL_TIME") from None
        except (OSError, http.client.HTTPException, ValueError):
            # A line that was cut breaks in whatever was read just then.
            raise NoAnswer("E_CALL_TIME" if self._late else "E_CALL_BROKEN") from None
