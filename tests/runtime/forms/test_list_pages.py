"""The list of records: filters, columns, saved views, board and calendar, without script."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from served import Client, Site
from sqlalchemy.orm import Session

from careloom.platform.definitions.published import published
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import list_records
from careloom.platform.records.submit import submit

LEADS = "/records/lead_intake"
VISITS = "/records/appointment"


def total(client: Client, address: str) -> int:
    found = re.search(r"共 (\d+) 条", client.get(f"{LEADS}{address}").text)
    return int(found[1]) if found else 0


def heads(client: Client, address: str) -> list[str]:
    return re.findall(r'class="sort"[^>]*>([^<]+)<', client.get(address).text)


def appointments(site: Site, *hours: str) -> list[str]:
    """Appointments of an hour each on the site's own Tuesday; the pages of each."""
    site.bring_leads(1)
    unit = site.actor("desk").unit_id

    def deed(session: Session) -> list[str]:
        customer = list_records(session, SYSTEM, "customer_profile", limit=1).items[0].id
        made = []
        for hour in hours:
            start = datetime.fromisoformat(f"2026-03-03T{hour}:00+08:00")
            given = {
                "customer": str(customer),
                "clinic": str(unit),
                "start_at": start.isoformat(),
                "end_at": (start + timedelta(hours=1)).isoformat(),
                "status": "booked",
                "appt_type": first_of(session, "appt_type"),
                "dept": first_of(session, "dept"),
                "items": [first_of(session, "procedure")],
            }
            made.append(submit(session, SYSTEM, "appointment", given).id)
        return [f"{VISITS}/{each}" for each in made]

    return site.database.write(deed)


def first_of(session: Session, key: str) -> str:
    """The first item of a list."""
    return str(published(session, "list", key).document["items"][0]["key"])


def test_any_readable_field_may_be_asked_about(site: Site) -> None:
    site.bring_leads(30)
    boss = site.client("supervisor")
    every = total(boss, "")
    assert 0 < total(boss, "?w.channel=meituan&w.channel=douyin") < every
    assert total(boss, "?o.received_at=this_month") == every
    assert total(boss, "?o.received_at=last_year") == 0
    assert total(boss, "?o.grade=blank") + total(boss, "?o.grade=filled") == every
    assert total(boss, "?w.lead_score=0&w.lead_score=100") == every
    text = unescape(boss.get(f"{LEADS}?w.channel=meituan&w.channel=douyin&o.grade=blank").text)
    assert "渠道：美团、抖音" in text and "等级：未填" in text
    assert f"{LEADS}?o.grade=blank" in text, "each chip leads to the list without it"


def test_a_filter_is_added_without_script(site: Site) -> None:
    text = site.client("supervisor").get(f"{LEADS}?add=city").text
    assert 'name="w.city"' in text and '<details class="filters" open' in text


def test_a_search_finds_by_pinyin_and_by_last_digits(site: Site) -> None:
    site.bring_leads(8)
    boss = site.client("supervisor")
    text = boss.get(LEADS).text
    row = re.search(r'cell-main"[^>]*>([^<]+)</a>.*?(199\d{8})', text, re.S)
    assert row
    assert total(boss, f"?q={row[2][-4:]}") >= 1


def test_columns_are_chosen(site: Site) -> None:
    site.bring_leads(2)
    boss = site.client("supervisor")
    assert heads(boss, f"{LEADS}?c=name&c=city&c=no_such_field") == ["称呼", "城市"]


def test_a_view_is_saved_shown_first_and_removed(site: Site) -> None:
    site.bring_leads(20)
    boss = site.client("supervisor")
    asked = total(boss, "?w.channel=meituan")
    every = total(boss, "?view=all")
    saved = boss.post(f"{LEADS}/views", ask="w.channel=meituan&c=name", title="美团", first="yes")
    assert saved.status == 303
    assert total(boss, saved.to.removeprefix(LEADS)) == asked
    assert total(boss, "") == asked, "it comes first"
    assert total(boss, "?view=all") == every
    assert "渠道：美团" in boss.get(saved.to).text
    other = site.client("agent").get(LEADS).text
    assert "美团</a>" not in other, "it is her own"
    key = saved.to.rpartition("=")[2]
    assert site.client("agent").post(f"{LEADS}/views/{key}/remove").status == 404
    assert boss.post(f"{LEADS}/views/{key}/remove").status == 303
    assert total(boss, "") == every


def test_a_view_is_shared_with_a_role_by_those_who_may(site: Site) -> None:
    boss, agent = site.client("supervisor"), site.client("agent")
    boss.post(f"{LEADS}/views", ask="o.grade=blank", title="未分级", role="online_consultant")
    assert "未分级" in agent.get(LEADS).text
    assert "未分级" not in site.client("manager").get(LEADS).text
    agent.post(f"{LEADS}/views", ask="", title="给大家", role="lead_supervisor")
    assert "给大家" not in boss.get(LEADS).text


