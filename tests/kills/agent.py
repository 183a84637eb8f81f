"""A person at work, as a process of its own: submits leads and completes tasks until killed.

    python -m kills.agent SEED

It says so as soon as a write has returned (see `acknowledged`), so that whoever reads it holds an
acknowledgement. A conflict (another was faster) is no failure.
"""

import random
import sys
import time
from itertools import count

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

from .acknowledged import lead_written, task_done
from .filled import lead, result

PAUSE_SECONDS = 0.1  # the others are to have a turn: this is no measure of speed


def main(seed: int) -> None:
    """Work until killed."""
    chance = random.Random(seed)
    database = create_app().extensions["careloom.database"]
    with database.read() as session:
        agent = session.scalars(select(Person.id).where(Person.login == "agent")).one()
    for number in count():
        lead_written(submit_lead(database, agent, f"S{seed}-{number}", chance))
        done = complete_one(database, agent, chance)
        if done is not None:
            task_done(*done)
        time.sleep(chance.uniform(0, PAUSE_SECONDS))


def submit_lead(database: Database, person: int, name: str, chance: random.Random) -> int:
    """One lead, written as the agent; its id."""
    values = lead(name, chance)

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
    said = result(step, chance)

    def deed(session: Session) -> int | None:
        actor = actor_of(session, person or agent)
        values, outcome = said["values"], said["outcome"]
        return complete(session, actor, task, values, outcome, said.get("comment"))

    try:
        return task, database.write(deed)
    except (Conflict, NotFound):
        return None


if __name__ == "__main__":
    main(int(sys.argv[1]))
