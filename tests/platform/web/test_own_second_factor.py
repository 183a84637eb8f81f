"""One's own second factor: who must have one, setting it up, what asks for it, losing it."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from phones import OWN, codes_on, doors, field, guard, half, phone, send_set_up, signed_in, who
from sqlalchemy import select
from visitors import PASSWORD, Site, Visitor
from werkzeug.test import TestResponse

from careloom.platform.identity import second_factor, totp
from careloom.platform.identity.model import RecoveryCode
from careloom.platform.identity.roles import save_role
from careloom.platform.verbs.people import people as command
from careloom.platform.web.qr import QUIET, draw

NEW = "a fine long password"


def test_who_must_and_has_none_gets_nowhere_but_to_set_it_up(whole: Site) -> None:
    guard(whole)
    whole.person("lina", "G", "everything", "guarded")
    visitor = whole.visitor()
    assert visitor.sign_in("lina", next="/people").location == "/people"
    led = visitor.get("/people")
    assert (led.status_code, led.location) == (303, f"{OWN}?next=/people")
    page = visitor.get(led.location).text
    assert 'href="/people"' not in page and "/sign-out" in page
    headers = {"X-CSRF-Token": field(page, "csrf")}
    free, count = set(), 0
    for method, path, endpoint in doors(whole):
        sent = {"json": {}} if path.startswith("/api/") else {}
        answer = visitor.client.open(path, method=method, headers=headers, **sent)  # type: ignore[arg-type]
        if path.startswith("/api/"):
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
            assert answer.json["code"] == "E_FACTOR_WANTED"
        elif answer.status_code == 303 and answer.location.startswith(OWN):
            pass
        else:
            free.add(endpoint)
        if endpoint == "sign_in.sign_out":
            visitor.sign_in("lina")
            headers = {"X-CSRF-Token": visitor.csrf(OWN)}
        count += 1
    assert count > 100
    assert free == {"second_factor.page", "second_factor.set_up", "sign_in.sign_out"}
    assert "/people" not in re.findall(r'href="([^"]+)"', visitor.get("/no-such-page").text)
    answer, _ = send_set_up(whole, visitor, next="/people")
    assert answer.status_code == 201 and 'href="/people"' in answer.text
    assert visitor.get("/people").status_code == 200
    assert visitor.get("/api/me").json["roles"][0]["role"] == "everything"


def test_a_role_that_comes_to_ask_for_it_does_so_at_the_next_request(site: Site) -> None:
    lina = site.person("lina", "B1", "everything")
    token = site.token(lina)
    visitor = signed_in(site, "lina")
    assert visitor.get("/people").status_code == 200
    guard(site)
    with site.database.read() as session:
        document = dict(second_factor.role_document(session, "everything") or {})
    site.database.write(lambda s: save_role(s, document | {"second_factor": True}, 2))
    assert visitor.get("/people").location == f"{OWN}?next=/people"
    refused = visitor.post("/people/new", csrf=visitor.csrf(OWN))
    assert (refused.status_code, refused.location) == (303, f"{OWN}?next=/")
    assert site.visitor().get("/api/people", headers=token).status_code == 200, "its own credential"
    assert "两步验证" in signed_in_with_code(site, visitor).get("/people/roles/everything").text


def signed_in_with_code(site: Site, visitor: Visitor) -> Visitor:
    assert send_set_up(site, visitor)[0].status_code == 201
    return visitor


@pytest.mark.parametrize(
    "who, led", [("roles", []), ("administrators", ["boss"]), ("everybody", ["boss", "lina"])]
)
def test_the_setting_says_who_else_must(site: Site, who: str, led: list[str]) -> None:
    key = "careloom.settings"
    site.app.extensions[key] = replace(site.app.extensions[key], second_factor=who)
    site.person("boss", "G", "everything")
    site.person("lina")
    found = [
        login for login in ("boss", "lina") if signed_in(site, login).get("/me").status_code == 303
    ]
    assert found == led


def test_what_outlives_a_sign_in_asks_for_the_code(site: Site) -> None:
    actor = site.person("lina")
    token = site.token(actor)
    lina = phone(site, "lina")
    visitor = lina.visitor

    def send(path: str, **fields: str) -> int:
        return visitor.post(path, csrf=visitor.csrf("/me"), **fields).status_code

    headers = {"X-CSRF-Token": visitor.csrf("/me")}
    named = {"title": "robot", "days": "7"}
    assert send("/me/tokens", **named) == 422
    assert send("/me/tokens", code=lina.code(), **named) == 422, "it was shown before"
    api = visitor.client.post("/api/tokens", json={"title": "robot"}, headers=headers)
    assert api.status_code == 422 and api.json["problems"][0]["code"] == "E_CODE_WRONG"
    assert send("/me/tokens", code=lina.fresh(), **named) == 201
    sent = {"title": "robot", "code": lina.fresh()}
    assert visitor.client.post("/api/tokens", json=sent, headers=headers).status_code == 201
    by_token = site.visitor().client.post("/api/tokens", json={"title": "x"}, headers=token)
    assert by_token.status_code == 201, "an access token is its own credential"
    changed = {"current": PASSWORD, "password": NEW, "again": NEW}
    assert send("/me/password", **changed) == 422
    assert site.visitor().sign_in("lina", NEW).status_code == 401
    assert send("/me/password", code=lina.fresh(), **changed) == 303
    half(site, "lina", NEW)


def test_it_is_turned_off_and_its_codes_made_anew_by_password_and_code(site: Site) -> None:
    site.person("lina")
    lina = phone(site, "lina")
    visitor = lina.visitor

    def send(path: str, password: str, code: str) -> TestResponse:
        csrf = visitor.csrf("/me")
        return visitor.post(f"{OWN}/{path}", csrf=csrf, password=password, code=code)

    for path in ("codes", "off"):
        assert send(path, "wrong horse", lina.fresh()).status_code == 422
        assert send(path, PASSWORD, "000000").status_code == 422
    made = send("codes", PASSWORD, lina.fresh())
    assert made.status_code == 201
    fresh = codes_on(made)
    assert len(fresh) == 10 and not set(fresh) & set(lina.codes)
    assert send("off", PASSWORD, lina.codes[0]).status_code == 422, "an old one"
    off = send("off", PASSWORD, fresh[0])
    assert (off.status_code, off.location) == (303, "/me")
    assert signed_in(site, "lina").get("/me").status_code == 200
    with site.database.read() as session:
        assert session.scalars(select(RecoveryCode)).all() == []


def test_setting_up_needs_the_password_and_the_code_of_what_was_shown(site: Site) -> None:
    site.person("lina")
    site.person("ming")
    visitor, other = signed_in(site, "lina"), signed_in(site, "ming")
    theirs = field(other.get(OWN).text, "begun")
    for changed, status in (
        ({"password": "wrong horse battery"}, 422),
        ({"code": "000000"}, 422),
        ({"code": ""}, 422),
        ({"begun": theirs}, 409),
        ({"begun": ""}, 409),
    ):
        answer, _ = send_set_up(site, visitor, **changed)  # type: ignore[arg-type]
        assert answer.status_code == status and 'role="alert"' in answer.text, changed
    assert signed_in(site, "lina").cookie()
    token = site.token(site.person("robot"))
    assert site.visitor().get(OWN, headers=token).status_code == 403


def test_a_refused_page_shows_the_same_picture_again(site: Site) -> None:
    site.person("lina")
    visitor = signed_in(site, "lina")
    answer, secret = send_set_up(site, visitor, code="000000")
    assert secret in answer.text.replace(" ", "")


def test_who_lost_everything_is_helped_and_told(site: Site) -> None:
    site.role("keeper", "people.*")
    site.person("keeper", "B1", "keeper")
    actor = site.person("lina")
    lina = phone(site, "lina")
    keeper = signed_in(site, "keeper")
    place = f"/people/{actor.person_id}"
    assert "两步验证：2026-03-03 开启" in keeper.get(place).text
    assert keeper.get(f"/api{place}").json["second_factor"] is True
    assert keeper.post(place, csrf=keeper.csrf(place), act="factor").status_code == 303
    assert who(lina.visitor) is None, "every sign-in ends"
    visitor = signed_in(site, "lina")
    assert "管理员关闭了您的两步验证" in visitor.get("/me").text
    assert "管理员关闭了您的两步验证" not in signed_in(site, "lina").get("/me").text
    headers = {"X-CSRF-Token": keeper.csrf(place)}
    api = f"/api{place}/second-factor"
    assert keeper.client.delete(api, headers=headers).status_code == 404
    phone(site, "lina")
    assert keeper.client.delete(api, headers=headers).status_code == 204
    boss = site.person("boss", "B1", "everything")
    refused = keeper.client.delete(f"/api/people/{boss.person_id}/second-factor", headers=headers)
    assert refused.status_code == 403


def test_the_last_administrator_is_helped_on_the_command_line(site: Site) -> None:
    site.person("boss", "G", "everything")
    phone(site, "boss")
    runner = site.app.test_cli_runner()
    done = runner.invoke(command, ["take-factor", "boss"])
    assert done.exit_code == 0 and "boss" in done.output
    assert signed_in(site, "boss").cookie()
    assert runner.invoke(command, ["take-factor", "boss"]).exit_code != 0


def test_the_picture_is_the_text_dark_on_white() -> None:
    import segno

    text = totp.address(totp.new_secret(), "lina", "Careloom")
    drawn = draw(text)
    dark = set()
    for left, top, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", drawn.path):
        dark |= {(int(left) + n, int(top)) for n in range(int(width))}
    rows = segno.make(text, error="m", micro=False).matrix
    wanted = {
        (x + QUIET, y + QUIET) for y, row in enumerate(rows) for x, bit in enumerate(row) if bit
    }
    assert dark == wanted and drawn.size == len(rows) + 2 * QUIET


def test_an_administrator_sees_who_must_and_has_yet_to_begin(site: Site) -> None:
    guard(site)
    site.person("boss", "G", "everything")
    plain, led = site.person("plain"), site.person("led", "B1", "guarded")
    boss = signed_in(site, "boss")
    pages = [boss.get(f"/people/{each.person_id}").text for each in (plain, led)]
    assert ["还没有设置" in page for page in pages] == [False, True]


def test_who_signs_in_while_it_is_set_up_does_not_stay_by_the_password(either_site: Site) -> None:
    either_site.person("lina")
    setter = signed_in(either_site, "lina")
    others = [either_site.visitor() for _ in range(6)]
    tokens = [other.csrf() for other in others]

    def sign_in(number: int) -> int:
        fields = {"login": "lina", "password": PASSWORD, "csrf": tokens[number]}
        return others[number].post("/sign-in", **fields).status_code

    with ThreadPoolExecutor(7) as pool:
        setting = pool.submit(send_set_up, either_site, setter)
        assert set(pool.map(sign_in, range(6))) == {303}
        assert setting.result()[0].status_code == 201
    assert [who(other) for other in others] == [None] * 6
    assert who(setter) == "lina"
