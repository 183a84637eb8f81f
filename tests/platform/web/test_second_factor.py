"""Signing in in two steps: journeys, and what must not get round the second."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from phones import (
    CODE,
    OWN,
    STEP,
    codes_on,
    doors,
    half,
    names,
    phone,
    send_set_up,
    show,
    signed_in,
    turn,
    who,
)
from sqlalchemy import select
from visitors import PASSWORD, Site

from careloom.platform.identity import attempts, invitations, people, second_factor, sessions, totp
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.identity.model import HalfSignIn, SignIn

NEW = "a fine long password"


def test_it_is_set_up_and_asked_for_at_the_next_sign_in(either_site: Site) -> None:
    site = either_site
    site.person("lina")
    other = signed_in(site, "lina")
    visitor = signed_in(site, "lina")
    before = visitor.cookie()
    answer, secret = send_set_up(site, visitor)
    assert answer.status_code == 201 and "no-store" in answer.headers["Cache-Control"]
    assert who(visitor) == "lina" and visitor.cookie() != before, "the sign-in is a new one"
    assert who(other) is None, "other browsers are signed out"
    thief = site.visitor()
    thief.client.set_cookie("careloom", before or "")
    assert who(thief) is None
    codes = codes_on(answer)
    assert len(codes) == second_factor.CODES
    again = visitor.get(OWN).text
    assert secret not in again.replace(" ", "") and codes[0] not in again, "shown this once"

    turn(site, STEP)
    lina = half(site, "lina", next="/records/lead?q=1")
    assert who(lina) is None and lina.cookie() is None
    page = lina.get(f"{CODE}?next=/records/lead?q%3D1")
    assert 'inputmode="numeric"' in page.text and 'autocomplete="one-time-code"' in page.text
    typed = totp.code_at(secret, totp.step_of(site.database.clock.now()))
    done = lina.post(CODE, csrf=lina.csrf(CODE), code=typed, next="/records/lead?q=1")
    assert (done.status_code, done.location) == (303, "/records/lead?q=1")
    assert who(lina) == "lina"
    with site.database.read() as session:
        assert session.scalars(select(HalfSignIn)).all() == []
    assert names(site).count("person:factor_set_up") == 1


def test_the_cookie_of_the_first_half_is_for_its_page_only(site: Site) -> None:
    site.person("lina")
    phone(site, "lina")
    lines = site.visitor().sign_in("lina").headers.getlist("Set-Cookie")
    ours = [line for line in lines if line.startswith("careloom_half=")]
    assert len(ours) == 1 and not any(line.startswith("careloom=") for line in lines)
    assert all(part in ours[0] for part in ("HttpOnly", "SameSite=Lax", f"Path={CODE}"))


def test_half_signed_in_is_nowhere(whole: Site) -> None:
    whole.person("lina", "G", "everything")
    phone(whole, "lina")
    visitor = half(whole, "lina")
    token = visitor.client.get_cookie("careloom_half", path=CODE)
    assert token is not None
    headers = {"X-CSRF-Token": visitor.csrf("/sign-in")}
    for name in ("careloom", "careloom_half"):
        visitor.client.set_cookie(name, token.value, path="/")
    count = 0
    for method, path, _ in doors(whole):
        answer = visitor.client.open(path, method=method, headers=headers)
        assert answer.status_code in (302, 401), f"{method} {path}: {answer.status_code}"
        count += 1
    assert count > 100
    bearer = {"Authorization": f"Bearer {token.value}"}
    assert visitor.client.get("/api/me", headers=bearer).status_code == 401


def test_a_code_signs_in_once(site: Site) -> None:
    site.person("lina")
    lina = phone(site, "lina")
    typed = lina.code()
    assert show(half(site, "lina"), typed).status_code == 401, "it was shown when it was set up"
    typed = lina.fresh()
    assert show(half(site, "lina"), typed).status_code == 303
    for _ in range(2):
        again = half(site, "lina")
        assert show(again, typed).status_code == 401 and who(again) is None
        turn(site, STEP)
    assert show(again, lina.code()).status_code == 303


def test_one_code_at_many_browsers_at_once_signs_one_in(either_site: Site) -> None:
    either_site.person("lina")
    lina = phone(either_site, "lina")
    typed = lina.fresh()
    visitors = [half(either_site, "lina") for _ in range(4)]
    tokens = [visitor.csrf("/sign-in") for visitor in visitors]

    def try_it(number: int) -> int:
        return visitors[number].post(CODE, csrf=tokens[number], code=typed).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(try_it, range(4)))
    assert sorted(statuses) == [303, 401, 401, 401]
    assert sum(who(visitor) == "lina" for visitor in visitors) == 1


def test_codes_are_guessed_ten_times_and_the_password_does_not_help(site: Site) -> None:
    site.person("lina")
    lina = phone(site, "lina")
    statuses = []
    for _ in range(3):  # whoever knows the password types it again and again
        visitor = site.visitor()
        answer = visitor.sign_in("lina")
        if answer.status_code == 429:
            statuses.append(429)
            break
        statuses += [show(visitor, f"{n:06}").status_code for n in range(4)]
    assert statuses == [401] * 8 + [429], "two passwords, eight codes, and no more"
    assert visitor.sign_in("lina").status_code == 429, "the right password is not looked at"
    assert show(visitor, lina.fresh()).location == "/sign-in?next=/" and who(visitor) is None
    turn(site, attempts.WINDOW)
    assert show(half(site, "lina"), lina.code()).status_code == 303


def test_fifty_codes_at_once_are_nine_tries(either_site: Site) -> None:
    either_site.person("lina")
    phone(either_site, "lina")
    visitor = half(either_site, "lina")
    csrf, cookie = visitor.csrf("/sign-in"), visitor.client.get_cookie("careloom_half", path=CODE)
    form = visitor.client.get_cookie("careloom_form")
    assert cookie and form

    def guess(number: int) -> int:
        client = either_site.app.test_client()
        client.set_cookie("careloom_half", cookie.value, path=CODE)
        client.set_cookie("careloom_form", form.value)
        return client.post(CODE, data={"csrf": csrf, "code": f"{number:06}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(guess, range(20)))
    assert sorted(set(statuses)) == [401, 429] and statuses.count(401) == 9


def test_a_wrong_password_is_answered_as_ever(site: Site) -> None:
    for login in ("lina", "ming"):
        site.person(login)
    phone(site, "lina")
    said = set()
    for login in ("lina", "ming", "nobody.here"):
        visitor = site.visitor()
        answer = visitor.sign_in(login, "wrong horse battery")
        text = answer.text.replace(login, "LOGIN").replace(visitor.csrf(), "")
        said.add((answer.status_code, re.sub(r'nonce="[^"]+"', "", text)))
        assert visitor.client.get_cookie("careloom_half", path=CODE) is None
    assert len(said) == 1


def test_a_recovery_code_signs_in_once_and_says_how_many_are_left(site: Site) -> None:
    site.person("lina")
    lina = phone(site, "lina")
    visitor = half(site, "lina")
    assert show(visitor, "aaaa-bbbb-cccc", "recovery").status_code == 401
    assert show(visitor, lina.codes[0].upper(), "recovery").status_code == 303
    assert "还剩 9 个" in visitor.get("/me").text
    assert show(half(site, "lina"), lina.codes[0], "recovery").status_code == 401
    assert "person:code_spent" in names(site)
    assert lina.codes[0] not in str(visitor.get("/api/trail").json)


def test_without_the_first_half_there_is_no_second(site: Site) -> None:
    site.person("lina")
    lina = phone(site, "lina")
    for planted in (None, "", "planted-by-somebody", "é", "null"):
        visitor = site.visitor()
        if planted is not None:
            visitor.client.set_cookie("careloom_half", planted, path=CODE)
        assert visitor.get(CODE).location == "/sign-in?next=/"
        answer = show(visitor, lina.fresh())
        assert (answer.status_code, answer.location) == (303, "/sign-in?next=/")
        assert visitor.cookie() is None
    late = half(site, "lina")
    turn(site, sessions.HALF)
    assert show(late, lina.code()).location == "/sign-in?next=/" and late.cookie() is None
    done = half(site, "lina")
    kept = done.client.get_cookie("careloom_half", path=CODE)
    assert show(done, lina.fresh()).status_code == 303 and kept
    done.client.set_cookie("careloom_half", kept.value, path=CODE)
    other = site.visitor()
    other.client.set_cookie("careloom_half", kept.value, path=CODE)
    assert show(other, lina.fresh()).location == "/sign-in?next=/"


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "https:evil.example"])
def test_nobody_is_sent_to_another_site_after_the_code(site: Site, wanted: str) -> None:
    site.person("lina")
    lina = phone(site, "lina")
    assert show(half(site, "lina"), lina.fresh(), next=wanted).location == "/"
    assert f'href="{wanted}"' not in lina.visitor.get(f"{OWN}?next={wanted}").text


def test_the_code_page_asks_for_its_token(site: Site) -> None:
    site.person("lina")
    lina = phone(site, "lina")
    visitor = half(site, "lina")
    typed = lina.fresh()
    for sent in ({}, {"csrf": "wrong"}, {"csrf": site.visitor().csrf()}):
        assert visitor.post(CODE, code=typed, **sent).status_code == 403
    assert show(visitor, typed).status_code == 303


def test_the_link_that_sets_a_password_leads_to_the_code_too(site: Site) -> None:
    actor = site.person("lina")
    lina = phone(site, "lina")
    number = actor.person_id or 0
    link = site.database.write(lambda s: invitations.invite(s, SYSTEM, number))
    visitor = site.visitor()
    fields = {"token": link.token, "password": NEW, "again": NEW}
    path = f"/invitation?token={link.token}"
    answer = visitor.post("/invitation", csrf=visitor.csrf(path), **fields)
    assert (answer.status_code, answer.location) == (303, f"{CODE}?next=/")
    assert who(visitor) is None
    assert show(visitor, lina.fresh()).status_code == 303 and who(visitor) == "lina"


def test_a_disabled_person_does_not_finish(site: Site) -> None:
    actor: Actor = site.person("lina")
    lina = phone(site, "lina")
    visitor = half(site, "lina")
    site.database.write(lambda s: people.disable(s, SYSTEM, actor.person_id or 0))
    assert show(visitor, lina.fresh()).location == "/sign-in?next=/"
    with site.database.read() as session:
        assert session.scalars(select(SignIn)).all() == []


def test_half_a_sign_in_whose_factor_is_gone_begins_anew(site: Site) -> None:
    site.person("lina")
    lina = phone(site, "lina")
    visitor = half(site, "lina")
    fields = {"password": PASSWORD, "code": lina.codes[0]}
    off = lina.visitor.post(f"{OWN}/off", csrf=lina.visitor.csrf("/me"), **fields)
    assert off.status_code == 303
    assert show(visitor, lina.codes[1], "recovery").location == "/sign-in?next=/"
    assert show(visitor, lina.fresh()).location == "/sign-in?next=/" and who(visitor) is None


def test_who_knows_the_password_alone_is_told_of(site: Site) -> None:
    site.person("lina")
    lina = phone(site, "lina")
    for wrong, told in ((2, False), (3, True)):
        stranger = half(site, "lina")
        for number in range(wrong):
            assert show(stranger, f"{number:06}").status_code == 401
        visitor = half(site, "lina")
        assert show(visitor, lina.fresh()).status_code == 303
        assert ("有 3 个是错的" in visitor.get("/me").text) is told
