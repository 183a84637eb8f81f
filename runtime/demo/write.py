"""The demo's leads written through the door, a branch's day in one transaction."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...platform.identity.actor import SYSTEM
from ...platform.identity.model import Person
from ...platform.identity.tree import tree, unit_by_code
from ...platform.records.lists import list_records
from ...platform.records.match import existing, match_key
from ...platform.records.shape import shape_of
from ...platform.records.submit import submit
from ...platform.store.database import Database
from .past import Story, Values, stories

CONTENT = Path(__file__).parents[2] / "blueprints" / "demo_leads.json"
SEED = 20_250_101
SOURCE = "demo"
REFERRED = "old_brings_new"  # such a lead names who brought it


@dataclass(frozen=True)
class Branch:
    """A branch of the demo: its id, its zone, and who works there, by part, as written in a
    record."""

    code: str
    id: int
    zone: ZoneInfo
    people: Mapping[str, str]


def content() -> dict[str, Any]:
    """What the demo's leads are made of."""
    found: dict[str, Any] = json.loads(CONTENT.read_text("utf-8"))
    return found


def branches(session: Session, made_of: Mapping[str, Any]) -> list[Branch]:
    """The demo's branches that leads are made for."""
    ids = {login: str(key) for login, key in session.execute(select(Person.login, Person.id))}
    places = tree(session).places
    found = []
    for code, parts in made_of["branches"].items():
        unit = unit_by_code(session, code).id
        people = {part: ids[login] for part, login in parts.items()}
        found.append(Branch(code, unit, ZoneInfo(places[unit].time_zone), people))
    return found


def write_past(
    database: Database, days: int, until: datetime, progress: Callable[[int, int], None]
) -> int:
    """Write the leads of so many days before `until`; returns how many leads are new.

    A day that is there already is left alone, so that a load which was cut short goes on where it
    was. progress: called with the days done and all days.
    """
    made_of = content()
    with database.read() as session:
        found = branches(session, made_of)
    written = 0
    for done in range(days):
        for branch in found:
            day = until.astimezone(branch.zone).date() - timedelta(days=days - done)
            told = list(stories(made_of, SEED, branch.code, day, until, branch.zone))
            written += database.write(lambda s, b=branch, t=told: _write_day(s, b, t))  # type: ignore[misc]
        progress(done + 1, days)
    return written


def _write_day(session: Session, branch: Branch, told: list[Story]) -> int:
    if there(session, branch, told):
        return 0
    brought_by = anybody(session)
    for story in told:
        if story.lead["channel"] == REFERRED:
            if brought_by is None:
                continue
            story.lead["referrer"] = brought_by
        brought_by = _write_story(session, branch, story)
    return len(told)


def anybody(session: Session) -> str | None:
    """A customer who may have told a friend."""
    page = list_records(session, SYSTEM, "customer_profile", limit=1)
    return str(page.items[0].id) if page.items else None


def there(session: Session, branch: Branch, told: list[Story]) -> dict[int, int]:
    """Which leads of a day came in already, by the form's own match rule: place in the day ->
    the record's id. A day is written whole, so one of them says that all are there; the very first
    may be missing, for one that was referred needs somebody who did.
    """
    shape = shape_of(session, "lead_intake")
    keys = [match_key(shape, story.lead, branch.zone) for story in told]
    ids = existing(session, shape, filter(None, keys), branch.zone)
    return {place: ids[key] for place, key in enumerate(keys) if key in ids}


def _write_story(session: Session, branch: Branch, story: Story) -> str:
    """Write a lead and what came of it; returns its customer."""
    people = branch.people

    def write(form: str, values: Values, **more: Any) -> str:
        made = submit(session, SYSTEM, form, values | more, unit_id=branch.id, source=SOURCE)
        return str(made.id)

    clinic = str(branch.id)
    customer = write(
        "customer_profile",
        story.customer,
        home_clinic=clinic,
        owner_consultant=people["consultant"],
    )
    lead = write(
        "lead_intake", story.lead, customer=customer, target_clinic=clinic, owner=people["agent"]
    )
    known = {"customer": customer, "lead": lead}
    for call in story.calls:
        write("followup_log", call, **known)
    if not story.appointment:
        return customer
    who = {"doctor": people["doctor"], "consultant": people["consultant"]}
    appointment = write("appointment", story.appointment, clinic=clinic, **known, **who)
    if story.checkin:
        greeted = people["desk"]
        write(
            "checkin",
            story.checkin,
            customer=customer,
            appointment=appointment,
            greeted_by=greeted,
        )
    if story.plan:
        plan = write(
            "treatment_plan",
            story.plan,
            consult=story.lead["demand"],
            author=people["doctor"],
            consultant=people["consultant"],
            **known,
        )
        if story.payment:
            discounted = any("discount" in line for line in story.payment["lines"])
            by = {"approver": people["manager"]} if discounted else {}
            write("payment", story.payment, cashier=people["desk"], plan=plan, **by, **known)
    return customer


def days_of(months: int, until: date) -> int:
    """How many days so many months back are."""
    month = until.year * 12 + until.month - 1 - months
    begin = date(month // 12, month % 12 + 1, min(until.day, 28))
    return (until - begin).days
