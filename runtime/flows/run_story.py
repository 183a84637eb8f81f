"""An instance as it went, in words: the steps it took, who did what, where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from ...platform.definitions.form_scope import published_forms
from ...platform.identity.people import names_of
from ...platform.store.errors import Problem
from ...platform.web.context import local
from ...platform.web.parts import Line
from ...platform.web.titles import title_of
from ..forms.show import Reader, troubles
from ..steps.graph import RETURNED, CallStep, EndStep, Graph, RaceStep, TaskStep
from ..tasks.hand_over import notes_of
from ..tasks.model import TaskState, tasks
from .control import TIMER
from .load import flow
from .model import InstanceState, incidents, instances, steps_taken, waits
from .shape import THEN


def instance_row(reader: Reader, instance_id: int) -> Any:
    """The instance's row, or None."""
    query = select(instances).where(instances.c.id == instance_id)
    return reader.session.execute(query).one_or_none()


ROADS = ("branch", "go_to", "end", "repeat", "again", "race")
"""Kinds of step that are roads, not places: people ask what was done."""


def result_words(reader: Reader, graph: Graph, result: str | None) -> str:
    """How it came out, as the end that was reached is called; empty when it has no title."""
    for node in graph.nodes.values():
        if isinstance(node.step, EndStep) and result and node.step.result == result:
            return reader.text(node.title) if node.title != node.key else ""
    return ""


def trail(reader: Reader, instance: Any) -> list[Line]:
    """What happened, oldest first: steps as they were entered, each task with who finished it.

    What a task's step does after it is part of the task, and a line of its own only when stuck.
    """
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
    stuck = {row.step_key for row in _incidents(reader, instance)}
    for taken in reader.session.execute(query):
        node = graph.nodes.get(taken.step_key)
        if node is None or node.kind in (*ROADS, "task", "approve"):
            continue
        if taken.step_key in stuck or not taken.step_key.endswith(THEN):
            title = reader.text(node.title) or taken.step_key
            state = "bad" if taken.step_key in stuck else ""
            lines.append((taken.id, Line(title, local(taken.at), state=state)))
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
    reader: Reader, graph: Graph, title: str, task: Any, people: Mapping[int, str]
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
    if outcome == RETURNED:
        return reader.say("page.task.returned")
    node = graph.nodes.get(step_key)
    step = node.step if node is not None else None
    if isinstance(step, TaskStep):
        for one in step.outcomes:
            if one.key == outcome:
                return reader.text(one.title)
    if isinstance(step, RaceStep):
        return _title(reader, graph, step_key, outcome)
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
        what = row.what or ""
        if row.kind == "record":  # `checkin.appointment`: the form, and its link to the record
            form = what.partition(".")[0]
            what = title_of(reader.session, "form", form, reader.language)
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


def _incidents(reader: Reader, instance: Any) -> Sequence[Any]:
    query = select(incidents).where(
        incidents.c.instance_id == instance.id, incidents.c.closed_at.is_(None)
    )
    return reader.session.execute(query).all()


def open_incidents(reader: Reader, instance: Any) -> list[dict[str, Any]]:
    """Automatic steps that failed and wait for somebody; problems: what exactly is wrong, as far as
    the record the run is about has such fields."""
    graph = flow(reader.session, instance.flow_key, instance.flow_version)
    form = published_forms(reader.session)(instance.subject_form)
    found = []
    for row in _incidents(reader, instance):
        problems = [Problem(**one) for one in row.params.get("problems", ())]
        found.append(
            {
                "id": str(row.id),
                "step": _title(reader, graph, row.step_key.partition("/")[0]),
                "words": reader.say(f"problem.{row.code}", **row.params),
                "at": local(row.opened_at),
                "skips": isinstance(graph.nodes[row.step_key].step, CallStep)
                if row.step_key in graph.nodes and row.code != TIMER
                else False,
                "problems": troubles(reader, form, problems),
            }
        )
    return found
