"""Today's leads: they go through the running flow, and the agents have begun with them."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from ...platform.identity.actor import SYSTEM, Actor, actor_of
from ...platform.records.submit import submit
from ...platform.store.database import Database
from ...platform.store.session import moment
from ..flows.complete import complete
from ..tasks.model import TaskState, task_actors, tasks
from ..work.dispatch import drain
from .past import Story, stories
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
    """Today's leads, each with its flow, some already called; returns how many leads are new.

    What is there already is left alone and what is missing is done, so that a load which was cut
    short between the leads and their calls goes on where it was.
    """
    made_of = content() | {"leads_a_day": NEW_A_DAY, "weekdays": [1] * 7}
    with database.read() as session:
        found = branches(session, made_of)
    days = [(branch, _today(branch, made_of, until)) for branch in found]
    written = 0
    for branch, told in days:
        written += database.write(lambda s, b=branch, t=told: _submit_today(s, b, t, until))  # type: ignore[misc]
    drain(database)
    for branch, told in days:
        _begin(database, branch, told)
    drain(database)
    return written


def _today(branch: Branch, made_of: Mapping[str, Any], until: datetime) -> list[Story]:
    day = until.astimezone(branch.zone).date()
    return list(stories(made_of, SEED, branch.code, day, until, branch.zone))


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
        written = (*_WRITTEN_BY_FLOW, "lost_reason", "grade", "assigned_at", "deal_amount")
        values = {key: value for key, value in story.lead.items() if key not in written}
        submit(session, SYSTEM, "lead_intake", values | fresh, unit_id=branch.id, source=SOURCE)
    return len(told)


_WRITTEN_BY_FLOW = tuple(
    f"{step}_at" for step in ("contacted", "invited", "arrived", "consulted", "deal")
)


def _begin(database: Database, branch: Branch, told: list[Story]) -> None:
    """Of every four leads the first was reached, the second was not, two are still to be called.

    Which is which hangs on the lead's place in the day, not on what waits now: a call that was
    made already is missed by nobody, and one that was not is still made.
    """
    with database.read() as session:
        actor = actor_of(session, int(branch.people["agent"]))
        said = _said(session, branch, told)
        waiting = _first_calls(session, actor, said)
    for task_id, lead in waiting:
        database.write(lambda s, t=task_id, n=lead: _call(s, actor, t, n, said[n]))  # type: ignore[misc]


def _said(session: Session, branch: Branch, told: list[Story]) -> dict[int, Mapping[str, str]]:
    """Lead -> how its first call went, of those that have been called."""
    return {
        lead: (ANSWERED, SILENT)[place % 4]
        for place, lead in there(session, branch, told).items()
        if place % 4 < 2
    }


def _first_calls(session: Session, actor: Actor, leads: Collection[int]) -> list[tuple[int, int]]:
    """The actor's open first calls about these leads, oldest first: task and lead."""
    asked = exists().where(
        task_actors.c.task_id == tasks.c.id, task_actors.c.person_id == actor.person_id
    )
    query = (
        select(tasks.c.id, tasks.c.subject_id)
        .where(tasks.c.state == TaskState.OPEN, tasks.c.step_key == FIRST_CALL, asked)
        .where(tasks.c.subject_form == "lead_intake", tasks.c.subject_id.in_(leads))
        .order_by(tasks.c.id)
    )
    return [(task_id, lead) for task_id, lead in session.execute(query)]


def _call(session: Session, actor: Actor, task_id: int, lead: int, said: Mapping[str, str]) -> None:
    now = moment(session)
    values = {
        **said,
        "lead": str(lead),
        "started_at": now.isoformat(),
        "next_at": (now + timedelta(hours=3)).isoformat(),
    }
    complete(session, actor, task_id, values)
