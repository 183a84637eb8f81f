"""The pages of a run: approvals, its map and controls, messages; all without script."""

import re
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from served import Client, Site
from sqlalchemy import select

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import submit
from careloom.platform.store.clock import TurnedClock
from careloom.runtime.flows.model import Instance
from careloom.runtime.flows.start import start

Document = dict[str, Any]
LEAD = {
    "channel": "meituan",
    "name": "陈建国",
    "mobile": "19900000001",
    "project": ["den_implant_std"],
    "pack_kind": "aesthetic",
    "received_at": "2026-03-03T10:00",
    "consent_privacy": True,
}


def text(zh: str, en: str) -> Document:
    return {"zh-CN": zh, "en": en}


FLOW: Document = {
    "format": 1,
    "key": "check_lead",
    "title": text("线索审批", "Lead approval"),
    "subject": "lead_intake",
    "steps": [
        {
            "key": "tell",
            "kind": "notify",
            "title": text("告知客服", "Tell the agents"),
            "who": [{"key": "agents", "role": "online_consultant"}],
            "text": text("有一条线索要审批", "A lead is to be approved"),
        },
        {
            "key": "approve",
            "kind": "approve",
            "title": text("审批线索", "Approve the lead"),
            "who": [{"key": "managers", "role": "clinic_manager"}],
            "due": "4h",
            "rejected": [
                {"key": "turned_down", "kind": "end", "title": text("已驳回", "Turned down")}
            ],
        },
        {
            "key": "which",
            "kind": "branch",
            "title": text("哪个渠道", "Which channel"),
            "cases": [
                {
                    "key": "platform",
                    "title": text("平台来的", "From a platform"),
                    "when": 'channel = "meituan"',
                    "steps": [],
                },
                {"key": "other", "title": text("其他情况", "Otherwise"), "steps": []},
            ],
        },
        {
            "key": "first",
            "kind": "race",
            "title": text("等客户回来", "Wait for the customer"),
            "arms": [
                {
                    "key": "back",
                    "title": text("客户激活", "Customer is back"),
                    "event": "lead.reactivated",
                    "steps": [],
                },
                {
                    "key": "late",
                    "title": text("九十天", "Ninety days"),
                    "when": {"for": "90d"},
                    "steps": [],
                },
            ],
        },
        {"key": "done", "kind": "end", "title": text("完成", "Done")},
    ],
}


def running(site: Site, asks: str = "clinic_manager") -> str:
    """The page of a run of the flow above, where this role approves."""
    document = deepcopy(FLOW)
    document["steps"][1]["who"][0]["role"] = asks

    def deed(session: Any) -> int:
        publish_document(session, SYSTEM, "flow", document)
        unit = site.actor("agent").unit_id
        lead = submit(session, SYSTEM, "lead_intake", LEAD, unit_id=unit)
        return start(session, SYSTEM, "check_lead", record_id=lead.id)

    made = site.database.write(deed)
    site.work()
    return f"/instances/{made}"


def state(site: Site) -> str:
    with site.database.read() as session:
        query = select(Instance.state).where(Instance.flow_key == "check_lead")
        return str(session.scalars(query).one())


def the_task(client: Client, words: str) -> str:
    page = client.get("/").text
    found = re.findall(r'href="(/tasks/\d+)"[^>]*>(?:(?!</a>).)*?' + words, page, re.DOTALL)
    assert found, page
    return str(found[0])


def test_a_manager_says_no_with_a_reason(site: Site) -> None:
    running(site)
    manager = site.client("manager")
    task = the_task(manager, "审批线索")
    page = manager.get(task).text
    assert 'value="approved"' in page and 'value="rejected"' in page
    silent = manager.post(f"{task}/complete", _outcome="rejected")
    assert silent.status == 422
    assert 'href="#f-_comment"' in silent.text
    answer = manager.post(f"{task}/complete", _outcome="rejected", _comment="号码不对")
    assert (answer.status, answer.to) == (303, "/")
    assert state(site) == "ended"


