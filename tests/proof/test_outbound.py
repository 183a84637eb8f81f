"""What somebody names in a record, a definition or a question is not fetched: T12, T58, T59, T60.

One module calls addresses that people name: `platform/outbound/client.py`, for the connections that
an administrator sets up; its guards are tried in `tests/platform/outbound`. What else there is (a
bucket, Redis, PostgreSQL) is addressed by the operator's settings alone. The rule
`no-network-beside-the-drivers` in `.ci/rules` keeps it so.
"""

import ast
import socket
from pathlib import Path
from typing import Any

import pytest

from careloom.platform.definitions.check import check
from careloom.platform.store.database import Database

from .clinic import Clinic, open_clinic

ROOT = Path(__file__).parents[2]
HOSTS = [
    "127.0.0.1", "127.1", "0", "0.0.0.0", "0x7f.1", "0x7f000001", "2130706433", "017700000001",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[fd00::1]",
    "[fe80::1%25eth0]", "169.254.169.254", "100.100.100.200", "100.64.0.1", "198.18.0.1",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "224.0.0.1", "255.255.255.255", "localhost",
    "localhost.", "localhost.localdomain", "①②⑦.0.0.1", "127。0。0。1", "metadata.google.internal",
    "127.0.0.1.nip.io", "example.com@127.0.0.1", "127.0.0.1#@example.com",
    "example.com\\@127.0.0.1", "[::1]:5432", "127.0.0.1:6379", "127.0.0.1:25", "127.0.0.1:22",
]  # fmt: skip
SCHEMES = ["http", "https", "gopher", "file", "ftp", "dict", "ldap", "jar", "netdoc", "data"]
ADDRESSES = [f"http://{host}/" for host in HOSTS] + [
    f"{scheme}://127.0.0.1/x" for scheme in SCHEMES
]
CLIENTS = {
    "urllib.request", "requests", "httpx", "aiohttp", "urllib3", "http.client", "socket", "smtplib",
    "ftplib", "telnetlib", "poplib", "imaplib", "xmlrpc.client", "ssl", "asyncio",
}  # fmt: skip
THE_CLIENT = "platform/outbound/client.py"
DRIVERS = {"boto3": {"platform/store/bucket.py"}, "botocore": {"platform/store/bucket.py"}}


@pytest.fixture
def clinic(sqlite: Database, tmp_path: Path) -> Clinic:
    return open_clinic(sqlite, tmp_path / "home")


@pytest.fixture
def nobody_is_called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every connection and every name that is asked for; nothing gets through."""
    called: list[Any] = []

    def refuse(*where: Any, **_more: Any) -> None:
        called.append(where)
        raise OSError("no network here")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return called


def test_t12_t58_t59_no_address_that_somebody_names_is_gone_to(
    clinic: Clinic, nobody_is_called: list[Any], record_property: Any
) -> None:
    count = 0
    for address in ADDRESSES:
        document = {
            "$schema": address,
            "format": 1,
            "key": "fetches",
            "type": "object",
            "properties": {"a": {"$ref": address}},
            "x-options": {"source": "form", "form": address},
        }
        for method, path, body in (
            ("POST", "/api/records/lead", {"values": {"name": "x", "web": address}}),
            ("POST", "/api/records/lead", {"values": {"name": address[:20], "note": address}}),
        ):
            answer = clinic.ask(method, path, "admin", json=body)
            assert answer.status_code < 500, (address, path, answer.text)
            count += 1
        with clinic.database.read() as session:
            for kind in ("form", "report", "flow", "list"):
                assert check(session, kind, document), (kind, address)
                count += 1
        for path in ("/sign-in?next=", "/api/records/lead?filter=web+%3D+", "/records/lead?q="):
            assert clinic.ask("GET", path + address, "admin").status_code < 500
            count += 1
    assert nobody_is_called == []
    record_property("payloads", count)


def test_t58_t60_one_module_calls_what_people_name() -> None:
    """And no other opens a connection."""
    for area in ("platform", "runtime", "builders"):
        for path in sorted((ROOT / area).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module or ""]
                for name in names:
                    assert name not in CLIENTS or place == THE_CLIENT, f"{place} imports {name}"
                    allowed = DRIVERS.get(name.partition(".")[0])
                    assert allowed is None or place in allowed, f"{place} imports {name}"


def test_t19_t20_no_route_takes_sql_and_no_report_reads_a_table_of_ours(clinic: Clinic) -> None:
    document = clinic.ask("GET", "/api/openapi.json", "admin").json
    words = {"sql", "query", "statement", "table", "schema_name"}
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            if isinstance(said, dict):
                named = {each["name"] for each in said.get("parameters", ()) if "name" in each}
                assert not named & words, (method, path)
    for table in ("person", "sign_in", "event", "access_token", "form_lead", "sqlite_master"):
        report = {
            "format": 1,
            "key": "peeks",
            "title": "Peeks",
            "form": table,
            "dimensions": [{"key": "a", "field": "password_hash"}],
            "measures": [{"key": "n", "title": "N", "formula": "COUNT()"}],
        }
        with clinic.database.read() as session:
            assert check(session, "report", report), table
