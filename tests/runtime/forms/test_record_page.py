"""A record's page: what links here, its runs and tasks, and what changed from what to what."""

import json
import re

import make
import pytest
from served import Client, Site
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import list_records
from careloom.platform.records.submit import change

LEADS = "/records/lead_intake"


def newest(site: Site, form: str) -> int:
    with site.database.read() as session:
        return list_records(session, SYSTEM, form, limit=1).items[0].id


@pytest.fixture
def supervisor(site: Site) -> Client:
    site.bring_leads(3)
    return site.client("supervisor")


def test_a_customers_page_shows_what_links_there(site: Site, supervisor: Client) -> None:
    customer = newest(site, "customer_profile")
    text = supervisor.get(f"/records/customer_profile/{customer}").text
    assert re.search(r'线索登记（客户） <span class="badge">[1-9]</span>', text)
    assert f'/records/appointment/new?v.customer={customer}"' in text
    new = supervisor.get(f"/records/appointment/new?v.customer={customer}").text
    assert re.search(rf'<option value="{customer}" selected', new)


def test_whoever_was_expected_is_checked_in_from_their_appointment(site: Site) -> None:
    site.bring_leads(1)
    customer = str(newest(site, "customer_profile"))
    branch = str(site.actor("desk").unit_id)
    visit = make.record(
        site.database,
        "appointment",
        customer=customer,
        clinic=branch,
        appt_type="first_visit",
        dept="den_general",
        items=["den_scaling"],
        start_at="2026-03-05T10:00",
        status="booked",
    )
    desk = site.client("desk")
    begin = f"/records/checkin/new?v.appointment={visit.id}"
    assert f'href="{begin}"' in desk.get(f"/records/appointment/{visit.id}").text
    new = desk.get(begin).text
    assert all(re.search(rf'<option value="{one}" selected', new) for one in (visit.id, customer))


def test_nothing_is_shown_of_forms_one_may_not_read(site: Site, supervisor: Client) -> None:
    customer = newest(site, "customer_profile")
    text = site.client("ops").get(f"/records/customer_profile/{customer}").text
    assert "收款" not in text and "payment" not in text


def test_a_lead_shows_its_run_and_ones_own_task(site: Site, supervisor: Client) -> None:
    lead = newest(site, "lead_intake")
    agent = site.client("agent").get(f"{LEADS}/{lead}").text
    assert "我的任务" in agent and 'href="/tasks/' in agent
    boss = supervisor.get(f"{LEADS}/{lead}").text
    assert "相关流程" in boss and 'href="/instances/' in boss
    assert "我的任务" not in boss


def test_the_history_says_what_was_before_and_after(site: Site, supervisor: Client) -> None:
    lead = newest(site, "lead_intake")

    def deed(session: Session) -> None:
        for city in ("杭州", "湖州"):
            change(session, SYSTEM, "lead_intake", lead, {"city": city})

    site.database.write(deed)
    text = supervisor.get(f"{LEADS}/{lead}").text
    assert re.search(r"<del>杭州</del>.*?<ins>湖州</ins>", text)


def test_a_masked_value_stays_masked_in_the_history(site: Site, supervisor: Client) -> None:
    lead = newest(site, "lead_intake")
    for mobile in ("19912345678", "19987654321"):
        given = {"mobile": mobile}
        site.database.write(lambda s, given=given: change(s, SYSTEM, "lead_intake", lead, given))
    text = site.client("ops").get(f"{LEADS}/{lead}").text
    assert "199****4321" in text and "19987654321" not in text


def test_a_record_without_a_name_is_called_by_whom_it_is_about(site: Site) -> None:
    visit = make.form(
        "visit",
        {"customer": make.link("customer_profile"), "at": make.field("datetime")},
        ["customer", "at"],
    )
    make.publish(site.database, "form", visit)
    rules = [make.rule("all", "read")]
    forms = {"visit": rules, "customer_profile": rules}
    make.publish(site.database, "role", make.role("receptionist", forms))
    site.bring_leads(1)
    customer = newest(site, "customer_profile")
    made = make.record(
        site.database, "visit", customer=str(customer), at="2026-03-05T09:00:31.5+08:00"
    )
    desk = site.client("desk")
    title = re.search(r"<h1>(.*?)</h1>", desk.get(f"/records/visit/{made.id}").text)
    name = re.search(r"<h1>(.*?)</h1>", desk.get(f"/records/customer_profile/{customer}").text)
    assert title and name and title[1] == f"{name[1]} · 2026-03-05 09:00"


def test_records_to_link_to_are_offered_as_one_types(site: Site, supervisor: Client) -> None:
    with site.database.read() as session:
        one = list_records(session, SYSTEM, "customer_profile", limit=1).items[0]
    answer = supervisor.get(f"/records/customer_profile/offer?q={one.values['mobile']}")
    assert {"id": str(one.id), "words": one.label} in json.loads(answer.text)
    assert json.loads(site.client("agent2").get("/records/customer_profile/offer").text) == []
