"""Each demo role before every route: it gets past the routes whose right it holds, and no other.

T35; and T44, T71 in what is not there: no way in beside the password, no account from the start.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.sessions import SecureCookieSessionInterface
from served import TUESDAY, Site, site_in
from sqlalchemy import func, select
from visitors import Visitor

from careloom.platform.definitions.published import published
from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.model import Person
from careloom.platform.identity.permissions import covers_right
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.web.app import create_app
from careloom.platform.web.routes import declaration_of
from careloom.platform.web.settings import settings_from

from .test_matrix_demo import LOGINS


@pytest.fixture(scope="module")
def site(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(demo_home, tmp_path_factory.mktemp("clinic"), TurnedClock(TUESDAY)) as opened:
        yield opened


def guarded(site: Site) -> Iterator[tuple[str, str, str]]:
    """Method, an address that fits, and the right it needs, of every route that needs one."""
    for rule in site.app.url_map.iter_rules():
        declaration = declaration_of(site.app.view_functions[rule.endpoint])
        assert declaration is not None
        if "." not in declaration.needs:
            continue
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
        path = re.sub(r"<(?:id|int):\w+>", "1", path)
        path = re.sub(r"<(?:\w+:)?\w+>", "leads_by_channel", path)
        for method in sorted(set(rule.methods or ()) - {"OPTIONS", "HEAD"}):
            yield method, path, re.sub(r"\{\w+\}", "leads_by_channel", declaration.needs)


@pytest.mark.parametrize("login", LOGINS)
def test_t35_a_role_gets_past_no_route_whose_right_it_lacks(
    site: Site, login: str, record_property: Any
) -> None:
    actor = site.actor(login)
    with site.database.read() as session:
        held = {
            right
            for grant in actor.grants
            for right in published(session, "role", grant.role).document.get("rights", ())
        }
    number = actor.person_id or 0
    token = site.database.write(lambda s: access_tokens.issue(s, SYSTEM, number, "proof")[1])
    client, count = site.app.test_client(), 0
    for method, path, right in guarded(site):
        answer = client.open(path, method=method, headers={"Authorization": f"Bearer {token}"})
        may = any(covers_right(granted, right) for granted in held)
        where = f"{login} {method} {path} ({right}): {answer.status_code}"
        if not may:
            assert answer.status_code == 403, where
        elif method == "GET":
            assert answer.status_code in (200, 400, 404), where
        count += 1
    assert count > 30
    record_property("cells", count)


def test_t44_there_is_no_way_in_beside_the_password_and_the_link(site: Site) -> None:
    foreign = re.compile("oidc|oauth|saml|callback|wecom/|dingtalk|sso|register|sign-up|reset")
    assert [rule.rule for rule in site.app.url_map.iter_rules() if foreign.search(rule.rule)] == []


@pytest.mark.parametrize("login", ["admin", "root", "careloom", "system", "test"])
def test_t71_nobody_can_sign_in_to_a_fresh_house(
    sqlite: Database, tmp_path: Path, login: str
) -> None:
    app = create_app(sqlite, settings_from({"CARELOOM_HOME": str(tmp_path / "home")}))
    with sqlite.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0
    for password in ("admin", "password", "careloom", ""):
        assert Visitor(app.test_client(), {}).sign_in(login, password).status_code == 401


@pytest.mark.parametrize("key", ["dev", "secret", "changeme", "secret-key", "careloom", "a" * 64])
def test_t36_what_a_known_key_signed_is_not_believed(site: Site, key: str) -> None:
    """The only signed cookie holds a notice for the next page; a forged one shows nothing."""
    known, site.app.secret_key = site.app.secret_key, key
    signer = SecureCookieSessionInterface().get_signing_serializer(site.app)
    site.app.secret_key = known
    assert signer is not None
    client = site.app.test_client()
    client.set_cookie("careloom_flash", signer.dumps({"_flashes": [["ok", "forged-words"]]}))
    assert "forged-words" not in client.get("/sign-in").text
