"""What the client does with receivers that are slow, endless, lying, elsewhere or within."""

import gzip
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from receiver import Asked, Does, Receiver, receiving, says

from careloom.platform.outbound.addresses import BadAddress, read_allowed
from careloom.platform.outbound.client import Answer, Client, Limits, NoAnswer

SHORT = Limits(connect=0.5, read=0.5, total=1.0, most=2000)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def client(receiver: Receiver, resolve: object = None, allow: str = "") -> Client:
    """One that may call the receiver, by its number or by the name `his.lan`."""
    port = receiver.port
    allowed = read_allowed(allow or f"http://127.0.0.1:{port}, 127.0.0.1:{port}")
    named = resolve or (lambda name, port: ["127.0.0.1"])
    return Client(allowed, named, SHORT)  # type: ignore[arg-type]


def post(receiver: Receiver, does: Does | None = None, path: str = "/hook") -> Answer:
    receiver.does = does or receiver.does
    return client(receiver).post(f"http://his.lan:{receiver.port}{path}", b'{"a": 1}', {"X-A": "b"})


def why(receiver: Receiver, does: Does | None = None) -> str:
    with pytest.raises(NoAnswer) as told:
        post(receiver, does)
    return told.value.code


def test_a_call_arrives_as_it_was_sent(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        answer = post(receiver, says(201, b'{"ok": true}', "Retry-After: 7"), "/a?b=c")
        assert not proxy.reached
    assert answer == Answer(201, b'{"ok": true}', False, "7")
    (asked,) = receiver.asked
    assert asked.line == "POST /a?b=c HTTP/1.1" and asked.body == b'{"a": 1}'
    assert asked.headers == {
        "host": f"his.lan:{receiver.port}",
        "accept-encoding": "identity",
        "connection": "close",
        "content-length": "8",
        "x-a": "b",
    }


def test_no_header_carries_another(receiver: Receiver) -> None:
    with pytest.raises(NoAnswer):
        client(receiver).post(f"http://his.lan:{receiver.port}/", b"", {"X-A": "b\r\nX-C: d"})
    assert receiver.asked == []


def test_t59_a_name_that_leads_elsewhere_the_second_time_is_asked_once(receiver: Receiver) -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    asked = []

    def resolve(name: str, port: int) -> list[str]:
        asked.append(name)
        return next(answers)

    public = client(receiver, resolve, f"http://his.lan:{receiver.port}")
    with pytest.raises(NoAnswer):
        public.post(f"http://his.lan:{receiver.port}/", b"", {})
    assert asked == ["his.lan"] and not receiver.reached


@pytest.mark.parametrize(
    "found", [["8.8.8.8", "127.0.0.1"], ["127.0.0.1"], ["::ffff:127.0.0.1"], ["8.8.8.8", "fe80::1"]]
)
def test_t59_one_number_within_and_none_is_called(receiver: Receiver, found: list[str]) -> None:
    mixed = client(receiver, lambda name, port: found, f"http://his.lan:{receiver.port}")
    with pytest.raises(BadAddress, match="E_CALL_INSIDE"):
        mixed.post(f"http://his.lan:{receiver.port}/", b"", {})
    assert not receiver.reached


def test_the_numbers_of_a_name_are_tried_in_order(receiver: Receiver) -> None:
    allow = f"http://127.0.0.0/8:{receiver.port}"
    other = client(receiver, lambda name, port: ["127.0.0.9", "127.0.0.1"], allow)
    assert other.post(f"http://his.lan:{receiver.port}/", b"", {}).status == 200


def test_a_name_that_leads_nowhere_is_not_reached(receiver: Receiver) -> None:
    def unknown(name: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    for resolve in (unknown, lambda name, port: []):
        with pytest.raises(NoAnswer, match="E_CALL_NOT_REACHED"):
            client(receiver, resolve).post(f"http://his.lan:{receiver.port}/", b"", {})


def test_a_closed_port_and_a_silent_one_look_alike(receiver: Receiver) -> None:
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    full = socket.create_server(("127.0.0.1", 0), backlog=0)  # accepts nobody
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(full.getsockname())
    time.sleep(0.05)
    for number in (port, full.getsockname()[1]):
        silent = Client(read_allowed(f"http://127.0.0.1:{number}"), limits=SHORT)
        with pytest.raises(NoAnswer, match="E_CALL_NOT_REACHED"):
            silent.post(f"http://127.0.0.1:{number}/", b"", {})
    for one in (*waiting, full):
        one.close()


def test_t58_redirects_are_told_and_not_followed(receiver: Receiver) -> None:
    with receiving() as within:
        there = f"Location: http://127.0.0.1:{within.port}/"
        for status in (301, 302, 303, 307, 308):
            assert post(receiver, says(status, b"", there)).status == status
        assert not within.reached


def _drip(every: float, words: bytes) -> Does:
    def does(line: socket.socket, asked: Asked) -> None:
        for at in range(len(words)):
            line.sendall(words[at : at + 1])
            time.sleep(every)

    return does


def _endless(head: bytes, piece: bytes) -> Does:
    def does(line: socket.socket, asked: Asked) -> None:
        line.sendall(head)
        while True:
            line.sendall(piece)

    return does


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"400\r\n" + b"a" * 1024 + b"\r\n"


@pytest.mark.parametrize(
    ("does", "code"),
    [
        (lambda line, asked: time.sleep(3), "E_CALL_TIME"),
        (_drip(0.05, OK + b"A: " + b"b" * 100), "E_CALL_TIME"),
        (_drip(0.05, OK + b"Content-Length: 100\r\n\r\n" + b"b" * 100), "E_CALL_TIME"),
        (_endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "E_CALL_TIME"),
        (_endless(OK, b"A: b\r\n"), "E_CALL_BROKEN"),
        (_endless(OK + b"A: ", b"b" * 1000), "E_CALL_BROKEN"),
        (_endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1" * 1000), "E_CALL_BROKEN"),
        (lambda line, asked: None, "E_CALL_BROKEN"),
        (lambda line, asked: line.sendall(b"SSH-2.0-x\r\n"), "E_CALL_BROKEN"),
        (lambda line, asked: line.sendall(b"HTTP/1.1 999999 X\r\n\r\n"), "E_CALL_BROKEN"),
        (lambda line, asked: line.sendall(OK + CHUNKED + b"zz"), "E_CALL_BROKEN"),
    ],
)  # fmt: skip
def test_t60_no_answer_takes_longer_than_the_limit(
    receiver: Receiver, does: Does, code: str
) -> None:
    began = time.monotonic()
    assert why(receiver, does) == code
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    "head", [b"Content-Length: 5000000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"\r\n"]
)
def test_t60_an_answer_without_end_is_read_up_to_the_limit(receiver: Receiver, head: bytes) -> None:
    answer = post(receiver, _endless(OK + head, CHUNK))
    assert answer.status == 200 and answer.cut and len(answer.body) == SHORT.most


def test_t60_a_packed_answer_is_not_unpacked(receiver: Receiver) -> None:
    bomb = gzip.compress(b"0" * 1_000_000)
    for kind in ("gzip", "deflate", "br"):
        answer = post(receiver, says(200, bomb, f"Content-Encoding: {kind}", "Set-Cookie: a=b"))
        assert answer.body == bomb[: SHORT.most]


# Over TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for `his.lan` and 127.0.0.1 that nobody but its owner has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "his.lan")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("his.lan")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "his.pem"
    kept = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(kept + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("name", "trusted", "code"),
    [
        ("his.lan", True, ""),
        ("his.lan", False, "E_CALL_CERTIFICATE"),
        ("other.lan", True, "E_CALL_CERTIFICATE"),
        ("127.0.0.1", True, "E_CALL_CERTIFICATE"),
    ],
)
def test_the_certificate_is_the_names(
    name: str, trusted: bool, code: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiving(certificate=certificate) as receiver:
        try:
            answer = client(receiver).post(f"https://{name}:{receiver.port}/", b"x", {})
        except NoAnswer as told:
            assert told.code == code and receiver.asked == []
        else:
            assert not code and answer.status == 200 and receiver.asked[0].body == b"x"


def test_a_handshake_that_drips_ends_in_time() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="E_CALL_TIME"):
        Client(read_allowed(f"127.0.0.1:{port}"), limits=SHORT).post(
            f"https://127.0.0.1:{port}/", b"", {}
        )
    assert time.monotonic() - began < 2
    listening.close()


def test_what_was_judged_is_what_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = []
    monkeypatch.setattr(
        socket, "create_connection", lambda where, seconds: connected.append(where) or _refuse()
    )
    public = Client(read_allowed(""), lambda name, port: ["8.8.8.8", "2400:3200::1"], SHORT)
    with pytest.raises(NoAnswer):
        public.post("https://example.com/", b"", {})
    assert connected == [("8.8.8.8", 443), ("2400:3200::1", 443)]
    assert all(ip_address(host).is_global for host, _ in connected)


def _refuse() -> socket.socket:
    raise ConnectionRefusedError
