"""A flow of two tasks one after the other, about a record with one field: what flows are measured
by. And one of more tasks."""

from dataclasses import dataclass
from typing import Any

import make
from sqlalchemy import select

from careloom.platform.definitions.kinds import register
from careloom.platform.events.log import subscribe
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.store.database import Database
from careloom.runtime.flows.check import FLOW
from careloom.runtime.flows.complete import complete
from careloom.runtime.flows.follow import wants
from careloom.runtime.flows.start import start
from careloom.runtime.tasks.model import TaskState, tasks
from careloom.runtime.work.dispatch import CONSUMER, EVENTS

LEAD = make.form("lead", {"name": make.field()}, x_label="name", required=["name"])
PLAIN = make.form("plain", {"name": make.field()}, x_label="name", required=["name"])
CALL = make.form(
    "call",
    {
        "lead": make.link("lead"),
        "result": make.field("choice", x_options=make.fixed("answered", "no_answer")),
        "minutes": make.field("number"),
        "price": make.field("number", x_scale=2),
        "sum": make.field("number", x_scale=2, x_value="minutes * price"),
        "note": make.field(),
    },
    required=["lead", "result"],
)
EVERYTHING = [make.rule("branch", "read", "create", "change")]
AGENT = make.role("agent", dict.fromkeys(("lead", "call", "plain"), EVERYTHING))
OUTCOMES = {"outcomes": [{"key": "done", "title": "Done"}]}
TASK = {"kind": "task", "title": "Call", "who": {"role": "agent"}}
BARE, WHOLE = "bare", "whole"


def flow(key: str, first: dict[str, Any], **words: Any) -> dict[str, Any]:
    """Two tasks for whoever is an agent, the first of them asking for so much."""
    return _line(
        key, [{"key": "first", **TASK, **first}, {"key": "second", **TASK, **OUTCOMES}], words
    )


def long_flow(key: str, tasks: int) -> dict[str, Any]:
    """So many tasks for whoever is an agent, each asking for an outcome."""
    steps = [{"key": f"task_{number}", **TASK, **OUTCOMES} for number in range(1, tasks + 1)]
    return _line(key, steps, {})


def _line(key: str, steps: list[dict[str, Any]], words: dict[str, Any]) -> dict[str, Any]:
    steps = [*steps, {"key": "end", "kind": "end"}]
    return {"format": 1, "key": key, "title": key, "subject": "lead", "steps": steps, **words}


@dataclass(frozen=True)
class House:
    """A database with the flows in it, and the agent at its branch."""

    database: Database
    agent: Actor

    def begun(self, key: str, done: int = 0) -> tuple[int, int]:
        """A new instance with so many of its tasks done, and the task it waits at."""
        values = {"name": "客户"}
        instance = self.database.write(lambda session: start(session, SYSTEM, key, values=values))
        for _ in range(done):
            task = self.task(instance)
            self.database.write(
                lambda session, at=task: complete(session, self.agent, at, {}, "done")
            )
        return instance, self.task(instance)

    def task(self, instance: int) -> int:
        """The task an instance waits at."""
        query = select(tasks.c.id).where(
            tasks.c.instance_id == instance, tasks.c.state == TaskState.OPEN
        )
        with self.database.read() as session:
            return session.execute(query).scalar_one()


def house_in(database: Database, **words: Any) -> House:
    """Publish it all in an empty database: the bare flow asks for an outcome alone, the whole one
    for a form. words: more of the bare flow's document."""
    register(FLOW)
    subscribe(CONSUMER, EVENTS, wants)
    make.organisation(database)
    for kind, document in (
        ("form", LEAD),
        ("form", CALL),
        ("form", PLAIN),
        ("role", AGENT),
        ("flow", flow(BARE, OUTCOMES, **words)),
        ("flow", flow(WHOLE, {"form": "call", "prefill": {"lead": "this"}})),
    ):
        make.publish(database, kind, document)
    return House(database, make.person(database, "ann", "B1", "agent"))
