"""A customer who is being nurtured comes back: whoever may change the lead says so on its page."""

import re

from served import Client, Site

from careloom.runtime.flows.complete import complete
from careloom.runtime.tasks.worklist import TaskRow, worklist

NURTURE = (
    (
        "first_call",
        None,
        {
            "method": "call",
            "direction": "out",
            "started_at": "2026-03-03T10:05",
            "result": "answered",
            "summary": "想种牙",
            "next_action": "invite",
            "next_at": "2026-03-06T10:00",
        },
    ),
    ("invite", "later", {}),
)


def first_task(site: Site, login: str) -> TaskRow:
    actor = site.actor(login)
    with site.database.read() as session:
        return worklist(session, actor).items[0]


def nurtured(site: Site) -> str:
    """A lead of the agent's that said "not now"; its page's address."""
    site.bring_leads(1)
    agent = site.actor("agent")
    for step, outcome, values in NURTURE:
        task = first_task(site, "agent")
        assert task.step_key == step
        site.database.write(
            lambda s, task=task, outcome=outcome, values=values: complete(  # type: ignore[misc]
                s, agent, task.id, values, outcome, "以后再说" if outcome else None
            )
        )
        site.work()
    return f"/records/lead_intake/{task.subject_id}"


def button(client: Client, page: str) -> str:
    found = re.search(r'name="event" value="([^"]+)"', client.get(page).text)
    return found[1] if found else ""


def test_a_lead_in_nurturing_is_taken_up_again_from_its_page(site: Site) -> None:
    page = nurtured(site)
    agent, desk = site.client("agent"), site.client("desk")
    assert "客户重新激活" in agent.get(page).text
    assert button(desk, page) == ""  # reads the lead, and may not change it
    assert desk.post(f"{page}/raise", event="lead.reactivated").status == 403
    stranger = site.client("agent2")
    stranger.get("/")
    assert stranger.post(f"{page}/raise", event="lead.reactivated").status == 404
    event = button(agent, page)
    assert agent.post(f"{page}/raise", event=event).to == page
    site.work()
    assert first_task(site, "agent").step_key == "first_call"
    assert button(agent, page) == ""
    agent.post(f"{page}/raise", event=event)
    assert "流程已不再等这个事件" in agent.get(page).text
