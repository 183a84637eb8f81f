"""An instance as it went, in words: the steps it took, who did what, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from ...platform.web.context import local
from ..forms.show import Reader
from ..forms.story import Line, names_of
from ..steps.graph import Graph, RaceStep, TaskStep
from ..tasks.hand_over import notes_of
from ..tasks.model import TaskState, tasks
from .load import flow, forms
from .model import InstanceState, incidents, instances, steps_taken, waits


def instance_row(reader: Reader, instance_id: int) -> Any:
    """The instance's row, or None."""
    query = select(instances).where(instances.c.id == instance_id)
    return reader.session.execute(query).one_or_none()


ROADS = ("branch", "go_to", "end", "repeat", "again", "race")
"""Kinds of step that are roads, not places: people ask what was done."""


def trail(reader: Reader, instance: Any) -> list[Line]:
    """What happened, oldest first: steps as they were entered, each task with who finished it."""
    graph = flow(reader.session, instance.flow_key, instance.flow_version)
    query = select(tasks).where(tasks.c.instance_id == instance.id).order_by(tasks.c.id)
    asked = list(reader.session.execute(query))
    people = names_of(reader.session, {row.closed_by for row in asked})
    lines = [(0, Line(reader.say("page.instance.started"), local(instance.started_at)))]
    query = (
        select(steps_taken)
        .where(steps_taken.c.instance_id == instance.id)
        .order_by(steps_taken.c.id)
    )
    for taken in reader.session.execute(query):
        node = graph.nodes.get(taken.step_key)
        if node is not None and node.kind not in (*ROADS, "task", "approve"):
            title = reader.text(node.title) or taken.step_key
            lines.append((taken.id, Line(title, local(taken.at))))
    for task in asked:
        title = reader.text(task.title) or task.step_key
        lines.append((task.id, _task_line(reader, graph, title, task, people)))
    lines += _notes(reader, instance.id)
    found = [line for _, line in sorted(lines, key=lambda pair: pair[0])]
    if instance.state in (InstanceState.ENDED, InstanceState.CANCELLED):
        words = reader.say(f"page.instance.state.{instance.state}")
        found.append(Line(words, local(instance.ended_at) if instance.ended_at else ""))
    return found


def _notes(reader: Reader, instance_id: int) -> list[tuple[int, Line]]:
    """What people said to its tasks, and to whom they gave them, with what they sort by."""
    rows = notes_of(reader.session, instance_id)
    people = names_of(reader.session, {one for row in rows for one in (row.person_id, row.to_id)})
    found = []
    for row in rows:
        by, to = people.get(row.person_id) or "", people.get(row.to_id) or ""
        words = reader.say(f"page.note.{row.kind}", by=by, to=to)
        found.append((row.id, Line(words, local(row.at), row.text or "")))
    return found


def _task_line(
    reader: Reader, graph: Graph, title: str, task: Any, people: Mapping[int | None, str]
) -> Line:
    if task.state == TaskState.OPEN:
        return Line(title, local(task.offered_at), reader.say("page.instance.now"), state="open")
    if task.state == TaskState.CANCELLED:
        return Line(title, local(task.closed_at), reader.say("page.instance.dropped"))
    told = [people.get(task.closed_by) or ""]
    if task.outcome:
        told.insert(0, outcome_words(reader, graph, task.step_key, task.outcome))
    if task.comment:
        told.append(task.comment)
    return Line(title, local(task.closed_at), " · ".join(told))


def outcome_words(reader: Reader, graph: Graph, step_key: str, outcome: str) -> str:
    """An outcome as its step calls it."""
    node = graph.nodes.get(step_key)
    step = node.step if node is not None else None
    if isinstance(step, TaskStep):
        for one in step.outcomes:
            if one.key == outcome:
                return reader.text(one.title)
    return outcome


def standing_waits(reader: Reader, instance: Any) -> list[str]:
    """What the instance waits for, other than people."""
    graph = flow(reader.session, instance.flow_key, instance.flow_version)
    query = (
        select(waits)
        .where(waits.c.instance_id == instance.id, waits.c.kind != "task")
        .order_by(waits.c.id)
    )
    found = []
    for row in reader.session.execute(query):
        title = _title(reader, graph, row.step_key, row.arm)
        at = local(row.until) if row.until else ""
        what = _form_title(reader, str(row.what)) if row.kind == "record" else row.what or ""
        found.append(reader.say(f"page.instance.wait_{row.kind}", step=title, at=at, what=what))
    return found


def _title(reader: Reader, graph: Graph, step_key: str, arm: str | None = None) -> str:
    """What a step is called, or the arm of a race."""
    node = graph.nodes.get(step_key)
    if node is None:
        return step_key
    if arm is not None and isinstance(node.step, RaceStep):
        racing = node.step.arm(arm)
        if racing is not None and racing.title:
            return reader.text(racing.title)
    return reader.text(node.title) or step_key


def _form_title(reader: Reader, what: str) -> str:
    """`checkin.appointment` -> what the form is called."""
    key = what.partition(".")[0]
    form = forms(reader.session)(key)
    return reader.text(form.title) if form is not None else key


def open_incidents(reader: Reader, instance: Any) -> list[dict[str, str]]:
    """Automatic steps that failed and wait for somebody."""
    graph = flow(reader.session, instance.flow_key, instance.flow_version)
    query = select(incidents).where(
        incidents.c.instance_id == instance.id, incidents.c.closed_at.is_(None)
    )
    found = []
    for row in reader.session.execute(query):
        words = reader.say(f"problem.{row.code}", **row.params)
        title = _title(reader, graph, row.step_key.partition("/")[0])
        at = local(row.opened_at)
        found.append({"id": str(row.id), "step": title, "words": words, "at": at})
    return found
