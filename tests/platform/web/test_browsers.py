"""Where one is signed in: told by kind, each ended alone or all others, no more than so many."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from visitors import Caller, Site, Visitor

from careloom.platform.events.model import Event
from careloom.platform.web.kinds import BROWSERS, SYSTEMS, kind_of_agent, kind_words

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36"
)
AGENTS = [
    (CHROME, "chrome", "windows"),
    (f"{CHROME} Edg/126.0.0.0", "edge", "windows"),
    (f"{CHROME} wxwork/4.1.22 MicroMessenger/7.0.1", "wecom", "windows"),
    (
        "Mozilla/5.0 (Linux; Android 14; M1) AppleWebKit/537.36 Chrome/116.0 MicroMessenger/8.0.49",
        "wechat",
        "android",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
        " Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        "safari",
        "ios",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0",
        "firefox",
        "macos",
    ),
    (
        "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 Chrome/114.0 Safari/537.36"
        " HuaweiBrowser/5.0",
        "huawei",
        "harmony",
    ),
    (
        "Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
        "chrome",
        "chromeos",
    ),
    ("<script>alert(1)</script>", "", ""),
    ("", "", ""),
    ("x" * 100_000 + "Firefox/1", "", ""),
]


@pytest.mark.parametrize("agent, browser, system", AGENTS)
def test_a_browser_is_known_by_what_it_says(agent: str, browser: str, system: str) -> None:
    kind = kind_of_agent(agent)
    assert (kind.browser, kind.system) == (browser, system)


@pytest.mark.parametrize("tongue", ["zh-CN", "en"])
def test_every_kind_has_its_words(tongue: str) -> None:
    for table, what in ((BROWSERS, "browser"), (SYSTEMS, "system")):
        for sign, _ in table:
            words = kind_words(tongue, kind_of_agent(sign))
            assert words and f"{what}." not in words and len(words) < 40
    assert kind_words(tongue, kind_of_agent("")) in ("未知浏览器", "Unknown browser")


def signed_in(site: Site, login: str, agent: str = "") -> Visitor:
    visitor = site.visitor(HTTP_USER_AGENT=agent)
    assert visitor.sign_in(login).status_code == 303
    return visitor


def told(site: Site) -> list[tuple[str, dict[str, object]]]:
    """What the trail says of browsers."""
    with site.database.read() as session:
        events = session.scalars(select(Event).order_by(Event.id)).all()
    kinds = ("person:browser_ended", "person:browsers_many", "person:others_ended")
    return [(event.name, event.data) for event in events if event.name in kinds]


def test_ones_own_browsers_are_told_and_one_is_ended(either_site: Site) -> None:
    site = either_site
    site.person("lina")
    there = signed_in(site, "lina", AGENTS[4][0])
    site.database.clock.turn(timedelta(minutes=20))  # type: ignore[attr-defined]
    here = signed_in(site, "lina", CHROME)
    rows = here.get("/api/sign-ins").json["items"]
    assert [(row["browser"], row["system"], row["current"]) for row in rows] == [
        ("chrome", "windows", True),
        ("safari", "ios", False),
    ]
    assert rows[1]["seen_at"] == rows[1]["created_at"] < rows[0]["seen_at"]
    page = here.get("/me").text
    assert "Chrome、Windows" in page and "Safari、iPhone" in page and page.count(">这一台<") == 1
    site.database.clock.turn(timedelta(minutes=6))  # type: ignore[attr-defined]
    there.get("/api/me")  # used again: known to some minutes
    assert here.get("/api/sign-ins").json["items"][0]["browser"] == "safari"
    csrf = here.csrf("/me")
    answer = here.post("/me/browsers/end", csrf=csrf, sign_in=rows[1]["id"])
    assert (answer.status_code, answer.location) == (303, "/me")
    assert there.get("/api/me").status_code == 401 and here.get("/api/me").status_code == 200
    again = here.post("/me/browsers/end", csrf=csrf, sign_in=rows[1]["id"])
    assert again.status_code == 404 and "已经退出" in again.text
    kind = {"browser": "safari", "system": "ios"}
    assert told(site) == [("person:browser_ended", {**kind, "by_self": True})]


def test_all_others_are_ended_at_once(site: Site) -> None:
    site.person("lina")
    site.person("ming")
    others = [signed_in(site, "lina"), signed_in(site, "lina"), signed_in(site, "ming")]
    here = signed_in(site, "lina")
    answer = here.post("/me/browsers/end-others", csrf=here.csrf("/me"))
    assert answer.status_code == 303 and "其他 2 台设备" in here.get("/me").text
    assert [visitor.get("/api/me").status_code for visitor in others] == [401, 401, 200]
    assert here.get("/api/me").status_code == 200
    assert told(site) == [("person:others_ended", {"count": 2})]
    headers = {"X-CSRF-Token": here.csrf("/me")}
    there = signed_in(site, "lina")
    assert here.client.post("/api/me/sign-out-others", headers=headers).status_code == 204
    assert there.get("/api/me").status_code == 401 and here.get("/api/me").status_code == 200


def test_anothers_browsers_are_for_who_administers_them(site: Site) -> None:
    boss, lina = site.person("boss", "B1", "everything"), site.person("lina")
    far = site.person("far", "B2")
    visitors = {login: signed_in(site, login, CHROME) for login in ("boss", "lina", "far")}
    call = Caller(site, site.token(boss))
    found = call("GET", f"/api/sign-ins?person={lina.person_id}").json["items"]
    assert [row["person"] for row in found] == [str(lina.person_id)]
    assert call("GET", f"/api/sign-ins?person={far.person_id}").status_code == 404
    theirs = visitors["far"].get("/api/sign-ins").json["items"][0]["id"]
    assert call("DELETE", f"/api/sign-ins/{theirs}").status_code == 404
    assert call("DELETE", "/api/sign-ins/7").json["code"] == "E_NO_SIGN_IN"
    page = visitors["boss"].get(f"/people/{lina.person_id}").text
    assert "Chrome、Windows" in page
    sent = {"act": "end", "sign_in": found[0]["id"], "csrf": visitors["boss"].csrf("/me")}
    assert visitors["boss"].post(f"/people/{lina.person_id}", **sent).status_code == 303
    assert visitors["lina"].get("/api/me").status_code == 401
    assert visitors["far"].get("/api/me").status_code == 200
    assert [(name, data["by_self"]) for name, data in told(site)] == [
        ("person:browser_ended", False)
    ]


def test_nobody_ends_a_browser_of_a_colleague(site: Site) -> None:
    site.person("lina")
    ming = site.person("ming")
    here, there = signed_in(site, "lina"), signed_in(site, "ming")
    theirs = there.get("/api/sign-ins").json["items"][0]["id"]
    assert here.get(f"/api/sign-ins?person={ming.person_id}").status_code == 404
    csrf = here.csrf("/me")
    assert here.post("/me/browsers/end", csrf=csrf, sign_in=theirs).status_code == 404
    refused = here.client.delete(f"/api/sign-ins/{theirs}", headers={"X-CSRF-Token": csrf})
    assert refused.status_code == 404
    assert there.get("/api/me").status_code == 200 and told(site) == []


def test_for_one_browser_too_many_the_one_not_used_for_longest_ends(either_site: Site) -> None:
    site = either_site
    site.person("lina")
    site.person("ming")
    few = replace(site.app.extensions["careloom.settings"], browsers=3)
    site.app.extensions["careloom.settings"] = few
    other = signed_in(site, "ming")
    visitors = []
    for agent in (CHROME, AGENTS[4][0], AGENTS[5][0]):
        visitors.append(signed_in(site, "lina", agent))
        site.database.clock.turn(timedelta(minutes=20))  # type: ignore[attr-defined]
    visitors[0].get("/api/me")  # the first of them is used again
    newest = signed_in(site, "lina")
    statuses = [visitor.get("/api/me").status_code for visitor in (*visitors, newest, other)]
    assert statuses == [200, 401, 200, 200, 200]
    assert (
        "最多同时在 3 台设备上登录，最久未用的一台（Safari、iPhone / iPad）已退出"
        in newest.get("/me").text
    )
    kind = {"browser": "safari", "system": "ios", "most": 3}
    assert told(site) == [("person:browsers_many", kind)]
