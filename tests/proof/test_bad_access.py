"""Rights that ended, addresses that are none, and what must not stand in a log: T29, T34, T69, T71.

Sign-in, CSRF, settings, tokens and route declarations are tested in tests/platform/web.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from careloom.platform.identity import access_tokens, grants
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.model import AccessToken
from careloom.platform.identity.people import disable
from careloom.platform.store.database import Database
from careloom.platform.web.logs import Lines

from .clinic import Clinic, open_clinic
from .unchanged import nothing_changes


@pytest.fixture
def clinic(sqlite: Database, tmp_path: Path) -> Clinic:
    return open_clinic(sqlite, tmp_path / "home")


def role_taken(clinic: Clinic) -> Callable[[Any], None]:
    at, who = clinic.site.at["B1"], clinic.here.person_id or 0
    return lambda session: grants.take(session, SYSTEM, who, "desk", at)


def person_disabled(clinic: Clinic) -> Callable[[Any], None]:
    return lambda session: disable(session, SYSTEM, clinic.here.person_id or 0)


def token_revoked(clinic: Clinic) -> Callable[[Any], None]:
    def deed(session: Any) -> None:
        query = select(AccessToken.id).where(AccessToken.person_id == clinic.here.person_id)
        for number in session.scalars(query).all():
            access_tokens.revoke(session, SYSTEM, number)

    return deed


@pytest.mark.parametrize("lost", [role_taken, person_disabled, token_revoked])
def test_t29_what_is_lost_is_lost_at_the_next_request(
    clinic: Clinic, lost: Callable[[Clinic], Callable[[Any], None]]
) -> None:
    path = f"/api/records/lead/{clinic.mine}"
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/api/records/lead", {}),
        ("GET", path, {}),
        ("GET", f"{path}/history", {}),
        ("GET", "/api/records/lead?filter=true&q=Mine", {}),
        ("POST", "/api/records/lead", {"json": {"values": {"name": "Late"}}}),
        ("PATCH", path, {"json": {"values": {"name": "Late"}}, "headers": {"If-Match": '"1"'}}),
        ("DELETE", path, {"headers": {"If-Match": '"1"'}}),
    ]
    for method, where, more in asked[:4]:
        assert clinic.ask(method, where, **more).status_code == 200
    clinic.database.write(lost(clinic))
    with nothing_changes(clinic.database):
        for method, where, more in asked:
            answer = clinic.ask(method, where, **more)
            assert answer.status_code in (401, 403, 404), (method, where, answer.status_code)
            assert "19900000001" not in answer.text


NOWHERE = [
    "/.git/config", "/.env", "/console", "/debug", "/__debugger__", "/server-status", "/admin",
    "/wp-login.php", "/openapi.json", "/swagger", "/docs", "/metrics", "/api", "/api/", "/api/../",
    "/api/secret", "/static/", "/static/../platform/cli.py", "/static/..%2f..%2fsetup.cfg",
    "/static/%2e%2e/%2e%2e/etc/passwd", "/var/secret", "/careloom.db", "/records/..", "/%00",
    "/records/lead/../../api/me", "//api/me", "/api//me", "/API/me", "/api/me/", "/api/me%2f",
    "/api/me;x=1", "/api/records/lead/1/history/../../..", "/tasks/x", "/records/x'", "/\\evil",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_t34_t71_an_address_that_is_none_tells_nothing(
    clinic: Clinic, method: str, record_property: Any
) -> None:
    client = clinic.site.app.test_client()
    with nothing_changes(clinic.database):
        for path in NOWHERE:
            answer = client.open(path, method=method)
            assert answer.status_code < 500, (method, path)
            assert answer.status_code >= 300 or method == "OPTIONS", (method, path)
            for word in (
                "Traceback",
                "werkzeug",
                "flask",
                "sqlalchemy",
                "/work",
                "root:",
                "[core]",
            ):
                assert word.lower() not in answer.text.lower(), (path, word)
            said = " ".join(f"{name}: {value}" for name, value in answer.headers)
            assert "Werkzeug" not in said and "Python" not in said
    record_property("payloads", len(NOWHERE))


CANARIES = ["13912345678", "110101199003074477", "clm_0123456789ab_" + "A" * 43, "Geheimwort-77"]


def test_t69_no_log_holds_a_phone_an_id_or_a_token(
    clinic: Clinic, caplog: pytest.LogCaptureFixture, record_property: Any
) -> None:
    caplog.set_level(logging.INFO)
    for canary in CANARIES:
        clinic.list(q=canary)
        clinic.list(filter=f'name = "{canary}"')
        clinic.list(nothing=canary)
        clinic.ask("POST", "/api/records/lead", json={"values": {"mobile": canary, "x": canary}})
        clinic.ask("GET", "/api/me", headers={"Authorization": f"Bearer {canary}"})
        clinic.site.visitor().sign_in(canary, canary)
        if canary != CANARIES[-1]:  # an address may hold any word; of these three no log does
            clinic.ask("GET", f"/api/records/lead/{canary}%0a%1b[31madmin")
    formatter = Lines()
    lines = [formatter.format(record) for record in caplog.records]
    assert lines, "something is logged"
    for line in lines:
        assert "\n" not in line and "\x1b" not in line
        for canary in CANARIES:
            assert canary not in line
    record_property("payloads", 7 * len(CANARIES) - 1)
