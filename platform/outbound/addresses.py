"""Addresses that people write: read strictly, and judged once it is known where they lead.

Nothing is guessed: an address is `https://NAME[:PORT]/PATH`, its name in plain letters (an
internationalised one as `xn--…`), a number written the one usual way. What it leads to is public,
or the operator's setting names it (`Allowed`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

IP: TypeAlias = IPv4Address | IPv6Address

LONGEST = 1000
PORTS = {"https": 443, "http": 80}
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# What may stand in an address at all: RFC 3986, without `@` and the backslash.
WRITTEN = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]!$&'()*+,;=%]+")

NEVER = [
    ip_network(network)
    for network in (
        "168.63.129.16/32",  # a cloud's own service, under a public number
        "192.0.0.0/24",  # protocols' own, and a cloud's keys; later Pythons take parts for public
        "192.88.99.0/24",  # 6to4's relay
        "::/96",  # IPv4 written as IPv6, long given up
        "64:ff9b:1::/48",  # NAT64 within a network
        "2001::/32",  # Teredo: IPv4 inside
        "2002::/16",  # 6to4: IPv4 inside
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local, long given up
    )
]
"""Public by Python's table, and yet nobody's, or another address in disguise."""
NAT64 = ip_network("64:ff9b::/96")
WITHIN = [
    ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
"""Where a name that the operator allows may lead, beside public addresses."""
METADATA = [ip_network("100.100.100.200/32"), ip_network("fd00:ec2::254/128")]
"""Within those, and a cloud's keys: only a number or network of the operator's leads there."""


class BadAddress(ValueError):
    """An address that is not called. code: E_CALL_…, a sentence in the catalogues."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Target:
    """A sound address. host: a name in small letters, or a number; path: with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def number(self) -> IP | None:
        """The host, where it is a number."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def named(self) -> str:
        """The host as a request names it, with a port that is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def read_target(address: str) -> Target:
    """The parts of an address as somebody wrote it. Raises BadAddress."""
    if len(address) > LONGEST or not WRITTEN.fullmatch(address):
        raise BadAddress("E_CALL_ADDRESS")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise BadAddress("E_CALL_ADDRESS") from None
    if parts.scheme not in PORTS:
        raise BadAddress("E_CALL_SCHEME")
    if parts.fragment or "#" in address or not parts.netloc or port == 0:
        raise BadAddress("E_CALL_ADDRESS")
    if parts.netloc.endswith(":"):
        raise BadAddress("E_CALL_ADDRESS")
    host = read_host(_bare(parts.netloc))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or PORTS[parts.scheme], path)


def _bare(netloc: str) -> str:
    """Without its port, with its brackets."""
    if netloc.startswith("["):
        inside, closed, after = netloc.partition("]")
        if not closed or after and not re.fullmatch(r":[0-9]{1,5}", after):
            raise BadAddress("E_CALL_ADDRESS")
        return inside + closed
    name, colon, port = netloc.partition(":")
    if colon and not re.fullmatch(r"[0-9]{1,5}", port):
        raise BadAddress("E_CALL_ADDRESS")
    return name


def read_host(written: str) -> str:
    """A name, or a number in its one usual spelling. Raises BadAddress."""
    if written.startswith("["):
        try:
            number = IPv6Address(written[1:-1])
        except ValueError:
            raise BadAddress("E_CALL_ADDRESS") from None
        if number.scope_id is not None or not written.endswith("]"):
            raise BadAddress("E_CALL_ADDRESS")
        return str(number)
    host = written.lower()
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise BadAddress("E_CALL_ADDRESS")
    # Resolvers read `127.1`, `0x7f.1`, `017700000001` and `2130706433` as numbers.
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        try:
            if str(IPv4Address(host)) != host:
                raise BadAddress("E_CALL_ADDRESS")
        except ValueError:
            raise BadAddress("E_CALL_ADDRESS") from None
    return host


def bare_number(number: IP) -> IP:
    """The IPv4 address that stands in an IPv6 one, where it does by a rule that is in force."""
    if isinstance(number, IPv6Address):
        if number.ipv4_mapped is not None:
            return number.ipv4_mapped
        if number in NAT64:
            return IPv4Address(number.packed[-4:])
    return number


def is_public(number: IP) -> bool:
    """Whether it is somebody's address in the world, and nothing special."""
    number = bare_number(number)
    return (
        number.is_global
        and not number.is_multicast
        and not number.is_reserved
        and not _in(number, NEVER)
    )


