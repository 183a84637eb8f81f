"""A process of two user tasks in SpiffWorkflow, kept as one row of JSON in SQLite."""

import sqlite3
from collections.abc import Callable

from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

PROCESS = """\
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="two" targetNamespace="bench">
  <process id="two_tasks" isExecutable="true">
    <startEvent id="start"><outgoing>a</outgoing></startEvent>
    <sequenceFlow id="a" sourceRef="start" targetRef="first"/>
    <userTask id="first" name="First"><incoming>a</incoming><outgoing>b</outgoing></userTask>
    <sequenceFlow id="b" sourceRef="first" targetRef="second"/>
    <userTask id="second" name="Second"><incoming>b</incoming><outgoing>c</outgoing></userTask>
    <sequenceFlow id="c" sourceRef="second" targetRef="end"/>
    <endEvent id="end"><incoming>c</incoming></endEvent>
  </process>
</definitions>
"""


def stepper(driver: sqlite3.Connection, count: int) -> Callable[[], None]:
    """Completes the first task of the next of so many saved processes; each call is one durable
    step: the row is read, the workflow built from it, run, and the row written and committed."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        driver.execute(f"PRAGMA {pragma}")
    driver.execute("CREATE TABLE process (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(PROCESS.encode()))
    workflow = BpmnWorkflow(parser.get_spec("two_tasks"))
    workflow.do_engine_steps()
    state = serializer.serialize_json(workflow)
    rows = [(number, state) for number in range(count)]
    driver.executemany("INSERT INTO process VALUES (?, ?)", rows)
    numbers = iter(range(count))

    def step() -> None:
        number = next(numbers)
        driver.execute("BEGIN IMMEDIATE")
        query = "SELECT state FROM process WHERE id = ?"
        loaded = serializer.deserialize_json(driver.execute(query, [number]).fetchone()[0])
        (task,) = loaded.get_tasks(state=TaskState.READY, manual=True)
        assert task.task_spec.name == "first"
        task.run()
        loaded.do_engine_steps()
        (task,) = loaded.get_tasks(state=TaskState.READY, manual=True)
        assert task.task_spec.name == "second"
        saved = serializer.serialize_json(loaded)
        driver.execute("UPDATE process SET state = ? WHERE id = ?", [saved, number])
        driver.execute("COMMIT")

    return step
