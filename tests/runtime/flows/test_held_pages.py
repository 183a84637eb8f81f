"""The tasks in one person's hands, found from their page and given to a colleague."""

import re

from served import Site

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.people import disable


def number(site: Site, login: str) -> int:
    return site.actor(login).person_id or 0


def test_the_tasks_of_somebody_who_left_are_given_on_from_their_page(site: Site) -> None:
    site.bring_leads(2)
    agent, to = number(site, "agent"), number(site, "supervisor")
    site.database.write(lambda session: disable(session, SYSTEM, agent))
    manager = site.client("manager")
    assert f'href="/people/{agent}/tasks"' in (page := manager.get(f"/people/{agent}").text)
    assert "手上的任务：2 项" in page
    listed = re.findall(
        r'href="(/tasks/\d+/hand-over)"', manager.get(f"/people/{agent}/tasks").text
    )
    assert len(listed) == 2
    assert "转交" in manager.get(listed[0]).text
    answer = manager.post(listed[0], to=to, way="give", record="yes", comment="已离职")
    assert answer.status == 303, answer.text
    assert "手上的任务：1 项" in manager.get(f"/people/{agent}").text
    assert listed[0].removesuffix("/hand-over") in site.client("supervisor").get("/").text
    manager.post(listed[1], to=to, way="give", record="yes", comment="")
    assert "/tasks" not in manager.get(f"/people/{agent}").text.split("<main", 1)[1]
    assert "手上没有任务了" in manager.get(f"/people/{agent}/tasks").text


def test_what_is_given_to_somebody_is_in_their_hands(site: Site) -> None:
    site.bring_leads(1)
    agent, supervisor = number(site, "agent"), number(site, "supervisor")
    manager = site.client("manager")
    (task,) = re.findall(
        r'href="(/tasks/\d+)/hand-over"', manager.get(f"/people/{agent}/tasks").text
    )
    assert manager.get(f"/people/{supervisor}/tasks").text.count("/hand-over") == 0
    manager.post(f"{task}/hand-over", to=supervisor, way="give", record="", comment="")
    assert task in manager.get(f"/people/{supervisor}/tasks").text


def test_nobody_else_sees_them(site: Site) -> None:
    site.bring_leads(1)
    agent = number(site, "agent")
    assert site.client("nurse").get(f"/people/{agent}/tasks").status == 403
    admin = site.client("admin")
    assert f"/people/{agent}/tasks" not in admin.get(f"/people/{agent}").text
    assert admin.get(f"/people/{agent}/tasks").status == 403
