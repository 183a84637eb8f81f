"""What holds for every route there is: declared, closed by default, headers, CSRF."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Blueprint, Flask
from sqlalchemy import func, select
from visitors import EVERYTHING, Site, Visitor
from werkzeug.routing import Rule

from careloom.platform.store.database import Database
from careloom.platform.store.model import Base
from careloom.platform.web.app import create_app
from careloom.platform.web.routes import PUBLIC, Declaration, Undeclared, declaration_of, declare
from careloom.platform.web.settings import Settings

OPEN = {"/healthz", "/readyz", "/sign-in", "/sign-in/code", "/invitation", "/language"}
OPEN |= {"/static/{filename}"}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def rules(app: Flask) -> Iterator[tuple[Rule, str, Declaration]]:
    """Every rule with an address that fits it, and its declaration."""
    for rule in app.url_map.iter_rules():
        declaration = declaration_of(app.view_functions[rule.endpoint])
        assert declaration is not None
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
        path = re.sub(r"<(?:id|int):\w+>", "1", path)
        yield rule, re.sub(r"<(?:\w+:)?\w+>", "x", path), declaration


def test_a_view_that_declares_nothing_keeps_the_house_from_opening(
    sqlite: Database, settings: Settings
) -> None:
    area = Blueprint("careless", __name__)
    area.add_url_rule("/open-to-all", view_func=lambda: "secret", endpoint="secret")
    with pytest.raises(Undeclared, match="/open-to-all"):
        create_app(sqlite, settings, [area])


def test_a_view_cannot_declare_two_needs() -> None:
    def view() -> str:
        return ""

    declare(view, Declaration("people.read"))
    with pytest.raises(Undeclared):
        declare(view, Declaration(PUBLIC))


def test_only_these_routes_are_open_to_all(whole: Site) -> None:
    is_open = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule, _, declaration in rules(whole.app)
        if declaration.needs == PUBLIC
    }
    assert is_open == OPEN


@pytest.mark.parametrize(
    "twist",
    ["{}", "{}?x=/healthz", "{};/healthz", "{}/", "/{}", "{}/..%2fhealthz", "{}%2e%2e", "{}."],
)
def test_nobody_gets_in_unsigned_by_any_spelling(whole: Site, twist: str) -> None:
    visitor = whole.visitor()
    headers = {"X-Original-URL": "/healthz", "X-HTTP-Method-Override": "GET"}
    for rule, path, declaration in rules(whole.app):
        if declaration.needs == PUBLIC:
            continue
        for method in (*(rule.methods or ()), "TRACE"):
            if twist.format(path).startswith("//"):
                continue  # a client reads that as a host
            answer = visitor.client.open(twist.format(path), method=method, headers=headers)
            refused = answer.status_code in (302, 308, 400, 401, 404, 405)
            assert refused, f"{method} {twist.format(path)}: {answer.status_code}"
            if answer.status_code == 302:
                assert answer.location.startswith("/sign-in")


def test_somebody_without_a_role_gets_no_further(whole: Site) -> None:
    whole.person("plain")
    visitor = whole.visitor()
    visitor.sign_in("plain")
    csrf = {"X-CSRF-Token": visitor.csrf("/no-such-page")}
    looked_at = 0
    for rule, path, declaration in rules(whole.app):
        if declaration.needs in (PUBLIC, "signed-in"):
            continue
        for method in set(rule.methods or ()) - {"OPTIONS", "HEAD"}:
            answer = visitor.client.open(path, method=method, headers=csrf)
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
            looked_at += 1
    assert looked_at >= 20


def test_every_need_is_one_that_the_administrator_holds_or_names_what_it_is_for(
    whole: Site,
) -> None:
    needs = {declaration.needs for _, _, declaration in rules(whole.app)}
    shapes = re.compile(r"public|signed-in|[a-z_]+\.[a-z_]+(:\{\w+\})?")
    assert all(shapes.fullmatch(need) for need in needs)
    assert {"people.read", "definitions.read"} <= needs <= {*needs, *EVERYTHING}


def attempts(visitor: Visitor, site: Site) -> Iterator[tuple[str, str]]:
    for rule, path, _ in rules(site.app):
        for method in sorted(set(rule.methods or ()) & set(UNSAFE)):
            yield method, path


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"X-CSRF-Token": "wrong"},
        {"X-CSRF-Token": "GOOD", "Origin": "https://evil.example"},
        {"X-CSRF-Token": "GOOD", "Origin": "null"},
        {"X-CSRF-Token": "GOOD", "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": "GOOD", "Sec-Fetch-Site": "same-site"},
    ],
    ids=["none", "wrong", "other origin", "no origin", "cross-site", "same-site"],
)
def test_every_unsafe_route_asks_for_the_token(whole: Site, sent: dict[str, str]) -> None:
    whole.person("lina", "G", "everything")
    visitor = whole.visitor()
    visitor.sign_in("lina")
    good = visitor.csrf("/no-such-page")
    headers = {name: value.replace("GOOD", good) for name, value in sent.items()}
    count = 0
    for method, path in attempts(visitor, whole):
        answer = visitor.client.open(path, method=method, headers=headers, json={})
        assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
        count += 1
    assert count >= 20


def test_the_token_of_another_sign_in_does_not_do(site: Site) -> None:
    site.person("lina")
    site.person("ming")
    lina, ming = site.visitor(), site.visitor()
    lina.sign_in("lina")
    ming.sign_in("ming")
    stolen = lina.csrf("/no-such-page")
    assert ming.post("/sign-out", csrf=stolen).status_code == 403
    assert lina.post("/sign-out", csrf=stolen).status_code == 303


def test_nobody_is_signed_in_by_another_site(site: Site) -> None:
    site.person("lina")
    visitor = site.visitor()
    fields = {"login": "lina", "password": "correct horse battery"}
    assert visitor.post("/sign-in", **fields).status_code == 403
    theirs = site.visitor().csrf()
    assert visitor.post("/sign-in", **fields, csrf=theirs).status_code == 403
    good = visitor.csrf()
    crossed = visitor.client.post(
        "/sign-in", data={**fields, "csrf": good}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert crossed.status_code == 403
    assert visitor.cookie() is None
    assert visitor.post("/sign-in", **fields, csrf=good).status_code == 303


def test_an_access_token_needs_no_csrf_token(site: Site) -> None:
    token = site.token(site.person("lina"))
    answer = site.visitor().client.post("/api/trial/echo", json={"a": 1}, headers=token)
    assert answer.status_code == 200


def test_a_get_changes_nothing(whole: Site) -> None:
    whole.person("lina", "G", "everything")
    visitor = whole.visitor()
    visitor.sign_in("lina")

    def counts() -> dict[str, int]:
        with whole.database.read() as session:
            return {
                name: session.scalar(select(func.count()).select_from(table)) or 0
                for name, table in Base.metadata.tables.items()
            }

    before = counts()
    for rule, path, _ in rules(whole.app):
        if "GET" in (rule.methods or ()):
            assert visitor.get(path).status_code < 500, path
    assert counts() == before


def test_every_answer_bears_the_headers(whole: Site) -> None:
    visitor = whole.visitor()
    for rule, path, _ in rules(whole.app):
        for method in set(rule.methods or ()):
            headers = visitor.client.open(path, method=method).headers
            at = f"{method} {path}"
            assert headers["X-Content-Type-Options"] == "nosniff", at
            assert headers["Referrer-Policy"] == "same-origin", at
            assert headers["X-Frame-Options"] == "DENY", at
            policy = headers["Content-Security-Policy"]
            for part in (
                "default-src 'self'",
                "object-src 'none'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
                "form-action 'self'",
            ):
                assert part in policy, at
            assert "unsafe-inline" not in policy and "unsafe-eval" not in policy, at
            assert "Strict-Transport-Security" not in headers
            assert "Werkzeug" not in headers.get("Server", "")
            if not rule.rule.startswith("/static/"):
                assert "no-store" in headers["Cache-Control"], at


def test_each_answer_has_a_nonce_of_its_own(site: Site) -> None:
    visitor = site.visitor()
    found = {
        re.findall(r"nonce-([^']+)'", visitor.get("/sign-in").headers["Content-Security-Policy"])[0]
        for _ in range(5)
    }
    assert len(found) == 5 and all(len(nonce) >= 22 for nonce in found)


def test_the_pages_scripts_bear_the_nonce_and_none_stands_in_the_page(site: Site) -> None:
    answer = site.visitor().get("/sign-in")
    nonce = re.findall(r"nonce-([^']+)'", answer.headers["Content-Security-Policy"])[0]
    scripts = re.findall(r"<script[^>]*>", answer.text)
    assert scripts and all(f'nonce="{nonce}"' in script and "src=" in script for script in scripts)
    assert not re.search(r"\son\w+=|javascript:|<style", answer.text)


def test_over_https_cookies_and_browsers_are_told_to_stay_there(
    sqlite: Database, settings: Settings
) -> None:
    app = create_app(sqlite, replace(settings, public_url="https://care.example.com"), [])
    client = app.test_client()
    answer = client.get("/sign-in", base_url="https://care.example.com")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert all("Secure" in line for line in answer.headers.getlist("Set-Cookie"))
    forged = client.get("/sign-in", base_url="https://evil.example")
    assert forged.status_code == 400 and "evil.example" not in forged.text
