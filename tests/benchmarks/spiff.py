"""A process of user tasks in SpiffWorkflow, kept as one row of JSON in SQLite.

As its documentation keeps one: `serialize_json` of the workflow, which has the process in it, and
`deserialize_json` of that. What our own run knows of each step it has taken (its outcome, who, and
when) lies in the workflow's data.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

HEAD = """\
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="line" targetNamespace="bench">
  <process id="line" isExecutable="true">
    <startEvent id="start"><outgoing>to_1</outgoing></startEvent>
    <sequenceFlow id="to_1" sourceRef="start" targetRef="task_1"/>
"""
TASK = """\
    <userTask id="task_{0}" name="Call">
      <incoming>to_{0}</incoming><outgoing>to_{1}</outgoing>
    </userTask>
    <sequenceFlow id="to_{1}" sourceRef="task_{0}" targetRef="{2}"/>
"""
TAIL = """\
    <endEvent id="end"><incoming>to_{0}</incoming></endEvent>
  </process>
</definitions>
"""


def line(tasks: int) -> str:
    """The BPMN of so many user tasks one after the other."""
    parts = [
        TASK.format(number, number + 1, f"task_{number + 1}" if number < tasks else "end")
        for number in range(1, tasks + 1)
    ]
    return HEAD + "".join(parts) + TAIL.format(tasks + 1)


def stepper(
    driver: sqlite3.Connection, count: int, tasks: int, done: int, by: int
) -> Callable[[], None]:
    """Completes the next task of the next of so many saved processes, each of so many tasks of
    which so many are done. Each call is one durable step: the row is read, the workflow built
    from it, run, and the row written and committed."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        driver.execute(f"PRAGMA {pragma}")
    driver.execute("CREATE TABLE process (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(line(tasks).encode()))
    workflow = BpmnWorkflow(parser.get_spec("line"))
    workflow.do_engine_steps()
    for number in range(done):
        _complete(workflow, number + 1, by)
    state = serializer.serialize_json(workflow)
    rows = [(number, state) for number in range(count)]
    driver.executemany("INSERT INTO process VALUES (?, ?)", rows)
    numbers = iter(range(count))

    def step() -> None:
        number = next(numbers)
        driver.execute("BEGIN IMMEDIATE")
        query = "SELECT state FROM process WHERE id = ?"
        loaded = serializer.deserialize_json(driver.execute(query, [number]).fetchone()[0])
        _complete(loaded, done + 1, by)
        (task,) = loaded.get_tasks(state=TaskState.READY, manual=True)
        assert task.task_spec.name == f"task_{done + 2}"
        saved = serializer.serialize_json(loaded)
        driver.execute("UPDATE process SET state = ? WHERE id = ?", [saved, number])
        driver.execute("COMMIT")

    return step


def _complete(workflow: Any, number: int, by: int) -> None:
    """Complete the task of that number, which is the one that is ready."""
    (task,) = workflow.get_tasks(state=TaskState.READY, manual=True)
    assert task.task_spec.name == f"task_{number}"
    task.data[f"task_{number}"] = {"outcome": "done", "by": by, "at": "2026-03-03T02:00:00+00:00"}
    task.run()
    workflow.do_engine_steps()
