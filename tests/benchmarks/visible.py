"""From a record's submission to its first task on the agent's list: a flow starts by the event,
the worker inside this process takes it on, and the list is asked until the task is there.

The reference submits a record that starts no flow and asks for the list once: what lies between
is the worker's way to it, the start of the instance, and its commit.
"""

import time
from collections.abc import Iterator

from careloom.platform.records.submit import submit
from careloom.runtime.flows.complete import complete
from careloom.runtime.tasks.worklist import TaskRow, worklist
from careloom.runtime.work.worker import start_worker

from .measure import KINDS, Cost, Result, fresh, middle
from .two_tasks import House, house_in

TIMES, WARM = 60, 6
PATIENCE = 10.0
PAUSE = 0.0005  # between two looks at the list


class Invisible(Exception):
    """The task did not come in time."""


def results() -> Iterator[Result]:
    """One line for each kind of database."""
    for kind in KINDS:
        with fresh(kind) as database:
            house = house_in(database, start={"on": "record:submitted"})
            stop = start_worker(database)
            try:
                costs = [(visible(house), apart(house)) for _ in range(TIMES + WARM)][WARM:]
            finally:
                stop()
            ours, alone = (middle(pair[side] for pair in costs) for side in (0, 1))
            goal = "≤ 15,000 µs" if kind == "sqlite" else ""
            what = f"create → flow → task visible, p50, {kind}"
            yield Result(what, ours, "submit and list, no flow between", alone, goal)


def visible(house: House) -> Cost:
    """Submit a record that starts a flow, and ask until its task is on the list."""
    cpu, since = time.process_time(), time.perf_counter()
    submitted(house, "lead")
    while not (found := listed(house)):
        if time.perf_counter() - since > PATIENCE:
            raise Invisible
        time.sleep(PAUSE)
    spent = Cost(time.perf_counter() - since, time.process_time() - cpu)
    while found:  # both tasks, so that the next list begins empty
        done(house, found[0].id)
        found = listed(house)
    return spent


def apart(house: House) -> Cost:
    """Submit a record that starts nothing, and ask for the list once."""
    cpu, since = time.process_time(), time.perf_counter()
    submitted(house, "plain")
    listed(house)
    return Cost(time.perf_counter() - since, time.process_time() - cpu)


def submitted(house: House, form: str) -> None:
    """A record of the agent's."""
    house.database.write(lambda session: submit(session, house.agent, form, {"name": "客户"}))


def listed(house: House) -> list[TaskRow]:
    """The agent's work list, as its page reads it."""
    with house.database.read() as session:
        return worklist(session, house.agent, count=True).items


def done(house: House, task: int) -> None:
    """The agent completes a task."""
    house.database.write(lambda session: complete(session, house.agent, task, {}, "done"))
