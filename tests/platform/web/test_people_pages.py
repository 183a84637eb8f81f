"""Pages of people, units and roles, as a browser without script uses them."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import make
import pytest
from sqlalchemy import update
from visitors import HASH, PASSWORD, Caller, Site, Visitor
from werkzeug.test import TestResponse

from careloom.platform.identity import access_tokens, attempts
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.invitations import invite
from careloom.platform.identity.model import Person
from careloom.platform.records.submit import submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.web.routes import declaration_of
from careloom.platform.web.words import LANGUAGES, knows

NEW = "a fine long password"


@pytest.fixture
def admin(site: Site) -> Visitor:
    site.role("desk", lead=[make.rule("branch", "read", "change", mobile="masked", deal="hidden")])
    site.role("keeper", "people.read", "people.write")
    site.person("admin", "G", "everything")
    return signed_in(site, "admin")


def signed_in(site: Site, login: str, password: str = PASSWORD) -> Visitor:
    visitor = site.visitor()
    assert visitor.sign_in(login, password).status_code == 303
    return visitor


def send(visitor: Visitor, path: str, page: str = "", **fields: str) -> TestResponse:
    """Send a form as the page it stands on would, with that page's token."""
    return visitor.post(path, csrf=visitor.csrf(page or path), **fields)


def shown_once(answer: TestResponse, key: str) -> str:
    found = re.search(rf'id="{key}" value="([^"]+)"', answer.text)
    assert found, answer.text
    return html.unescape(found[1]).removeprefix("http://localhost")


def test_somebody_is_invited_sets_a_password_and_is_signed_in(site: Site, admin: Visitor) -> None:
    at = str(site.at["B1"])
    made = send(admin, "/people/new", name="林一", login="Lin", unit=at, role="desk", language="en")
    assert made.status_code == 201 and "no-store" in made.headers["Cache-Control"]
    link = shown_once(made, "link")
    place = re.search(r"/people/(\d+)", made.text)
    assert place and link not in admin.get(place[0]).text, "it is shown this once"
    lin = site.visitor()
    page = lin.get(link)
    assert page.status_code == 200 and "林一" in page.text and "lin" in page.text
    token = link.partition("token=")[2]
    for password, again in ((NEW, "another"), ("short", "short"), ("linlinlinlin", "linlinlinlin")):
        refused = lin.post(
            "/invitation", csrf=lin.csrf(link), token=token, password=password, again=again
        )
        assert refused.status_code == 422 and 'role="alert"' in refused.text
    done = lin.post("/invitation", csrf=lin.csrf(link), token=token, password=NEW, again=NEW)
    assert (done.status_code, done.location) == (303, "/")
    assert lin.get("/api/me").json["login"] == "lin"
    assert lin.get("/api/me").json["roles"][0]["role"] == "desk"
    assert site.visitor().get(link).status_code == 404
    late = site.visitor()
    answer = late.post("/invitation", csrf=late.csrf(), token=token, password=NEW, again=NEW)
    assert answer.status_code == 404 and late.cookie() is None
    signed_in(site, "lin", NEW)


@pytest.mark.parametrize("token", ["", "null", "[]", "{}", "0", "true", "a" * 43, "%00", "../.."])
def test_a_link_that_is_none_gets_one_answer(site: Site, token: str) -> None:
    visitor = site.visitor()
    got = visitor.get("/invitation", query_string={"token": token})
    sent = visitor.post("/invitation", csrf=visitor.csrf(), token=token, password=NEW, again=NEW)
    wanted = 400 if "\x00" in token else 404
    assert (got.status_code, sent.status_code) == (wanted, wanted)
    assert visitor.post("/invitation", token=token, password=NEW, again=NEW).status_code == 403


def test_a_link_leads_where_people_open_careloom_whatever_the_asker_claims(site: Site) -> None:
    site.person("admin", "G", "everything")
    lin = site.person("lin").person_id
    headers = site.token(site.person("boss", "G", "everything"))
    path = f"/api/people/{lin}/invitation"
    forged = {"X-Forwarded-Host": "evil.example", "Origin": "https://evil.example"}
    told = site.app.test_client().post(path, headers={**headers, **forged})
    assert told.json["url"].startswith("http://localhost/invitation?token=")
    key = "careloom.settings"
    site.app.extensions[key] = replace(
        site.app.extensions[key], public_url="https://care.example.com"
    )
    told = site.app.test_client().post(path, headers={**headers, **forged})
    assert told.json["url"].startswith("https://care.example.com/invitation?token=")


