"""The work list, a task and an instance, asked as a browser without script would."""

import re
from datetime import timedelta

import pytest
from served import Client, Site

from careloom.platform.store.clock import TurnedClock

TASK = re.compile(r'href="(/tasks/\d+)" data-next-task')
CALL = {
    "method": "call",
    "direction": "out",
    "result": "answered",
    "started_at": "2026-03-03T10:01",
}
TALK = {**CALL, "summary": "想周末来看", "grade_after": "B", "next_action": "invite"}


def next_task(client: Client) -> str:
    found = TASK.search(client.get("/").text)
    assert found, "no task on the work list"
    return found[1]


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, f"{pattern} is nowhere"
    return match[1]


def turn(site: Site, minutes: int) -> None:
    assert isinstance(site.clock, TurnedClock)
    site.clock.turn(timedelta(minutes=minutes))
    site.work()


def test_an_agent_without_work_is_told_how_work_comes(site: Site) -> None:
    text = site.client("agent").get("/").text
    assert "暂时没有要做的事" in text
    assert "data-next-task" not in text


def test_the_work_list_shows_whom_to_call_and_how_long_is_left(site: Site) -> None:
    site.bring_leads(3)
    text = site.client("agent").get("/").text
    assert "还剩 15 分钟" in text
    assert re.search(r'href="tel:\d{11}"', text)
    assert text.count('class="task-link"') == 3


def test_a_deadline_that_has_passed_is_said_in_words_and_colour(site: Site) -> None:
    site.bring_leads(1)
    turn(site, 20)
    text = site.client("agent", "en").get("/").text
    assert "5 min overdue" in text
    assert "badge-late" in text


def test_a_task_is_finished_without_script_and_the_next_one_stands_on_top(site: Site) -> None:
    site.bring_leads(2)
    agent = site.client("agent")
    first = next_task(agent)
    page = agent.get(first)
    assert "客户信息" in page.text
    answer = agent.post(f"{first}/complete", **TALK, next_at="2026-03-04T10:00")
    assert (answer.status, answer.to) == (303, "/"), answer.text
    after = agent.get("/")
    assert "已完成" in after.text
    assert next_task(agent) != first


def test_who_finished_by_mistake_finds_the_way_back_where_they_look(site: Site) -> None:
    site.bring_leads(1)
    agent = site.client("agent")
    task = next_task(agent)
    lead = found(r'href="(/records/lead_intake/\d+)"', agent.get(task).text)
    agent.post(f"{task}/complete", **TALK, next_at="2026-03-04T10:00")
    back = f'href="{task}/take-back"'
    assert back in agent.get("/").text
    assert back not in agent.get("/").text, "what just happened is told once"
    assert back in agent.get(lead).text
    assert back not in site.client("supervisor").get(lead).text
    assert agent.post(f"{task}/take-back").to == next_task(agent)
    assert back not in agent.get(lead).text


def test_the_page_of_the_run_offers_it_to_who_finished_and_to_nobody_else(site: Site) -> None:
    site.bring_leads(1)
    turn(site, 16)
    supervisor, manager = site.client("supervisor"), site.client("manager")
    task = next_task(supervisor)
    run = found(r'href="(/instances/\d+)"', supervisor.get(task).text)
    assert "take-back" not in supervisor.get(run).text
    supervisor.post(f"{task}/complete", **TALK, next_at="2026-03-04T10:00")
    assert f'href="{task}/take-back"' in supervisor.get(run).text
    assert (page := manager.get(run)).status == 200
    assert "take-back" not in page.text


def test_what_has_gone_on_offers_no_way_back(site: Site) -> None:
    site.bring_leads(1)
    agent = site.client("agent")
    task = next_task(agent)
    agent.post(f"{task}/complete", **TALK, next_at="2026-03-04T10:00")
    agent.post(f"{next_task(agent)}/complete", _outcome="refused", _comment="太贵")
    page = agent.get("/").text
    assert "已完成" in page
    assert f"{task}/take-back" not in page


def test_what_is_missing_is_said_at_its_field_and_above_and_nothing_typed_is_lost(
    site: Site,
) -> None:
    site.bring_leads(1)
    agent = site.client("agent")
    task = next_task(agent)
    answer = agent.post(f"{task}/complete", **CALL, competitor="另一家口腔")
    assert answer.status == 422
    assert 'href="#f-summary"' in answer.text
    assert re.search(r'id="f-summary"[^>]*aria-invalid="true"', answer.text)
    assert 'value="另一家口腔"' in answer.text
    assert next_task(agent) == task


def test_an_overdue_task_is_with_the_supervisor_too_marked_as_escalated(site: Site) -> None:
    site.bring_leads(1)
    supervisor = site.client("supervisor")
    assert "data-next-task" not in supervisor.get("/").text
    turn(site, 16)
    assert "超时升级" in supervisor.get("/").text
    assert supervisor.get(next_task(supervisor)).status == 200


def test_the_other_branch_learns_nothing_of_a_task(site: Site) -> None:
    site.bring_leads(2)
    task = next_task(site.client("agent"))
    other = site.client("agent2")
    assert "data-next-task" not in other.get("/").text
    assert other.get(task).status == 404
    assert other.post(f"{task}/complete", **TALK).to == "/"
    assert "已完成" not in other.get("/").text


def test_two_who_finish_the_same_task_are_told_apart(site: Site) -> None:
    site.bring_leads(1)
    one, other = site.client("agent"), site.client("agent")
    task = next_task(one)
    assert one.post(f"{task}/complete", **TALK, next_at="2026-03-04T10:00").to == "/"
    assert other.post(f"{task}/complete", **TALK, next_at="2026-03-04T10:00").to == "/"
    assert "完成了这个任务" in other.get("/").text  # by whom and when, too


def test_a_page_that_is_sent_without_its_token_changes_nothing(site: Site) -> None:
    site.bring_leads(1)
    agent = site.client("agent")
    task = next_task(agent)
    agent.csrf = "of-another-site"
    assert agent.post(f"{task}/complete", **TALK).status == 403
    assert next_task(agent) == task


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_word_is_missing_on_the_pages_of_work(site: Site, language: str) -> None:
    site.bring_leads(2)
    agent = site.client("agent", language)
    task = next_task(agent)
    for path in ("/", task):
        assert not re.search(r"\b(page|nav|task|problem)\.[a-z_]+\b", agent.get(path).text), path
