"""The demo's leads: the same each time, whole after a kill, and as a clinic's leads are."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from served import Site
from sqlalchemy import func, select

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.check import violations
from careloom.platform.records.lists import list_records
from careloom.platform.store.database import Database
from careloom.runtime.demo import write
from careloom.runtime.demo.past import STEPS, stories
from careloom.runtime.demo.present import write_present
from careloom.runtime.demo.write import days_of, write_past
from careloom.runtime.flows.complete import complete
from careloom.runtime.flows.soundness import flows_are_sound
from careloom.runtime.tasks.model import TaskState, tasks

DAYS = 6
OPEN = tasks.c.state == TaskState.OPEN


def silent(_done: int, _all: int) -> None:
    """No progress to show."""


def leads(database: Database, form: str = "lead_intake") -> list[dict[str, Any]]:
    """Every record of a form as it is told."""
    found: list[dict[str, Any]] = []
    cursor = None
    with database.read() as session:
        while True:
            page = list_records(session, SYSTEM, form, limit=100, cursor=cursor)
            found += [record.values for record in page.items]
            cursor = page.next
            if cursor is None:
                return found


def told(database: Database) -> list[tuple[Any, ...]]:
    """What tells leads apart, without ids."""
    keys = ("external_id", "name", "mobile", "status", "received_at", "deal_at", "deal_amount")
    return sorted(tuple(str(lead.get(key)) for key in keys) for lead in leads(database))


def test_a_load_cut_short_goes_on_to_the_same_end(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = site.database.clock.now()

    class Cut(Exception):
        pass

    def cut(session: Any, branch: write.Branch, story: Any) -> str:
        if story.lead["external_id"].startswith("demo-R1-B02") and days[0] == DAYS // 2:
            raise Cut
        return whole(session, branch, story)

    days = [0]
    whole = write._write_story
    monkeypatch.setattr(write, "_write_story", cut)
    with pytest.raises(Cut):
        write_past(site.database, DAYS, until, lambda done, _all: days.__setitem__(0, done))
    begun = len(leads(site.database))
    monkeypatch.setattr(write, "_write_story", whole)
    assert write_past(site.database, DAYS, until, silent) > 0
    assert len(leads(site.database)) > begun > 0
    once = told(site.database)
    assert len({row[0] for row in once}) == len(once)
    assert write_past(site.database, DAYS, until, silent) == 0
    assert told(site.database) == once


def test_each_step_follows_the_one_before_and_every_deal_was_paid(site: Site) -> None:
    write_past(site.database, DAYS, site.database.clock.now(), silent)
    paid = {
        str(each["lead"]): Decimal(each["amount_paid"]) for each in leads(site.database, "payment")
    }
    deals = Counter[str]()
    for lead in leads(site.database):
        reached = [lead.get(f"{step}_at") for step in STEPS]
        assert reached == [at for at in reached if at] + [None] * reached.count(None)
        moments = [lead["received_at"], *(at for at in reached if at)]
        assert moments == sorted(moments)
        deals["deal" if lead.get("deal_at") else "none"] += 1
    assert deals["deal"] == len(paid) > 0
    assert deals["none"] > deals["deal"]


def test_who_was_paid_less_than_listed_had_it_approved(site: Site) -> None:
    made_of, now = write.content(), site.clock.now()
    with site.database.read() as session:
        branch = write.branches(session, made_of)[0]
    for back in range(120):
        day = now.astimezone(branch.zone).date() - timedelta(days=back + 1)
        told = list(stories(made_of, write.SEED, branch.code, day, now, branch.zone))
        if any(one.payment and "discount" in one.payment["lines"][0] for one in told):
            break
    write_past(site.database, back + 1, now, silent)
    paid = leads(site.database, "payment")
    reduced = [one for one in paid if one["discount_total"] > 0]
    assert reduced and all(one["approver"] for one in reduced)


def test_todays_leads_run_in_the_flow_and_nothing_chases_the_past(site: Site) -> None:
    database = site.database
    write_past(database, 2, database.clock.now(), silent)
    site.work()
    assert not site.client("agent").get("/").text.count("/tasks/")
    database.clock.turn(timedelta(hours=6))  # type: ignore[attr-defined]
    assert write_present(database, database.clock.now()) > 0
    assert write_present(database, database.clock.now()) == 0
    assert site.client("agent").get("/").text.count("/tasks/")
    with database.read() as session:
        assert [*violations(session), *flows_are_sound(session)] == []


def loaded(site: Site) -> None:
    """Two days, and the one that has begun."""
    write_past(site.database, 2, site.clock.now(), silent)
    write_present(site.database, site.clock.now())


def waiting(site: Site) -> Counter[str]:
    """How many tasks wait at each step."""
    query = select(tasks.c.step_key, func.count()).where(OPEN)
    with site.database.read() as session:
        rows = session.execute(query.group_by(tasks.c.step_key))
        return Counter({step: many for step, many in rows})


def test_everybody_in_the_first_branch_finds_somebody_waiting(site: Site) -> None:
    loaded(site)
    wanted = [each["waits"] for day in write.content()["today"].values() for each in day]
    assert waiting(site) == Counter(wanted) - Counter(
        {"retry": len(wanted), "arrival": len(wanted)}
    )
    for login, step in (
        ("agent", "首次联系"),
        ("desk", "到店接待"),
        ("doctor", "初诊检查"),
        ("consultant", "讲解方案"),
        ("manager", "方案审批"),
    ):
        assert step in site.client(login).get("/").text
    today = f"demo-R1-B01-{site.clock.now().date()}"
    status = {lead["external_id"]: lead["status"] for lead in leads(site.database)}
    waits = [each["waits"] for each in write.content()["today"]["R1-B01"]]
    assert status[f"{today}-{waits.index('arrival')}"] == "invited"
    assert status[f"{today}-{waits.index('exam')}"] == "arrived"


def test_what_somebody_did_today_is_not_done_again(site: Site) -> None:
    loaded(site)
    with site.database.read() as session:
        exam = session.scalars(select(tasks.c.id).where(tasks.c.step_key == "exam", OPEN)).one()
    made_of = write.content()
    found = made_of["deeds"]["exam"] | {"diagnosis": ["K05_1"]}
    doctor = site.actor("doctor")
    site.database.write(lambda session: complete(session, doctor, exam, found))
    site.work()
    then = waiting(site)
    assert write_present(site.database, site.clock.now()) == 0
    assert waiting(site) == then


@pytest.mark.parametrize(
    ("until", "months", "days"),
    [(date(2026, 3, 1), 3, 90), (date(2026, 5, 31), 3, 92), (date(2026, 1, 15), 1, 31)],
)
def test_months_are_counted_by_the_calendar(until: date, months: int, days: int) -> None:
    assert days_of(months, until) == days