def test_a_view_without_a_name_is_refused_in_words(site: Site) -> None:
    boss = site.client("supervisor")
    answer = boss.post(f"{LEADS}/views", ask="w.channel=meituan", title=" ")
    assert answer.status == 303
    assert "请给视图起个名字" in boss.get(answer.to).text


def test_packs_bring_views(site: Site) -> None:
    text = site.client("desk").get(VISITS).text
    assert "预约日历" in text and 'class="ways"' in text
    assert "没有安排" in text, "the desk's own first view is a calendar"


def test_a_card_is_moved_without_script_and_a_refusal_is_said(site: Site) -> None:
    (at,) = appointments(site, "09:00")
    desk = site.client("desk")
    board = desk.get(f"{VISITS}?as=board&by=status").text
    revision = re.search(rf'{at}/move.*?name="revision" value="(\d+)"', board, re.S)
    assert revision
    move = {"field": "status", "revision": revision[1], "next": f"{VISITS}?as=board&by=status"}
    refused = desk.post(f"{at}/move", **move, value="no_show")
    assert refused.to == move["next"]
    assert "爽约原因：请填写" in unescape(desk.get(refused.to).text)
    assert "已预约" in desk.get(at).text
    assert desk.post(f"{at}/move", **move, value="cancelled", cancel_by="x").status == 303
    elsewhere = {**move, "next": "https://elsewhere.example/"}
    assert desk.post(f"{at}/move", **elsewhere, value="no_such").to == VISITS


def test_a_board_counts_all_of_each_column_and_only_what_one_may_see(site: Site) -> None:
    site.bring_leads(30)
    boss = site.client("supervisor")
    board = boss.get(f"{LEADS}?as=board&by=channel").text
    counts = [int(found) for found in re.findall(r"data-count>(\d+)<", board)]
    assert sum(counts) == total(boss, "?view=all")
    assert "board-move" in board
    assert "board-move" not in boss.get(f"{LEADS}?as=board&by=status").text, "the flow's own"
    other = site.client("agent2").get(f"{LEADS}?as=board&by=channel").text
    assert sum(int(found) for found in re.findall(r"data-count>(\d+)<", other)) == 0


@pytest.mark.parametrize("span", ["day", "week", "month"])
def test_appointments_stand_in_the_calendar_at_their_time(site: Site, span: str) -> None:
    desk = site.client("desk")
    made = appointments(site, "09:00", "09:30", "22:00")
    address = f"{VISITS}?as=calendar&span={span}&on=2026-03-03"
    text = desk.get(address).text
    assert all(at in text for at in made)
    assert "09:00" in text and "22:00" in text
    assert made[0] not in desk.get(f"{VISITS}?as=calendar&span={span}&on=2026-05-05").text


def test_two_at_once_share_their_place_and_none_is_lost(site: Site) -> None:
    desk = site.client("desk")
    made = appointments(site, "09:00", "09:30", "10:00")
    table = desk.get(f"{VISITS}?as=calendar&span=week&on=2026-03-03").text
    hours = re.search(r'<table class="hours">.*?</table>', table, re.S)
    assert hours and all(hours[0].count(at) == 1 for at in made)


def test_a_new_record_begins_with_what_the_address_says(site: Site) -> None:
    site.bring_leads(1)
    text = site.client("desk").get(f"{VISITS}/new?v.start_at=2026-03-05T10:00&v.doctor=torn").text
    assert 'value="2026-03-05T10:00"' in text and 'value="2026-03-05T10:30"' in text


def test_what_is_listed_is_taken_out_by_those_who_may(site: Site) -> None:
    site.bring_leads(20)
    boss = site.client("supervisor")
    asked = "w.channel=meituan&w.channel=douyin"
    link = re.search(r'href="([^"]+/export\?file=csv[^"]*)"', boss.get(f"{LEADS}?{asked}").text)
    assert link
    lines = boss.get(unescape(link[1])).text.strip().split("\n")
    assert len(lines) - 1 == total(boss, f"?{asked}") > 0
    assert all("美团" in line or "抖音" in line for line in lines[1:])
    agent = site.client("agent")
    assert "/export?" not in agent.get(LEADS).text
    assert agent.get(f"{LEADS}/export?file=csv").status == 403


@pytest.mark.parametrize(
    "address",
    ["as=board&by=no_such", "as=calendar&on=someday&span=x", "filter=)(", "o.age=x", "view=9"],
)
def test_a_torn_address_is_answered_in_words(site: Site, address: str) -> None:
    assert site.client("supervisor").get(f"{LEADS}?{address}").status == 200


def test_on_a_phones_card_a_number_says_what_it_is(site: Site) -> None:
    site.bring_leads(2)
    text = site.client("supervisor", "en").get(f"{LEADS}?c=name&c=lead_score&c=channel").text
    card = text[text.index('class="cards phone-only"') :]
    assert re.search(r"<span>Lead score: </span>\d+", card)
    assert re.search(r'<span class="only-heard">Channel: </span>\w', card)
