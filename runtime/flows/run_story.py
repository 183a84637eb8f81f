"""An instance as it went, in words: the steps it took, who did what, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from ...platform.web.context import local
from ..forms.show import Reader
from ..forms.story import Line, names_of
from ..steps.graph import Graph, TaskStep
from ..tasks.model import TaskState, tasks
from .load import flow
from .model import InstanceState, incidents, instances, steps_taken, waits


def instance_row(reader: Reader, instance_id: int) -> Any:
    """The instance's row, or None."""
    query = select(instances).where(instances.c.id == instance_id)
    return reader.session.execute(query).one_or_none()


def trail(reader: Reader, instance: Any) -> list[Line]:
    """What happened, oldest first: steps as they were entered, each task with who finished it."""
    graph = flow(reader.session, instance.flow_key, instance.flow_version)
    done = _tasks(reader, instance.id)
    people = names_of(reader.session, {row.closed_by for rows in done.values() for row in rows})
    lines = [Line(reader.say("page.instance.started"), local(instance.started_at))]
    query = (
        select(steps_taken)
        .where(steps_taken.c.instance_id == instance.id)
        .order_by(steps_taken.c.id)
    )
    for taken in reader.session.execute(query):
        node = graph.nodes.get(taken.step_key)
        if node is None or node.kind in ("branch", "go_to", "end"):
            continue  # roads, not places: people ask what was done
        title = reader.text(node.title) or taken.step_key
        task = done.get(taken.step_key, [None]).pop(0) if done.get(taken.step_key) else None
        lines.append(_line(reader, graph, title, taken, task, people))
    if instance.state in (InstanceState.ENDED, InstanceState.CANCELLED):
        words = reader.say(f"page.instance.state.{instance.state}")
        lines.append(Line(words, local(instance.ended_at) if instance.ended_at else ""))
    return lines


def _tasks(reader: Reader, instance_id: int) -> dict[str, list[Any]]:
    query = select(tasks).where(tasks.c.instance_id == instance_id).order_by(tasks.c.id)
    found: dict[str, list[Any]] = {}
    for row in reader.session.execute(query):
        found.setdefault(row.step_key, []).append(row)
    return found


def _line(
    reader: Reader,
    graph: Graph,
    title: str,
    taken: Any,
    task: Any,
    people: Mapping[int | None, str],
) -> Line:
    if task is None:
        return Line(title, local(taken.at))
    if task.state == TaskState.OPEN:
        return Line(title, local(taken.at), reader.say("page.instance.now"), state="open")
    if task.state == TaskState.CANCELLED:
        return Line(title, local(task.closed_at), reader.say("page.instance.dropped"))
    detail = people.get(task.closed_by) or ""
    if task.outcome:
        detail = f"{outcome_words(reader, graph, task.step_key, task.outcome)} · {detail}"
    return Line(title, local(task.closed_at), detail)


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
    query = select(waits).where(waits.c.instance_id == instance.id).order_by(waits.c.until)
    found = []
    for row in reader.session.execute(query):
        node = graph.nodes.get(row.step_key)
        title = reader.text(node.title) if node is not None else row.step_key
        found.append(
            reader.say("page.instance.wait", step=title or row.step_key, at=local(row.until))
        )
    return found


def open_incidents(reader: Reader, instance: Any) -> list[dict[str, str]]:
    """Automatic steps that failed and wait for somebody."""
    graph = flow(reader.session, instance.flow_key, instance.flow_version)
    query = select(incidents).where(
        incidents.c.instance_id == instance.id, incidents.c.closed_at.is_(None)
    )
    found = []
    for row in reader.session.execute(query):
        node = graph.nodes.get(row.step_key)
        title = reader.text(node.title) if node is not None else row.step_key
        words = reader.say(f"problem.{row.code}", **row.params)
        found.append({"step": title or row.step_key, "words": words, "at": local(row.opened_at)})
    return found