def _in(number: IP, networks: Sequence[object]) -> bool:
    return any(number in network for network in networks)  # type: ignore[operator]


@dataclass(frozen=True)
class Entry:
    """What the operator allows: a name or a network; a port that is not the usual one; http."""

    plain: bool
    name: str
    network: object
    port: int | None

    def means(self, target: Target, number: IP | None) -> bool:
        """Whether it is about this target, at this number where one is known."""
        if self.port is not None and self.port != target.port:
            return False
        if self.port is None and target.port != PORTS[target.scheme]:
            return False
        if self.network is None:
            return self.name == target.host
        return number is None or number in self.network  # type: ignore[operator]


class Allowed:
    """Where people may have the house call, beside https at the usual port of public addresses."""

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self.entries = tuple(entries)

    def may_be(self, target: Target) -> None:
        """Whether it can be right at all, before anybody asks where the name leads: so that who
        writes it hears of it at once. Raises BadAddress."""
        self._judge(target, target.number)

    def judge(self, target: Target, number: IP) -> None:
        """Whether this target may be called at this number. Raises BadAddress."""
        self._judge(target, number)

    def _judge(self, target: Target, number: IP | None) -> None:
        about = None if number is None else bare_number(number)
        found = [entry for entry in self.entries if entry.means(target, about)]
        if target.scheme == "http" and not any(entry.plain for entry in found):
            raise BadAddress("E_CALL_SCHEME")
        if target.port != PORTS[target.scheme] and not found:
            raise BadAddress("E_CALL_PORT", port=str(target.port))
        if number is None or about is None or is_public(number):
            return
        by_number = any(entry.network is not None for entry in found)
        by_name = bool(found) and _in(about, WITHIN) and not _in(about, METADATA)
        if not by_number and not by_name:
            raise BadAddress("E_CALL_INSIDE")


def read_allowed(text: str) -> Allowed:
    """The operator's setting: `his.clinic.lan, http://10.1.0.0/16, oa.example.com:8443`.

    Each is a name, a number or a network (IPv6 in brackets: `[fd00::]/8`), with `http://` before it
    where unencrypted calls are allowed as well, and `:PORT` after it for another port than the
    usual one. Raises ValueError.
    """
    return Allowed([_entry(part) for part in re.split(r"[,\s]+", text.strip()) if part])


ENTRY = re.compile(
    r"(?P<plain>http://|https://)?(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.\-]+)"
    r"(?P<bits>/[0-9]{1,3})?(?::(?P<port>[0-9]{1,5}))?",
    re.I,
)


def _entry(part: str) -> Entry:
    said = ENTRY.fullmatch(part)
    if said is None:
        raise ValueError(f"a name or a network is wanted, not {part}")
    port = int(said["port"]) if said["port"] else None
    if port is not None and not 0 < port < 65536:
        raise ValueError(f"a port from 1 to 65535 is wanted, not {part}")
    plain = said["plain"] == "http://"
    try:
        host = read_host(said["host"])
    except BadAddress:
        raise ValueError(f"a name or a network is wanted, not {part}") from None
    bits = said["bits"] or ""
    try:
        return Entry(plain, "", ip_network(host + bits), port)
    except ValueError:
        if bits or Target("https", host, 443, "/").number is not None:
            raise ValueError(f"{part} is no network") from None
        return Entry(plain, host, None, port)
