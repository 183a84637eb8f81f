"""What tests are given: a database of either kind, a clock to turn, servers, a browser.

A test that needs what this machine lacks is skipped with its reason; with CI=true it fails.
"""

import gc
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import chromium
import psycopg
import pytest
import servers
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, Page
from prepared import Templates, copied, dropped

from careloom.platform.identity import passwords
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.upgrade import upgrade

# Tests sign in by the thousand; those that ask what hashing slowly is for use `slow_hashing`.
SLOW_HASHER = passwords._hasher
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
# What a busy machine takes long over is not wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
TUESDAY_MORNING = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, a working day


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the run owns its servers; workers inherit the folder's name.

    Files of tests lie in memory, but where waits are measured: those are the disk's, too.
    Hundreds of applications are made; each page's template is compiled once for all of them.
    """
    compiled = Path(servers.run_folder(), "templates")
    compiled.mkdir(exist_ok=True)
    Flask.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(str(compiled))}
    if config.option.markexpr != "alone":
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", servers.quick_folder())


def pytest_collection() -> None:
    """While modules are loaded nothing goes away; the collector need not look for it."""
    gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    gc.enable()


def pytest_collection_finish() -> None:
    """What is there by now stays: the collector of garbage need not look at it after each test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    servers.end_run()


#: What the proofs and the faults tell of themselves.
COUNTED = ("cells", "payloads", "operations", "holes")
COUNTED += ("crash points", "kills", "races", "cuts", "drills", "recalls")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much the proofs went through, summed over all workers: `cells: 3840`."""
    told = [
        pair for report in terminalreporter.getreports("passed") for pair in report.user_properties
    ]
    for name in COUNTED:
        if total := sum(int(str(value)) for key, value in told if key == name):
            terminalreporter.write_line(f"{name}: {total}")


def lacking(what: str) -> NoReturn:
    """Skip here, saying why; in CI fail, for there nothing may be missing."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{what} is missing, and CI runs everything", pytrace=False)
    pytest.skip(f"{what} is not installed here (`make test` installs it by apt)")


@pytest.fixture
def clock() -> TurnedClock:
    """A clock that stands at a Tuesday, 10:00 in Shanghai, until it is turned."""
    return TurnedClock(TUESDAY_MORNING)


@pytest.fixture
def slow_hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords are hashed as they are outside of tests."""
    monkeypatch.setattr(passwords, "_hasher", SLOW_HASHER)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture(scope="session")
def postgresql() -> str:
    """A PostgreSQL server: `postgresql://postgres@127.0.0.1:PORT`, no database named."""
    try:
        return servers.postgresql()
    except servers.Missing as error:
        lacking(str(error))


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis server's address, shared by the run: use keys of your own."""
    try:
        return servers.redis_server()
    except servers.Missing as error:
        lacking(str(error))


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    """A SQLite file with the platform's tables and nothing in them."""
    folder, _ = servers.once("bare", lambda folder: upgrade(f"sqlite:///{folder / 'careloom.db'}"))
    return folder / "careloom.db"


@pytest.fixture(scope="session")
def postgresql_template(postgresql: str) -> str:
    """The name of a database with the platform's tables, made once for the whole run."""
    name = "careloom_template"
    with servers.locked("template"):
        with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {name}_raw")
                upgrade(f"{postgresql}/{name}_raw")
                connection.execute(f"ALTER DATABASE {name}_raw RENAME TO {name}")
    return name


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database's address."""
    return copied(f"sqlite:///{sqlite_template}", tmp_path / "home")


@pytest.fixture
def postgresql_url(postgresql: str, postgresql_template: str, tmp_path: Path) -> Iterator[str]:
    """A fresh PostgreSQL database's address; dropped afterwards."""
    url = copied(f"{postgresql}/{postgresql_template}", tmp_path / "home")
    yield url
    dropped(url)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Databases with what many tests begin with already in them."""
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str, tmp_path: Path, clock: TurnedClock) -> Iterator[Database]:
    """A fresh migrated database of each kind in turn, on the test's own clock."""
    opened = open_database(database_url, tmp_path / "home", clock)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(sqlite_url: str, tmp_path: Path, clock: TurnedClock) -> Iterator[Database]:
    """A fresh SQLite database, for what does not depend on the kind."""
    opened = open_database(sqlite_url, tmp_path / "home", clock)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen; one for the whole worker."""
    if chromium.program() is None:
        lacking("Chromium")
    with chromium.started() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own at a desk's size, in Chinese; fails the test on an error in its script."""
    with chromium.page(browser, width=1280) as opened:
        yield opened


@pytest.fixture
def phone_page(browser: Browser) -> Iterator[Page]:
    """A page of its own at a phone's size, with touch."""
    with chromium.page(browser, width=390) as opened:
        yield opened
