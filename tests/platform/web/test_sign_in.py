"""Signing in and out: journeys, and what must not work."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import make
import pytest
from flask import request
from sqlalchemy import select
from visitors import PASSWORD, Site, Visitor

from careloom.platform.events.model import Event
from careloom.platform.identity import access_tokens, attempts, grants, people
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.passwords import hashed
from careloom.platform.store.database import Database
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import Settings
from careloom.platform.web.sign_in import own_path

ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%0d%0aSet-Cookie:x=1\r\n",
    "/a\r\nSet-Cookie: x=1",
    "/\t/evil.example",
    "/ /evil.example",
    " //evil.example",
    "///evil.example",
    "/a\\..\\b",
    "evil.example",
    "",
    "?x",
]


def test_a_person_signs_in_goes_where_they_wanted_and_signs_out(either_site: Site) -> None:
    either_site.person("lina")
    visitor = either_site.visitor()
    answer = visitor.sign_in("lina", next="/records/lead?q=1")
    assert (answer.status_code, answer.location) == (303, "/records/lead?q=1")
    assert visitor.get("/api/me").json["login"] == "lina"
    token = visitor.cookie()
    answer = visitor.post("/sign-out", csrf=session_csrf(visitor))
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert visitor.cookie() is None
    visitor.client.set_cookie("careloom", token or "")
    assert visitor.get("/api/me").status_code == 401


def session_csrf(visitor: Visitor) -> str:
    """The token a signed-in page carries; the error page has the frame with its forms."""
    return visitor.csrf("/no-such-page")


def test_an_unsigned_visitor_is_sent_to_sign_in_and_back(site: Site) -> None:
    answer = site.visitor().get("/packs?x=1")
    assert (answer.status_code, answer.location) == (302, "/sign-in?next=/packs?x%3D1")


def test_the_cookie_is_for_http_only_and_for_https_where_it_is_used(site: Site) -> None:
    site.person("lina")
    header = site.visitor().sign_in("lina").headers.getlist("Set-Cookie")
    ours = next(line for line in header if line.startswith("careloom="))
    assert "HttpOnly" in ours and "SameSite=Lax" in ours and "Path=/" in ours


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_nobody_is_sent_to_another_site(site: Site, wanted: str) -> None:
    assert own_path(wanted) == "/"
    site.person("lina")
    answer = site.visitor().sign_in("lina", next=wanted)
    assert answer.status_code in (303, 400)
    assert answer.status_code == 400 or answer.location == "/"
    assert "Set-Cookie: x" not in str(answer.headers)


@pytest.mark.parametrize("wanted", ["/", "/records/lead", "/records/lead?q=%E7%8E%8B&a=b#c"])
def test_a_path_of_our_own_is_kept(wanted: str) -> None:
    assert own_path(wanted) == wanted


def test_unknown_wrong_disabled_and_without_password_get_one_answer(site: Site) -> None:
    site.person("lina")
    gone = site.person("gone").person_id
    site.database.write(lambda s: people.disable(s, SYSTEM, gone or 0))
    make.person(site.database, "newcomer", "B1")
    answers = set()
    for login, password in [
        ("nobody.here", PASSWORD),
        ("lina", "wrong horse battery"),
        ("gone", PASSWORD),
        ("newcomer", PASSWORD),
        ("lina", ""),
        ("li\u202ena", PASSWORD),
    ]:
        visitor = site.visitor()
        answer = visitor.sign_in(login, password)
        said = answer.text.replace(login, "LOGIN")
        for volatile in (visitor.csrf(), nonce_of(answer)):
            said = said.replace(volatile, "")
        answers.add((answer.status_code, said, visitor.cookie()))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401


def nonce_of(answer: object) -> str:
    policy = answer.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    return str(policy.split("'nonce-")[1].split("'")[0])


@pytest.mark.alone
@pytest.mark.usefixtures("slow_hashing")
def test_an_unknown_login_takes_as_long_as_a_known_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visitors.HASH", hashed(PASSWORD))
    site.person("lina")
    site.visitor().sign_in("nobody.here", "wrong horse battery")

    def seconds(login: str, address: str) -> float:
        visitor = site.visitor(REMOTE_ADDR=address)
        csrf = visitor.csrf()
        began = time.perf_counter()
        visitor.post("/sign-in", login=login, password="wrong horse battery", csrf=csrf)
        return time.perf_counter() - began

    taken = [
        (seconds("lina", f"10.0.0.{n}"), seconds(f"nobody{n}", f"10.0.1.{n}")) for n in range(9)
    ]
    known, unknown = min(t[0] for t in taken), min(t[1] for t in taken)  # the least disturbed
    assert abs(known - unknown) < 0.4 * known


def test_after_ten_tries_the_right_password_does_not_help_for_a_while(site: Site) -> None:
    site.person("lina")
    visitor = site.visitor(REMOTE_ADDR="10.0.0.1")
    statuses = [visitor.sign_in("lina", f"wrong horse {n}").status_code for n in range(11)]
    assert statuses == [401] * 10 + [429]
    answer = visitor.sign_in("lina")
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
    site.database.clock.turn(attempts.WINDOW)  # type: ignore[attr-defined]
    assert visitor.sign_in("lina").status_code == 303
    with site.database.read() as session:
        names = session.scalars(select(Event.name)).all()
    assert names.count("person:locked") == 1


def test_fifty_at_once_are_ten_tries(either_site: Site) -> None:
    either_site.person("lina")

    def attempt(_: int) -> int:
        return either_site.visitor().sign_in("lina", "wrong horse battery").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(attempt, range(30)))
    assert sorted(set(statuses)) == [401, 429] and statuses.count(401) == 10


def test_a_cookie_planted_before_signing_in_is_worth_nothing(site: Site) -> None:
    site.person("lina")
    visitor = site.visitor()
    visitor.client.set_cookie("careloom", "planted-by-somebody")
    visitor.sign_in("lina")
    assert visitor.cookie() not in (None, "planted-by-somebody")
    other = site.visitor()
    other.client.set_cookie("careloom", "planted-by-somebody")
    assert other.get("/api/me").status_code == 401


def test_signing_in_again_ends_the_sign_in_before(site: Site) -> None:
    site.person("lina")
    site.person("ming")
    visitor = site.visitor()
    visitor.sign_in("lina")
    before = visitor.cookie() or ""
    csrf = session_csrf(visitor)
    visitor.post("/sign-in", login="ming", password=PASSWORD, csrf=csrf)
    assert visitor.get("/api/me").json["login"] == "ming"
    other = site.visitor()
    other.client.set_cookie("careloom", before)
    assert other.get("/api/me").status_code == 401


def test_signing_out_everywhere_ends_the_other_browsers_too(site: Site) -> None:
    site.person("lina")
    here, there = site.visitor(), site.visitor()
    here.sign_in("lina")
    there.sign_in("lina")
    here.post("/sign-out", csrf=session_csrf(here), everywhere="1")
    assert there.get("/api/me").status_code == 401


def test_what_is_taken_is_gone_with_the_next_request(either_site: Site) -> None:
    site = either_site
    lina = site.person("lina", "B1", "everything")
    assert lina.person_id
    number = lina.person_id
    visitor, token = site.visitor(), site.token(lina)
    visitor.sign_in("lina")

    def statuses(path: str) -> tuple[int, int]:
        return visitor.get(path).status_code, site.visitor().get(path, headers=token).status_code

    assert statuses("/api/people") == (200, 200)
    site.database.write(lambda s: grants.take(s, SYSTEM, number, "everything", site.at["B1"]))
    assert statuses("/api/people") == (403, 403)
    assert statuses("/api/me") == (200, 200)
    site.database.write(lambda s: people.disable(s, SYSTEM, number))
    assert statuses("/api/me") == (401, 401)


def test_a_new_password_ends_the_sign_ins_and_the_tokens(site: Site) -> None:
    lina = site.person("lina")
    assert lina.person_id
    number = lina.person_id
    visitor, token = site.visitor(), site.token(lina)
    visitor.sign_in("lina")
    site.database.write(lambda s: people.set_password(s, SYSTEM, number, "x"))
    assert visitor.get("/api/me").status_code == 401
    assert site.visitor().get("/api/me", headers=token).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer null",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
        "Bearer clm_0123456789ab_" + "A" * 43,
        "Basic bGluYTpwYXNzd29yZA==",
        "Negotiate x",
        "Bearer " + "x" * 8000,
    ],
)
def test_a_token_that_is_none_is_refused_even_with_a_good_cookie(site: Site, header: str) -> None:
    site.person("lina")
    visitor = site.visitor()
    visitor.sign_in("lina")
    answer = visitor.get("/api/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json["code"] == "E_TOKEN"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_in_the_address_is_no_token(site: Site) -> None:
    token = site.token(site.person("lina"))["Authorization"].split()[1]
    assert site.visitor().get(f"/api/me?access_token={token}").status_code == 401


def test_a_revoked_token_is_refused_at_its_next_use(site: Site) -> None:
    lina = site.person("lina")
    token = site.token(lina)
    visitor = site.visitor()
    assert visitor.get("/api/me", headers=token).status_code == 200
    with site.database.read() as session:
        number = access_tokens.tokens_of(session, lina, lina.person_id or 0)[0].id
    site.database.write(lambda s: access_tokens.revoke(s, lina, number))
    assert visitor.get("/api/me", headers=token).status_code == 401


def test_the_language_is_chosen_kept_and_spoken(site: Site) -> None:
    site.person("lina")
    visitor = site.visitor()
    assert 'lang="zh-CN"' in visitor.get("/sign-in").text
    english = visitor.get("/sign-in", headers={"Accept-Language": "en-GB,en"})
    assert 'lang="en"' in english.text and english.headers["Content-Language"] == "en"
    answer = visitor.post("/language", language="en", next="//evil.example", csrf=visitor.csrf())
    assert (answer.status_code, answer.location) == (303, "/")
    assert 'lang="en"' in visitor.get("/sign-in").text
    visitor.sign_in("lina")
    visitor.post("/language", language="en", csrf=session_csrf(visitor))
    assert visitor.get("/api/me").json["language"] == "en"
    assert visitor.post("/language", language="fr", csrf=session_csrf(visitor)).location == "/"


def test_a_password_is_changed_by_who_knows_the_old_one(site: Site) -> None:
    lina = site.person("lina")
    visitor = site.visitor()
    visitor.sign_in("lina")
    token = site.token(lina)
    headers = {"X-CSRF-Token": session_csrf(visitor)}

    def change(current: str, password: str, **more: object) -> int:
        return visitor.client.post(
            "/api/me/password",
            json={"current": current, "password": password},
            headers={**headers, **more},  # type: ignore[dict-item]
        ).status_code

    assert change("wrong horse battery", "another good secret") == 422
    assert change(PASSWORD, "short") == 422
    by_token = site.visitor().client.post(
        "/api/me/password", json={"current": PASSWORD, "password": "x" * 12}, headers=token
    )
    assert by_token.status_code == 403
    assert change(PASSWORD, "another good secret") == 204
    assert visitor.get("/api/me").status_code == 200
    assert site.visitor().get("/api/me", headers=token).status_code == 401
    assert site.visitor().sign_in("lina").status_code == 401
    assert site.visitor().sign_in("lina", "another good secret").status_code == 303


def test_a_sign_in_that_is_used_lives_on(site: Site) -> None:
    site.person("lina")
    visitor = site.visitor()
    visitor.sign_in("lina")
    for _ in range(3):
        site.database.clock.turn(timedelta(hours=11))  # type: ignore[attr-defined]
        assert visitor.get("/api/me").status_code == 200
    site.database.clock.turn(timedelta(hours=12))  # type: ignore[attr-defined]
    assert visitor.get("/api/me").status_code == 401


def test_nobody_escapes_the_limit_by_claiming_another_address(site: Site) -> None:
    site.person("lina")
    visitor = site.visitor(REMOTE_ADDR="10.0.0.1")
    csrf = visitor.csrf()
    statuses = set()
    for n in range(attempts.PER_ADDRESS + 1):
        answer = visitor.client.post(
            "/sign-in",
            data={"login": f"login{n}", "password": "wrong horse battery", "csrf": csrf},
            headers={"X-Forwarded-For": f"10.9.9.{n}", "X-Real-IP": f"10.9.9.{n}"},
            environ_base={"REMOTE_ADDR": "10.0.0.1"},
        )
        statuses.add(answer.status_code)
    assert statuses == {401, 429}


def test_behind_a_proxy_that_is_known_its_word_on_the_address_counts(
    sqlite: Database, settings: Settings
) -> None:
    app = create_app(sqlite, replace(settings, proxies=1), [])
    client = app.test_client()
    with client:
        client.get("/healthz", headers={"X-Forwarded-For": "1.1.1.1, 10.9.9.9"})
        assert request.remote_addr == "10.9.9.9"


def tries_told(site: Site) -> list[tuple[int, dict[str, object]]]:
    with site.database.read() as session:
        query = select(Event).where(Event.name.endswith("tried")).order_by(Event.id)
        return [(event.subject_id, event.data) for event in session.scalars(query)]


def test_wrong_passwords_are_told_in_the_trail_and_to_their_person(either_site: Site) -> None:
    site = either_site
    lina = site.person("lina", "B1", "everything")
    site.visitor().sign_in("lina")
    visitor = site.visitor(REMOTE_ADDR="203.0.113.9")
    for _ in range(3):
        assert visitor.sign_in("lina", "wrong horse battery").status_code == 401
    began = site.database.clock.now().isoformat()
    visitor.sign_in("lina")
    page = visitor.get("/trail?about=person").text
    assert page.count("自您上次登录以来，有 3 次登录尝试失败") == 1
    assert "3 次登录尝试失败，最后一次来自 203.0.113.9" in page
    data = {"tries": 3, "since": began, "address": "203.0.113.9"}
    assert tries_told(site) == [(lina.person_id, data)]
    again = site.visitor()
    again.sign_in("lina")
    assert "次登录尝试失败" not in again.get("/me").text, "told once"


def test_a_wrong_login_is_told_by_number_and_never_as_it_was_typed(site: Site) -> None:
    site.person("lina", "B1", "everything")
    gone = site.person("gone").person_id or 0
    site.database.write(lambda s: people.disable(s, SYSTEM, gone))
    for login in ("My-Secret-Password", "somebody", "gone"):
        assert site.visitor().sign_in(login, "Hunter2Hunter2").status_code == 401
    for _ in range(2):
        site.database.clock.turn(attempts.WINDOW)  # type: ignore[attr-defined]
        site.visitor().sign_in("lina")
    found = {number: data for number, data in tries_told(site)}
    assert {number: data["tries"] for number, data in found.items()} == {0: 2, gone: 1}
    assert found[0]["logins"] == 2
    with site.database.read() as session:
        told = str(session.scalars(select(Event.data)).all()).lower()
    assert "secret" not in told and "hunter" not in told and "somebody" not in told
    visitor = site.visitor()
    visitor.sign_in("lina")
    assert "用不存在的账号（2 个）尝试登录 2 次" in visitor.get("/trail").text