def test_an_invitation_sent_again_under_its_key_tells_no_link(site: Site) -> None:
    lin = site.person("lin").person_id
    headers = site.token(site.person("boss", "G", "everything")) | {"Idempotency-Key": "one"}
    path = f"/api/people/{lin}/invitation"
    first = site.app.test_client().post(path, headers=headers)
    again = site.app.test_client().post(path, headers=headers)
    assert first.status_code == again.status_code == 201
    assert "url" in first.json and "url" not in again.json


def test_a_person_is_disabled_at_once_and_let_in_again(site: Site, admin: Visitor) -> None:
    lin = site.person("lin", "B1", "desk")
    theirs, token = signed_in(site, "lin"), site.token(lin)
    place = f"/people/{lin.person_id}"
    assert send(admin, place, act="disable").status_code == 303
    assert theirs.get("/api/me").status_code == 401
    assert site.visitor().get("/api/me", headers=token).status_code == 401
    assert "已停用" in admin.get(place).text
    refused = send(admin, place, act="invite")
    assert refused.status_code == 409
    assert send(admin, place, act="enable").status_code == 303
    signed_in(site, "lin")


def test_a_lock_is_ended_and_every_sign_in_too(site: Site, admin: Visitor) -> None:
    lin = site.person("lin", "B1", "desk")
    theirs, place = signed_in(site, "lin"), f"/people/{lin.person_id}"
    assert send(admin, place, act="sign-out").status_code == 303
    assert theirs.get("/api/me").status_code == 401
    for _ in range(attempts.PER_LOGIN + 1):
        site.database.write(lambda s: attempts.count(s, "lin", "10.9.9.9"))
    assert site.visitor().sign_in("lin").status_code == 429
    assert send(admin, place, act="unlock").status_code == 303
    signed_in(site, "lin")


def test_roles_are_given_for_a_time_and_taken(
    site: Site, admin: Visitor, clock: TurnedClock
) -> None:
    lin = site.person("lin", "B1")
    place, at = f"/people/{lin.person_id}", str(site.at["B1"])
    theirs = signed_in(site, "lin")
    given = send(admin, place, act="give", role="desk", unit=at, until="2026-03-04")
    assert given.status_code == 303
    assert [its["role"] for its in theirs.get("/api/me").json["roles"]] == ["desk"]
    clock.turn(timedelta(hours=37, minutes=59))  # to midnight in Shanghai, but for a minute
    theirs = signed_in(site, "lin")
    assert theirs.get("/api/me").json["roles"]
    clock.turn(timedelta(minutes=1))
    assert theirs.get("/api/me").json["roles"] == []
    admin = signed_in(site, "admin")
    for day in ("2026-02-30", "soon", "9999-12-31", "0000-00-00"):
        bad = send(admin, place, act="give", role="desk", unit=at, until=day)
        assert bad.status_code == 422, day
    assert send(admin, place, act="give", role="no_such_role", unit=at).status_code == 404
    assert send(admin, place, act="take", role="desk", unit=at).status_code == 303
    assert send(admin, place, act="dance").status_code == 422


def test_nobody_goes_past_their_reach_on_a_page_either(site: Site, admin: Visitor) -> None:
    boss, far = site.person("boss", "B1", "everything"), site.person("far", "B2", "desk")
    me = site.person("keeper", "B1", "keeper")
    keeper = signed_in(site, "keeper")
    assert send(keeper, f"/people/{boss.person_id}", act="invite").status_code == 403
    assert send(
        keeper, f"/people/{me.person_id}", act="give", role="desk", unit="1"
    ).status_code in (
        403,
        404,
    )
    assert keeper.get(f"/people/{far.person_id}").status_code == 404
    told = keeper.post(f"/people/{far.person_id}", csrf=keeper.csrf("/people/new"), act="disable")
    assert told.status_code == 404
    listed = keeper.get("/people").text
    assert "keeper" in listed and ">far<" not in listed
    assert keeper.get("/people/units/" + str(site.at["B1"])).status_code == 403


def test_people_are_found_by_name_or_login_page_by_page(site: Site, admin: Visitor) -> None:
    for number in range(35):
        site.person(f"p{number:02d}", "B1")
    first = admin.get("/people")
    assert "p00" in first.text and "p34" not in first.text
    following = re.search(r'href="(/people\?cursor=[^"]+)"', first.text)
    assert following and "p34" in admin.get(html.unescape(following[1])).text
    found = admin.get("/people?q=P07").text
    assert "p07" in found and "p08" not in found
    assert admin.get("/people?cursor=forged").status_code == 400


