"""A durable step of a flow: a task is completed and the next one stands before its people.

Against the bare driver, which reads and writes the very rows that one step does. The bare step
asks for an outcome; the whole one for a form, so that a record comes with it: permission,
validation, computed values, links, history, events.

And against SpiffWorkflow, which loads a process of the same tasks from a row of SQLite, completes
one, and saves the process there again, as durable as ours. What that costs grows with the process,
so it is measured twice: with two tasks, the smallest there is, and in the middle of as many as the
pack's follow-up of a lead has steps. SpiffWorkflow is measured where it is installed, see
README.md.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import make
from sqlalchemy import select

from careloom.platform.store.database import Database
from careloom.runtime.flows.complete import complete
from careloom.runtime.flows.shape import lay_out
from careloom.runtime.tasks.model import task_actors, tasks

from .measure import KINDS, Result, fresh, in_turns
from .same_rows import Ids, changes, driver_of
from .two_tasks import BARE, WHOLE, House, house_in, long_flow

TIMES, ROUNDS = 15, 11
FOLLOW_UP = Path(__file__).parents[2] / "blueprints/dental/flows/den_lead_followup.json"
CALLS = TIMES * ROUNDS + TIMES // 10 + 1
ABSENT = (
    "SpiffWorkflow is not installed, so no step was measured against it. To install it:"
    " .venv/bin/pip install -c .ci/constraints.txt -e '.[bench]'"
)
VALUES = {"result": "answered", "minutes": 5, "price": "12.50", "note": "下周二上午方便"}


def results() -> Iterator[Result]:
    """The bare step and the whole one on each kind of database, and one beside SpiffWorkflow."""
    for kind in KINDS:
        with fresh(kind) as database:
            house = house_in(database)
            step, rows, driver = pair(house, BARE, {}, "done")
            costs = in_turns(step, driver, TIMES, ROUNDS)
            against = f"bare driver, the same {rows} rows"
            yield Result(f"bare flow step, {kind}", costs[0], against, costs[1], "CPU ≤ 4")
            step, rows, driver = pair(house, WHOLE, VALUES, None)
            costs = in_turns(step, driver, TIMES, ROUNDS)
            what = f"flow step with a form: permission, validation, history, events, {kind}"
            yield Result(what, costs[0], f"bare driver, the same {rows} rows", costs[1])
            if kind == "sqlite" and find_spec("SpiffWorkflow") is not None:
                yield beside_spiff(house, 2, 0)
                long = steps_of(FOLLOW_UP)
                yield beside_spiff(house, long, long // 2, "CPU ≤ 1/8")
    if find_spec("SpiffWorkflow") is None:
        print(ABSENT)


def pair(
    house: House, key: str, values: dict[str, Any], outcome: str | None
) -> tuple[Callable[[], None], int, Callable[[], None]]:
    """Our step, how many rows it writes, and the driver writing the same."""
    begun = iter([house.begun(key)[1] for _ in range(CALLS + 1)])
    step = stepper(house, begun, values, outcome)
    step()  # what is set up the first time is set up now
    model, _ = house.begun(key)
    others = [house.begun(key)[0] for _ in range(CALLS)]
    its, met = ids_of(house.database, model), [ids_of(house.database, one) for one in others]
    task = iter([its[1]])
    made = changes(house.database, stepper(house, task, values, outcome))
    known: Iterator[Ids] = (dict(zip(its, one, strict=True)) for one in met)
    return step, len(made), driver_of(house.database, made, known)


def stepper(
    house: House, begun: Iterator[int], values: dict[str, Any], outcome: str | None
) -> Callable[[], None]:
    """Completes the next of the tasks, as the agent."""

    def step() -> None:
        task = next(begun)
        house.database.write(lambda session: complete(session, house.agent, task, values, outcome))

    return step


def ids_of(database: Database, instance: int) -> tuple[int, ...]:
    """The ids an instance has at its first task: its own first, then the task's."""
    with database.read() as session:
        task = session.execute(select(tasks).where(tasks.c.instance_id == instance)).one()
        query = select(task_actors.c.id).where(task_actors.c.task_id == task.id)
        asked = session.execute(query.order_by(task_actors.c.id)).scalars()
        return (instance, task.id, task.token_id, task.subject_id, *asked)


def steps_of(path: Path) -> int:
    """How many steps a flow has."""
    return len(lay_out(json.loads(path.read_text("utf-8"))).nodes)


def beside_spiff(house: House, count: int, done: int, goal: str = "") -> Result:
    """The bare step against SpiffWorkflow's load, run, save; both complete one more of so many
    tasks of which so many are done."""
    from .spiff import stepper as spiff_stepper

    key, times = f"long_{count}", 5
    calls = times * ROUNDS + 1
    make.publish(house.database, "flow", long_flow(key, count))
    begun = iter([house.begun(key, done)[1] for _ in range(calls)])
    path = house.database.home / f"spiff_{count}.db"
    driver, by = sqlite3.connect(path, isolation_level=None), house.agent.person_id or 0
    theirs = spiff_stepper(driver, calls, count, done, by)
    costs = in_turns(stepper(house, begun, {}, "done"), theirs, times, ROUNDS)
    what = f"bare flow step, {done + 1} of {count} tasks, sqlite"
    return Result(what, costs[0], "SpiffWorkflow: load, run, save", costs[1], goal)
