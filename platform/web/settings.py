"""Every setting of Careloom, named and explained once.

Settings come from the environment. `careloom settings` prints this table, and a test compares it
with the README.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..identity.second_factor import ROLES, WHO
from ..identity.sessions import MOST
from ..outbound.addresses import Allowed, read_allowed
from ..store.bucket import read_address


class BadSetting(ValueError):
    """A setting Careloom will not start with. Says which, and what is wanted."""


@dataclass(frozen=True)
class Setting:
    """One setting: its variable, what it means, its default as text, and how it is read."""

    name: str
    says: str
    default: str
    take: Callable[[str], Any]


def _whole(low: int, high: int) -> Callable[[str], int]:
    def take(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(f"a number from {low} to {high} is wanted")
        return number

    return take


def _address(text: str) -> str:
    """The address people open, without a path: `https://care.example.com`."""
    parts = urlsplit(text)
    if not text:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ValueError("an address such as https://care.example.com is wanted")
    return f"{parts.scheme}://{parts.netloc}"


def _redis(text: str) -> str:
    if text and urlsplit(text).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("an address such as redis://:PASSWORD@HOST:6379/0 is wanted")
    return text


def _bucket(text: str) -> str:
    if text:
        read_address(text)
    return text


def _language(text: str) -> str:
    if text not in ("zh-CN", "en"):
        raise ValueError("zh-CN or en is wanted")
    return text


def _who(text: str) -> str:
    if text not in WHO:
        raise ValueError(f"one of {', '.join(WHO)} is wanted")
    return text


def _rows(text: str) -> int | None:
    """So many rows, or None for any number."""
    if text == "off":
        return None
    try:
        return _whole(0, 1_000_000)(text)
    except ValueError:
        raise ValueError("a number from 0 to 1000000, or off, is wanted") from None


SETTINGS = (
    Setting("PORT", "The port to serve on.", "8000", _whole(1, 65535)),
    Setting("CARELOOM_HOME", "The data folder: database, keys, files.", "var", Path),
    Setting(
        "CARELOOM_DATABASE_URL",
        "sqlite:///FILE or postgresql://…; empty: careloom.db in the data folder.",
        "",
        str,
    ),
    Setting("CARELOOM_REDIS_URL", "Redis for wake-ups between machines; empty: none.", "", _redis),
    Setting(
        "CARELOOM_PUBLIC_URL",
        "The address people open. With https, cookies are Secure and HSTS is sent; other hosts"
        " are refused. Links in messages need it.",
        "",
        _address,
    ),
    Setting(
        "CARELOOM_SECRET",
        "Signs cursors and sign-in forms, 32 characters or more, the same on every machine;"
        " empty: made on the first run and kept in keys/secret.",
        "",
        str,
    ),
    Setting(
        "CARELOOM_PROXIES",
        "How many proxies in front may say where a request comes from (X-Forwarded-…).",
        "0",
        _whole(0, 5),
    ),
    Setting("CARELOOM_SESSION_HOURS", "A sign-in ends after so long unused.", "12", _whole(1, 720)),
    Setting(
        "CARELOOM_BROWSERS",
        "At how many browsers somebody may be signed in at once; for one more the one not used for"
        " longest is signed out.",
        str(MOST),
        _whole(1, 1000),
    ),
    Setting(
        "CARELOOM_SECOND_FACTOR",
        "Who must have a second factor to get in: roles (whoever holds a role that says so),"
        " administrators (also who administers the platform), everybody.",
        ROLES,
        _who,
    ),
    Setting("CARELOOM_LANGUAGE", "The language when nobody says: zh-CN or en.", "zh-CN", _language),
    Setting(
        "CARELOOM_FILES_URL",
        "s3://BUCKET/PREFIX?endpoint=https://…&region=…: attached files lie in a bucket, which more"
        " than one machine needs; empty: in the data folder.",
        "",
        _bucket,
    ),
    Setting(
        "CARELOOM_EXPORT_FREE",
        "How many different records of a form with personal data one person takes out within 24"
        " hours without a reason and a second person's yes; 0: none; off: any number.",
        "500",
        _rows,
    ),
    Setting("CARELOOM_MAX_UPLOAD_MB", "The largest request body.", "20", _whole(1, 2000)),
    Setting(
        "CARELOOM_OUTBOUND",
        "What connections may lead to beside https at the usual port of public addresses, separated"
        " by commas: HOST, NUMBER or NETWORK, with :PORT for another port, and http:// before it"
        " where unencrypted calls are allowed; empty: nothing else.",
        "",
        read_allowed,
    ),
)

KNOWN_SECRETS = ("dev", "secret", "changeme", "change-me", "password", "careloom", "test")


@dataclass(frozen=True)
class Settings:
    """The settings in force, each under its name."""

    port: int
    home: Path
    database_url: str
    redis_url: str
    public_url: str
    secret: str
    proxies: int
    session_hours: int
    browsers: int
    second_factor: str
    language: str
    files_url: str
    export_free: int | None
    max_upload_mb: int
    outbound: Allowed

    @property
    def secure(self) -> bool:
        """Whether people come by https."""
        return self.public_url.startswith("https://")


def settings_from(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings. Raises BadSetting, naming the variable."""
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = source.get(setting.name) or setting.default
        try:
            values[setting.name.removeprefix("CARELOOM_").lower()] = setting.take(text)
        except ValueError as error:
            raise BadSetting(f"{setting.name}: {error}") from error
    home = values["home"] = values["home"].expanduser().resolve()
    values["database_url"] = values["database_url"] or f"sqlite:///{home / 'careloom.db'}"
    values["secret"] = _secret(values["secret"], home)
    return Settings(**values)


def _secret(given: str, home: Path) -> str:
    """The one given, or the one kept in the data folder, made there on the first run."""
    if given:
        return _sound(given, "CARELOOM_SECRET")
    path = home / "keys" / "secret"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _sound(path.read_text().strip(), str(path))
    with os.fdopen(file, "w") as out:
        out.write(made := secrets.token_hex(32))
    return made


def _sound(secret: str, where: str) -> str:
    """Raises BadSetting for a secret that is short, made of few letters, or in every word list."""
    worn = secret.lower().strip("0123456789!_-. ")
    if len(secret) < 32 or len(set(secret)) < 8 or worn in KNOWN_SECRETS:
        raise BadSetting(f"{where}: a random text of 32 characters or more is wanted")
    return secret