def test_the_tree_is_shown_changed_and_moved_and_scopes_follow_at_once(
    site: Site, admin: Visitor
) -> None:
    site.role("lead", lead=[make.rule("branch", "read")])
    site.person("lead", "R", "lead")
    at = site.at
    record = site.database.write(
        lambda s: submit(s, SYSTEM, "lead", {"name": "Ann"}, unit_id=at["B1"]).id
    )
    leader = signed_in(site, "lead")
    assert leader.get(f"/api/records/lead/{record}").status_code == 200
    place = f"/people/units/{at['B1']}"
    assert send(admin, place, act="move", parent=str(at["G"])).status_code == 303
    assert leader.get(f"/api/records/lead/{record}").status_code == 404
    assert send(admin, place, act="move", parent=str(at["R"])).status_code == 303
    assert leader.get(f"/api/records/lead/{record}").status_code == 200
    named = {"title.zh-CN": "新院", "title.en": "New", "type": "main"}
    changed = send(admin, place, act="change", time_zone="Asia/Urumqi", **named)
    assert changed.status_code == 303 and "新院" in admin.get("/people/units").text
    added = send(admin, place, act="add", code="D9", **{**named, "type": "department"})
    assert added.status_code == 303 and "D9" in admin.get("/people/units").text
    assert send(admin, f"/people/units/{at['R']}", act="intake", intake="").status_code == 303
    for fields, status in (
        ({"act": "change", "time_zone": "Mars/Olympus"}, 422),
        ({"act": "add", "code": "D9", **named}, 409),
        ({"act": "add", "code": "a b", **named}, 422),
        ({"act": "add", "code": "", **named}, 422),
        ({"act": "add", "code": "D10", "title.en": "x", "type": "A B"}, 422),
        ({"act": "move", "parent": str(at["B1"])}, 409),
        ({"act": "move", "parent": "x"}, 400),
        ({"act": "dance"}, 422),
    ):
        assert send(admin, place, **fields).status_code == status, fields  # type: ignore[arg-type]


def test_a_role_says_in_words_what_it_lets_do(site: Site, admin: Visitor) -> None:
    assert "desk" in admin.get("/people/roles").text
    admin.client.set_cookie("careloom_language", "en")
    page = html.unescape(admin.get("/people/roles/desk").text)
    for words in (
        "read, change",
        "records of the unit and below",
        "Partly hidden: Mobile",
        "Not shown: Deal",
    ):
        assert words in page
    everything = html.unescape(admin.get("/people/roles/everything").text)
    assert "Administer people" in everything and ">admin<" in everything.lower()
    assert admin.get("/people/roles/nothing").status_code == 404
    told = admin.get("/api/roles/desk", headers={"Accept-Language": "en"}).json
    assert told["forms"][0]["rules"][0]["fields"] == ["Not shown: Deal", "Partly hidden: Mobile"]


def test_why_a_person_sees_a_record_is_told_in_words(site: Site, admin: Visitor) -> None:
    site.role("all", "people.read", lead=[make.rule("all", "read", mobile="hidden")])
    make.person(site.database, "second", "G", "all")
    asker = signed_in_as(site, "second")
    at, values = site.at, {"name": "Ann", "mobile": "19912345678"}
    near, far = (
        site.database.write(lambda s, u=unit: submit(s, SYSTEM, "lead", values, unit_id=at[u]).id)
        for unit in ("B1", "B2")
    )
    lin = site.person("lin", "B1", "desk").person_id
    asker.client.set_cookie("careloom_language", "en")
    seen = html.unescape(asker.get(f"/people/{lin}/why?form=lead&record={near}").text)
    assert "Lin may do with “Ann”: read, change" in seen and "this one too" in seen
    assert "Mobile" not in seen, "a field that the asker is not shown"
    unseen = html.unescape(asker.get(f"/people/{lin}/why?form=lead&record={far}").text)
    assert "Lin may do nothing with “Ann”" in unseen and "not this one" in unseen
    path = f"/api/people/{lin}/why?form=lead&record="
    told = asker.get(path + str(near)).json
    assert told["may"] == ["read", "change"] and told["reasons"][0]["covers"] is True
    assert told["rights"]["deal"] == "hidden" and "mobile" not in told["rights"]
    assert asker.get(path + str(far)).json["may"] == []
    for bad, status in (("1", 404), ("x", 400), ("", 400)):
        assert asker.get(path + bad).status_code == status
    assert admin.get(path + str(near)).status_code in (403, 404), "who sees it not learns nothing"


