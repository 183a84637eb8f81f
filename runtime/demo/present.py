"""Today's leads: they go through the running flows, and everybody has begun with them."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ...platform.identity.actor import SYSTEM
from ...platform.records.submit import submit
from ...platform.store.database import Database
from ..work.dispatch import drain
from .past import STEPS, Story, stories
from .today import Content, go_through
from .write import REFERRED, SEED, SOURCE, Branch, anybody, branches, content, there

WRITTEN_BY_FLOW = (
    *(f"{step}_at" for step in STEPS),
    *("lost_reason", "grade", "assigned_at", "deal_amount"),
)


def write_present(database: Database, until: datetime) -> int:
    """Today's leads, each as far on its way as the content says; returns how many are new.

    What is there already is left alone and what is missing is done, so that a load which was cut
    short goes on where it was.
    """
    made_of = content()
    with database.read() as session:
        found = branches(session, made_of)
    days = [(branch, _today(branch, made_of, until)) for branch in found]
    written = 0
    for branch, told in days:
        written += database.write(lambda s, b=branch, t=told: _submit_today(s, b, t, until))  # type: ignore[misc]
    drain(database)
    go_through(database, made_of, days)
    return written


def _today(branch: Branch, made_of: Content, until: datetime) -> list[Story]:
    today = made_of["today"][branch.code]
    alike = {**made_of, "leads_a_day": len(today), "weekdays": [1] * 7}
    day = until.astimezone(branch.zone).date()
    told = list(stories(alike, SEED, branch.code, day, until, branch.zone))
    for story, wanted in zip(told, today, strict=True):
        if project := wanted.get("project"):
            story.lead |= {"project": [project], "demand": made_of["projects"][project][2]}
    return told


def _submit_today(session: Session, branch: Branch, told: list[Story], until: datetime) -> int:
    if there(session, branch, told):
        return 0
    for number, story in enumerate(told):
        received = until - timedelta(minutes=2 + 3 * (len(told) - number))
        fresh = {
            "received_at": received.isoformat(),
            "status": "new",
            "target_clinic": str(branch.id),
            "referrer": anybody(session) if story.lead["channel"] == REFERRED else None,
        }
        values = {key: value for key, value in story.lead.items() if key not in WRITTEN_BY_FLOW}
        submit(session, SYSTEM, "lead_intake", values | fresh, unit_id=branch.id, source=SOURCE)
    return len(told)