def test_who_is_asked_by_a_role_has_one_more_person_approve(site: Site) -> None:
    running(site, "online_consultant")
    agent = site.client("agent")
    task = the_task(agent, "审批线索")
    assert f'href="{task}/hand-over"' in agent.get(task).text
    page = agent.get(f"{task}/hand-over").text
    assert "转交或加签" in page
    assert re.search(r'value="sign_beside" checked', page), "giving it on is not theirs to do"
    assert 'value="give"' not in page and 'value="ask"' not in page
    other = site.actor("supervisor").person_id
    answer = agent.post(f"{task}/hand-over", to=other, way="sign_after", comment="金额较大")
    assert (answer.status, answer.to) == (303, "/")
    assert "您已同意" in agent.get("/").text
    approved = {"_outcome": "approved"}
    supervisor = site.client("supervisor")
    second = the_task(supervisor, "审批线索")
    assert supervisor.post(f"{second}/complete", **approved).to == "/"
    assert second not in supervisor.get("/").text.replace(f"{second}/take-back", "")


def test_a_run_shows_where_it_stands_and_why_it_went_there(site: Site) -> None:
    url = running(site)
    manager = site.client("manager")
    manager.post(f"{the_task(manager, '审批线索')}/complete", _outcome="approved")
    page = manager.get(url).text
    assert "在这里" in page
    assert "平台来的" in page
    assert re.search(r"渠道[^<]{0,3}美团", page), "the branch says what it read"
    assert "lead.reactivated" in page
    assert not re.search(r"\b(page|problem|flow)\.[a-z_]+\b", page)


def test_an_event_is_raised_from_the_page(site: Site) -> None:
    url = running(site)
    manager = site.client("manager")
    manager.post(f"{the_task(manager, '审批线索')}/complete", _outcome="approved")
    site.work()
    supervisor = site.client("supervisor")
    assert supervisor.get(url).status == 200
    assert supervisor.post(f"{url}/raise", event="lead.reactivated").to == url
    site.work()
    assert state(site) == "ended"
    supervisor.post(f"{url}/raise", event="lead.reactivated")
    assert "已不再等" in supervisor.get(url).text


def test_a_run_is_halted_resumed_and_stopped_by_those_who_may(site: Site) -> None:
    url = running(site)
    admin = site.client("manager")
    may = "/suspend" in admin.get(url).text
    for act, after in (("suspend", "suspended"), ("resume", "running"), ("cancel", "cancelled")):
        answer = admin.post(f"{url}/{act}")
        assert (answer.status == 303) == may
        assert state(site) == (after if may else "running")
    agent = site.client("agent2")
    assert agent.get(url).status in (403, 404)
    assert agent.post(f"{url}/cancel").status in (403, 404)


def test_a_message_is_read_and_seen_to_be_read(site: Site) -> None:
    url = running(site)
    agent = site.client("agent")
    assert "1 条新消息" in agent.get("/").text
    page = agent.get("/messages").text
    assert "有一条线索要审批" in page
    number = re.search(r'name="message" value="(\d+)"', page)
    assert number
    assert agent.post("/messages/read", message=number[1]).to == "/messages"
    assert "条新消息" not in agent.get("/").text
    assert "已读" in site.client("manager").get(url).text
    assert "有一条线索要审批" not in site.client("agent2").get("/messages").text


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_word_is_missing(site: Site, language: str) -> None:
    url = running(site)
    manager, agent = site.client("manager", language), site.client("agent", language)
    pages = [manager.get(url), agent.get("/messages"), agent.get("/")]
    for page in pages:
        assert page.status == 200
        assert not re.search(r"\b(page|nav|problem|flow)\.[a-z_]+\b", page.text)


def test_a_late_approval_is_with_nobody_else(site: Site) -> None:
    running(site)
    assert isinstance(site.clock, TurnedClock)
    site.clock.turn(timedelta(hours=5))
    site.work()
    assert "审批线索" not in site.client("manager2").get("/").text
