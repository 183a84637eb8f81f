"""A task whose form holds files."""

import re
from copy import deepcopy
from io import BytesIO
from typing import Any

import make
from served import Client, Site
from sqlalchemy.orm import Session

from careloom.platform.definitions.published import published

TASK = re.compile(r'href="(/tasks/\d+)" data-next-task')
PDF = b"%PDF-1.7\ntrailer<<>>\n%%EOF\n"
TALK = {
    "method": "call",
    "direction": "out",
    "result": "answered",
    "started_at": "2026-03-03T10:01",
    "summary": "想周末来看",
    "grade_after": "B",
    "next_action": "invite",
    "next_at": "2026-03-04T10:00",
}


def with_papers(site: Site) -> None:
    """The form of a contact, with a field of files."""

    def document(session: Session) -> Any:
        return deepcopy(published(session, "form", "followup_log").document)

    with site.database.read() as session:
        changed = document(session)
    changed["properties"]["papers"] = make.field("file", "附件")
    changed["x-layout"][0]["fields"].append("papers")
    make.publish(site.database, "form", changed)


def first_task(agent: Client) -> str:
    found = TASK.search(agent.get("/").text)
    assert found
    return found[1]


def test_a_task_is_completed_with_a_file_that_its_record_keeps(site: Site) -> None:
    with_papers(site)
    site.bring_leads(1)
    agent = site.client("agent")
    task = first_task(agent)
    assert 'enctype="multipart/form-data"' in agent.get(task).text
    refused = agent.post(f"{task}/complete", **TALK, papers=(BytesIO(b"<svg/>"), "a.svg"))
    assert refused.status == 422 and 'href="#f-papers"' in refused.text
    done = agent.post(f"{task}/complete", **TALK, papers=(BytesIO(PDF), "片子.pdf"))
    assert done.status == 303, done.text
    log = re.search(r'href="(/records/followup_log/\d+)"', agent.get("/records/followup_log").text)
    assert log
    text = agent.get(log[1]).text
    link = re.search(r'href="(/api/files/[0-9a-f]{32})"', text)
    assert link and "片子.pdf" in text
    assert agent.http.get(link[1]).data == PDF