def signed_in_as(site: Site, login: str) -> Visitor:
    """Somebody whom `make` made, with a password."""

    def give(session: Any) -> None:
        session.execute(update(Person).where(Person.login == login).values(password_hash=HASH))

    site.database.write(give)
    return signed_in(site, login)


def test_tokens_are_issued_shown_once_and_revoked_on_ones_own_page(site: Site) -> None:
    lin = site.person("lin")
    visitor = signed_in(site, "lin")
    made = send(visitor, "/me/tokens", "/me", title="<b>robot</b>", days="7")
    assert made.status_code == 201 and "<b>robot" not in made.text
    token = shown_once(made, "token")
    assert token not in visitor.get("/me").text
    robot = {"Authorization": f"Bearer {token}"}
    assert site.visitor().get("/api/me", headers=robot).status_code == 200
    with site.database.read() as session:
        number = str(access_tokens.tokens_of(session, lin, lin.person_id or 0)[0].id)
    assert send(visitor, "/me/tokens/revoke", "/me", token=number).status_code == 303
    assert site.visitor().get("/api/me", headers=robot).status_code == 401
    for fields in ({"title": ""}, {"title": "x", "days": "8"}, {"title": "x", "days": "-1"}):
        assert send(visitor, "/me/tokens", "/me", **fields).status_code == 422


def test_ones_own_password_is_changed_by_who_knows_it_within_the_limits(site: Site) -> None:
    site.person("lin")
    visitor, other = signed_in(site, "lin"), signed_in(site, "lin")
    fields = {"current": PASSWORD, "password": NEW, "again": NEW}
    for wrong in ({"current": "no"}, {"again": "no"}, {"password": "short", "again": "short"}):
        answer = send(visitor, "/me/password", "/me", **{**fields, **wrong})
        assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert send(visitor, "/me/password", "/me", **fields).status_code == 303
    assert visitor.get("/api/me").status_code == 200
    assert other.get("/api/me").status_code == 401
    for _ in range(attempts.PER_LOGIN):
        send(visitor, "/me/password", "/me", **{**fields, "current": "no"})
    locked = send(visitor, "/me/password", "/me", **{**fields, "current": NEW})
    assert locked.status_code == 429


def test_no_way_of_setting_a_password_takes_the_clinics_own_words(site: Site) -> None:
    boss, lin = site.person("boss", "G", "everything"), site.person("lin")
    visitor, call = signed_in(site, "lin"), Caller(site, site.token(boss))
    own, unit = "Branch1-2026!", str(site.at["B1"])
    fields = {"current": PASSWORD, "password": own, "again": own}
    page = send(visitor, "/me/password", "/me", **fields)
    assert page.status_code == 422 and "机构名称" in page.text
    invited = site.database.write(lambda s: invite(s, SYSTEM, lin.person_id or 0))
    link = f"/invitation?token={invited.token}"
    page = send(visitor, "/invitation", link, token=invited.token, password=own, again=own)
    assert page.status_code == 422 and "机构名称" in page.text
    new = {"login": "new", "name": "New", "unit": unit, "password": "localhost#2026"}
    for path, sent in (("/api/people", new), (f"/api/people/{lin.person_id}/password", fields)):
        body = {key: value for key, value in sent.items() if key not in ("current", "again")}
        answer = call("POST", path, body)
        assert answer.json["problems"][0]["code"] == "E_PASSWORD_HOUSE", path


def test_signing_out_everywhere_from_ones_own_page(site: Site) -> None:
    site.person("lin")
    here, there = signed_in(site, "lin"), signed_in(site, "lin")
    assert send(here, "/sign-out", "/me", everywhere="1").status_code == 303
    assert here.get("/api/me").status_code == there.get("/api/me").status_code == 401


def test_every_right_that_a_page_needs_has_words(site: Site) -> None:
    needs = {
        declaration.needs.partition(":")[0]
        for view in site.app.view_functions.values()
        if (declaration := declaration_of(view)) and "." in declaration.needs
    }
    for right in needs:
        for language in LANGUAGES:
            assert knows(language, f"right.{right}"), f"{language}: {right}"
