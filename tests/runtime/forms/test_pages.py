"""Record table, record, new record and edit, asked as a browser without script would."""

import re

import pytest
from served import Client, Site

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import submit

LEAD = {
    "channel": "website",
    "received_at": "2026-03-03T09:30",
    "name": "周女士",
    "mobile": "19900000077",
    "pack_kind": "dental",
    "project": ["pr_implant_single", "pr_scaling"],
    "consent_privacy": "true",
}


def first_record(client: Client, form: str = "lead_intake") -> str:
    found = re.search(rf'href="(/records/{form}/\d+)"', client.get(f"/records/{form}").text)
    assert found, "no record in the table"
    return found[1]


def options_of(text: str, field: str) -> list[str]:
    """The keys a form offers in a field, as pills or in a list."""
    pills = re.findall(rf'name="{field}" value="([^"]+)"', text)
    listed = re.search(rf'<select[^>]*name="{field}".*?</select>', text, re.S)
    return pills or re.findall(r'<option value="([^"]+)"', listed[0] if listed else "")


def lead(client: Client, **changed: object) -> dict[str, object]:
    """A lawful lead, its project taken from what the page offers."""
    offered = options_of(client.get("/records/lead_intake/new").text, "project")
    return {**LEAD, "project": offered[:2], **changed}


def test_a_person_sees_only_the_forms_they_may_read(site: Site) -> None:
    text = site.client("agent").get("/records").text
    assert "/records/lead_intake" in text
    assert site.client("agent").get("/records/no_such_form").status == 404


def test_a_record_made_without_script_is_read_back_in_words(site: Site) -> None:
    agent = site.client("agent")
    answer = agent.post("/records/lead_intake/new", **lead(agent))
    assert answer.status == 303, answer.text
    text = agent.get(answer.to).text
    assert "周女士" in text and "官网" in text and "2026-03-03 09:30" in text


def test_a_refused_record_keeps_every_choice_that_was_made(site: Site) -> None:
    agent = site.client("agent")
    given = lead(agent, mobile="1990", name="")
    answer = agent.post("/records/lead_intake/new", **given)
    assert answer.status == 422
    assert 'href="#f-mobile"' in answer.text and 'href="#f-name"' in answer.text
    assert 'value="1990"' in answer.text
    for key in given["project"]:  # type: ignore[attr-defined]
        assert re.search(rf'value="{key}" checked', answer.text), key


def test_the_table_is_searched_filtered_sorted_and_paged(site: Site) -> None:
    outcome = site.bring_leads(40)
    supervisor = site.client("supervisor")
    table = supervisor.get("/records/lead_intake").text
    total = int(re.search(r"共 (\d+) 条", table)[1])  # type: ignore[index]
    assert total == outcome.good and "下一页" in table
    more = re.search(r'href="([^"]+)" rel="next"', table)
    assert more
    rest = supervisor.get(more[1].replace("&amp;", "&")).text
    assert rest.count('class="table-link cell-main"') == total - 25
    one = supervisor.get("/records/lead_intake?w.channel=meituan").text
    assert "渠道：美团" in one
    assert 0 < int(re.search(r"共 (\d+) 条", one)[1]) < total  # type: ignore[index]
    assert 'aria-sort="descending"' in supervisor.get("/records/lead_intake?sort=-received_at").text


def test_a_search_without_a_match_says_how_to_go_on(site: Site) -> None:
    site.bring_leads(2)
    text = site.client("supervisor").get("/records/lead_intake?q=nobody-of-that-name").text
    assert "没有符合条件的记录" in text and "清除条件" in text


@pytest.mark.parametrize(
    "address", ["sort=no_such_field", "cursor=torn", "w.channel=no-such", "w.received_at=someday"]
)
def test_a_torn_address_is_an_answer_in_words_not_an_error(site: Site, address: str) -> None:
    site.bring_leads(1)
    assert site.client("supervisor").get(f"/records/lead_intake?{address}").status == 200


def test_an_edit_that_came_second_is_shown_and_does_not_overwrite(site: Site) -> None:
    first = site.client("supervisor")
    made = first.post("/records/lead_intake/new", **lead(first)).to
    slow, quick = site.client("supervisor"), site.client("supervisor")
    edit = slow.get(f"{made}/edit")
    revision = re.search(r'name="_revision" value="(\d+)"', edit.text)
    assert revision
    assert (
        quick.post(f"{made}/edit", **lead(quick, city="杭州"), _revision=revision[1]).status == 303
    )
    late = slow.post(f"{made}/edit", **lead(slow, city="湖州"), _revision=revision[1])
    assert late.status == 412
    assert "有人改过这条记录" in late.text and 'value="湖州"' in late.text
    assert "杭州" in slow.get(made).text


def test_a_masked_phone_is_neither_dialled_nor_sent_back(site: Site) -> None:
    site.bring_leads(45)
    agent = site.client("agent")
    for path in sorted(
        set(re.findall(r"/records/lead_intake/\d+", agent.get("/records/lead_intake").text))
    ):
        text = agent.get(path).text
        if "****" in text:
            assert "tel:" not in text
            return
    pytest.fail("no lead of the pool among the agent's records")


def test_the_other_branch_finds_none_of_the_records(site: Site) -> None:
    site.bring_leads(3)
    path = first_record(site.client("agent"))
    other = site.client("agent2")
    assert other.get(path).status == 404
    assert other.get(f"{path}/edit").status == 404
    assert path not in other.get("/records/lead_intake").text


def test_a_record_is_retired_and_restored_on_its_page_and_its_past_is_one_link_away(
    site: Site,
) -> None:
    boss = site.client("supervisor")
    place = boss.post("/records/lead_intake/new", **lead(boss)).to
    site.work()
    found = re.search(r'name="_revision" value="(\d+)"', boss.get(f"{place}/edit").text)
    assert found
    boss.post(f"{place}/edit", **lead(boss, name="赵女士"), _revision=found[1])
    assert "赵女士" in boss.get(place).text
    then = boss.get(f"{place}?revision=1").text
    assert "周女士" in then and "只能查看" in then and f"{place}/edit" not in then
    assert f'href="{place}?revision=1"' in boss.get(place).text

    stale = boss.post(f"{place}/retire", _revision=1)
    assert "有人改过这条记录" in boss.get(stale.to).text
    boss.post(f"{place}/retire")
    text = boss.get(place).text
    assert "已停用" in text and f"{place}/restore" in text and f"{place}/edit" not in text
    boss.post(f"{place}/restore")
    text = boss.get(place).text
    assert "已恢复使用" in text and f"{place}/edit" in text
    desk = site.client("desk")
    assert f"{place}/retire" not in desk.get(place).text
    answer = desk.post(f"{place}/retire")
    assert answer.status == 404 or "没有权限" in desk.get(answer.to).text


def test_a_moment_is_read_to_the_minute(site: Site) -> None:
    values = {
        "channel": "walk_in",
        "name": "李雷",
        "external_id": "1",
        "project": ["den_scaling"],
        "pack_kind": "dental",
        "mobile": "19900000078",
        "received_at": "2026-03-02T09:15:37.250+08:00",
        "consent_privacy": True,
    }
    site.database.write(lambda session: submit(session, SYSTEM, "lead_intake", values))
    text = site.client("supervisor").get("/records/lead_intake").text
    assert "2026-03-02 09:15<" in text.replace("\n", "").replace(" <", "<")
    assert "09:15:37" not in text
