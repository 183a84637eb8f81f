"""A person at work, as a process of its own: submits leads and completes tasks until killed.

    python -m kills.agent SEED

Prints a line as soon as a write has returned, so that whoever reads it holds an acknowledgement:
`lead ID`, `task ID RECORD`. A conflict (another was faster) is no failure.
"""

import random
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import actor_of
from careloom.platform.identity.model import Person
from careloom.platform.records.submit import submit
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, NotFound
from careloom.platform.web.app import create_app
from careloom.runtime.flows.complete import complete
from careloom.runtime.tasks.model import TaskState, task_actors, tasks

RESULTS = ("answered", "answered", "no_answer", "busy")
OUTCOMES = {
    "invite": ("booked", "refused", "later"),
    "objection": ("booked", "not_yet"),
    "no_show": ("rebooked", "not_yet"),
    "supervisor_call": ("rebooked", "not_yet"),
}
BOOKING = ("invite", "book", "urgent_book")


def main(seed: int) -> None:
    """Work until killed."""
    chance = random.Random(seed)
    database = create_app().extensions["careloom.database"]
    with database.read() as session:
        agent = session.scalars(select(Person.id).where(Person.login == "agent")).one()
    print("ready", flush=True)
    for number in range(10_000):
        lead = submit_lead(database, agent, f"S{seed}-{number}", chance)
        print(f"lead {lead}", flush=True)
        done = complete_one(database, agent, chance)
        if done is not None:
            print(f"task {done[0]} {done[1]}", flush=True)
        time.sleep(chance.uniform(0, 0.02))


def submit_lead(database: Database, person: int, name: str, chance: random.Random) -> int:
    """One lead, written as the agent; its id."""
    values = {
        "channel": "hotline_400",
        "name": name,
        "mobile": f"1990{chance.randrange(10**7):07d}",
        "pack_kind": "dental",
        "project": ["den_scaling"],
        "received_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "consent_privacy": True,
    }

    def deed(session: Session) -> int:
        return submit(session, actor_of(session, person), "lead_intake", values).id

    return database.write(deed)


def complete_one(
    database: Database, agent: int, chance: random.Random
) -> tuple[int, int | None] | None:
    """Complete some open task as a person it is offered to; it and the record that came of it."""
    with database.read() as session:
        query = (
            select(tasks.c.id, tasks.c.step_key, task_actors.c.person_id)
            .join(task_actors, task_actors.c.task_id == tasks.c.id)
            .where(tasks.c.state == TaskState.OPEN, task_actors.c.open)
            .order_by(tasks.c.id.desc())
            .limit(30)
        )
        found = session.execute(query).all()
    if not found:
        return None
    task, step, person = chance.choice(found)
    outcome = chance.choice(OUTCOMES[step]) if step in OUTCOMES else None
    values, comment = {}, None
    if step == "invite" and outcome != "booked":
        comment = "以后再说"
    elif step in BOOKING:
        values = booking(chance)
    elif step != "pool":
        values = followup(chance)

    def deed(session: Session) -> int | None:
        actor = actor_of(session, person or agent)
        return complete(session, actor, task, values, outcome, comment)

    try:
        return task, database.write(deed)
    except (Conflict, NotFound):
        return None


def booking(chance: random.Random) -> dict[str, Any]:
    """An appointment on some day to come."""
    start = datetime.now(UTC) + timedelta(days=chance.randrange(1, 9))
    return {"start_at": start.strftime("%Y-%m-%dT%H:%M:%SZ")}


def followup(chance: random.Random) -> dict[str, Any]:
    """What the person writes down."""
    now = datetime.now(UTC)
    return {
        "method": "call",
        "direction": "out",
        "started_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "result": chance.choice(RESULTS),
        "summary": "电话沟通",
        "grade_after": chance.choice("ABC"),
        "next_action": "call",
        "next_at": (now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
