"""Today's leads: they go through the running flow, and the agents have begun with them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...platform.identity.actor import SYSTEM, actor_of
from ...platform.identity.model import Person
from ...platform.records.lists import get
from ...platform.records.submit import submit
from ...platform.store.database import Database
from ...platform.store.session import moment
from ..flows.complete import complete
from ..tasks.worklist import MOST, TaskRow, worklist
from ..work.dispatch import drain
from .past import stories
from .write import REFERRED, SEED, SOURCE, Branch, anybody, branches, content, there

NEW_A_DAY = 12
FIRST_CALL = "first_call"
ANSWERED = {
    "direction": "out",
    "method": "call",
    "result": "answered",
    "next_action": "invite",
    "summary": "客户接听，愿意到店检查",
}
SILENT = {
    "direction": "out",
    "method": "call",
    "result": "no_answer",
    "next_action": "call",
    "summary": "响铃未接，稍后再拨",
}


def write_present(database: Database, until: datetime) -> int:
    """Today's leads, each with its flow, some already called; returns how many leads are new."""
    made_of = content() | {"leads_a_day": NEW_A_DAY, "weekdays": [1] * 7}
    with database.read() as session:
        found = branches(session, made_of)
    written = sum(
        database.write(lambda s, b=branch: _submit_today(s, b, made_of, until))  # type: ignore[misc]
        for branch in found
    )
    if written:
        drain(database)
        for login in {branch["agent"] for branch in made_of["branches"].values()}:
            _begin(database, login)
        drain(database)
    return written


def _submit_today(
    session: Session, branch: Branch, made_of: Mapping[str, Any], until: datetime
) -> int:
    day = until.astimezone(branch.zone).date()
    told = list(stories(made_of, SEED, branch.code, day, until, branch.zone))
    if not told or there(session, branch, told[0].lead):
        return 0
    for number, story in enumerate(told):
        received = until - timedelta(minutes=2 + 3 * (len(told) - number))
        fresh = {
            "received_at": received.isoformat(),
            "status": "new",
            "target_clinic": str(branch.id),
            "referrer": anybody(session) if story.lead["channel"] == REFERRED else None,
        }
        written = (*_WRITTEN_BY_FLOW, "lost_reason", "grade", "assigned_at", "deal_amount")
        values = {key: value for key, value in story.lead.items() if key not in written}
        submit(session, SYSTEM, "lead_intake", values | fresh, unit_id=branch.id, source=SOURCE)
    return len(told)


_WRITTEN_BY_FLOW = tuple(
    f"{step}_at" for step in ("contacted", "invited", "arrived", "consulted", "deal")
)


def _begin(database: Database, login: str) -> None:
    """Of every four first calls one was answered, one was not, two are still to be made."""
    with database.read() as session:
        actor = actor_of(session, session.scalars(select(Person.id).filter_by(login=login)).one())
        waiting = [
            task
            for task in worklist(session, actor, limit=MOST).items
            if task.step_key == FIRST_CALL
        ]
    for number, task in enumerate(waiting):
        if number % 4 < 2:
            said = ANSWERED if number % 4 == 0 else SILENT
            database.write(lambda s, t=task, v=said: _call(s, actor, t, v))  # type: ignore[misc]


def _call(session: Session, actor: Any, task: TaskRow, said: Mapping[str, str]) -> None:
    now = moment(session)
    lead = get(session, actor, task.subject_form, task.subject_id)
    values = {
        **said,
        "lead": str(lead.id),
        "started_at": now.isoformat(),
        "next_at": (now + timedelta(hours=3)).isoformat(),
    }
    complete(session, actor, task.id, values)
