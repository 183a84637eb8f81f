"""What came of a rehearsal, as JSON: each run as the API tells runs, and around it who was asked,
what would be said and sent, which records there are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ...platform.definitions.published import entries
from ...platform.identity.actor import SYSTEM
from ...platform.identity.model import Person
from ...platform.records.lists import list_records
from ...platform.store.errors import NotUnderstood
from ...platform.web.shapes import ID, KEY, LABEL, MAYBE_ID, MAYBE_MOMENT, MOMENT, stamp, thing
from ...runtime.channels.calls import body_of
from ...runtime.channels.model import calls
from ...runtime.flows.model import instances, steps_taken
from ...runtime.flows.read import read_instance
from ...runtime.flows.shown import INSTANCE, instance
from ...runtime.stories.cast import Cast
from ...runtime.stories.deeds import next_due
from ...runtime.tasks.actors import staffed_by
from ...runtime.tasks.messages import readers_of
from ...runtime.tasks.model import TaskState, messages, task_actors, tasks

MOST_RECORDS, MOST_PEOPLE = 100, 50
"""Of each form; asked of each task."""

_LIST = {"type": "array", "items": {"type": "object"}}
_SOMEBODY = thing({"id": ID, "login": {"type": "string"}, "name": {"type": "string"}})
_PEOPLE = {"type": "array", "items": _SOMEBODY}
_ABOUT = thing({"form": KEY, "id": ID})
_STEP = {"type": "string"}


def _listed(required: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": thing(required)}


TOLD = {
    "now": MOMENT,
    "next": MAYBE_MOMENT,
    "done": {"type": "integer", "minimum": 0},
    "runs": {"type": "array", "items": INSTANCE},
    "why": _listed({"run": ID, "step": _STEP, "at": MOMENT, "read": _LIST}),
    "tasks": _listed(
        {
            "id": ID,
            "run": ID,
            "step": _STEP,
            "title": LABEL,
            "form": {"type": ["string", "null"]},
            "about": _ABOUT,
            "due_at": MAYBE_MOMENT,
            "holder": MAYBE_ID,
            "asked": _PEOPLE,
        }
    ),
    "messages": _listed(
        {
            "run": ID,
            "step": _STEP,
            "text": LABEL,
            "state": {"enum": ["scheduled", "passed", "sent", "dropped"]},
            "at": MAYBE_MOMENT,
            "to": _PEOPLE,
            "customer": {"anyOf": [_ABOUT, {"type": "null"}]},
        }
    ),
    "calls": _listed(
        {
            "run": ID,
            "step": _STEP,
            "connection": KEY,
            "state": _STEP,
            "body": {"type": "object"},
        }
    ),
    "records": _listed(
        {"form": KEY, "id": ID, "label": {"type": "string"}, "values": {"type": "object"}}
    ),
}
"""The schema of each part; `problems` is said beside them."""


def tell(cast: Cast, done: int) -> dict[str, Any]:
    """Everything there is on the scene. done: how many deeds of the walk were done."""
    next_at = next_due(cast)
    with cast.database.read() as session:
        people = _People(session)
        return {
            "now": stamp(cast.clock.now()),
            "next": stamp(next_at),
            "done": done,
            "runs": list(_runs(session)),
            "why": list(_why(session)),
            "tasks": list(_tasks(session, people)),
            "messages": list(_messages(session, people)),
            "calls": list(_calls(session)),
            "records": list(_records(session)),
        }


class _People:
    """Everybody by id, as a short line each."""

    def __init__(self, session: Session) -> None:
        rows = session.execute(select(Person.id, Person.login, Person.name))
        self._by_id = {row.id: (row.login, row.name) for row in rows}

    def named(self, numbers: Iterable[int]) -> list[dict[str, str]]:
        found = []
        for number in islice(numbers, MOST_PEOPLE):
            login, name = self._by_id[number]
            found.append({"id": str(number), "login": login, "name": name})
        return found


def _runs(session: Session) -> Iterator[dict[str, Any]]:
    for number in session.scalars(select(instances.c.id).order_by(instances.c.id)).all():
        yield instance(read_instance(session, SYSTEM, number))


def _why(session: Session) -> Iterator[dict[str, Any]]:
    """What each condition read on the way."""
    query = select(steps_taken).where(steps_taken.c.why.is_not(None)).order_by(steps_taken.c.id)
    for row in session.execute(query):
        if row.why:
            yield {
                "run": str(row.instance_id),
                "step": row.step_key,
                "at": stamp(row.at),
                "read": row.why,
            }


def _tasks(session: Session, people: _People) -> Iterator[dict[str, Any]]:
    query = select(tasks).where(tasks.c.state == TaskState.OPEN).order_by(tasks.c.id)
    for row in session.execute(query):
        yield {
            "id": str(row.id),
            "run": str(row.instance_id),
            "step": row.step_key,
            "title": row.title,
            "form": row.form_key,
            "about": _about(row.subject_form, row.subject_id),
            "due_at": stamp(row.due_at),
            "holder": None if row.holder_id is None else str(row.holder_id),
            "asked": people.named(asked(session, row.id)),
        }


def asked(session: Session, task_id: int) -> list[int]:
    """Who may take an open task, by id: who is named, and who holds a role that is."""
    query = select(task_actors).where(task_actors.c.task_id == task_id, task_actors.c.open)
    found: dict[int, None] = {}
    for row in session.execute(query.order_by(task_actors.c.id)):
        its = [row.person_id] if row.person_id else staffed_by(session, row.role_key, row.unit_id)
        found.update(dict.fromkeys(its))
    return list(found)


def doers(session: Session, task: Row[Any]) -> list[int]:
    """Who would do an open task, by id: who has it, else all who are asked."""
    return [task.holder_id] if task.holder_id is not None else asked(session, task.id)


def _messages(session: Session, people: _People) -> Iterator[dict[str, Any]]:
    rows = session.execute(select(messages).order_by(messages.c.id)).all()
    readers = readers_of(session, [row.id for row in rows])
    for row in rows:
        customer = None
        if row.customer_form is not None:
            customer = _about(row.customer_form, row.customer_id)
        yield {
            "run": str(row.instance_id),
            "step": row.step_key,
            "text": row.text,
            "state": row.state,
            "at": stamp(row.sent_at or row.due_at),
            "to": people.named(one.person_id for one in readers[row.id]),
            "customer": customer,
        }


def _calls(session: Session) -> Iterator[dict[str, Any]]:
    for row in session.execute(select(calls).order_by(calls.c.id)):
        yield {
            "run": str(row.instance_id),
            "step": row.step_key,
            "connection": row.connection_key,
            "state": row.state,
            "body": json.loads(body_of(session, row.body)),
        }


def _records(session: Session) -> Iterator[dict[str, Any]]:
    """Form by form, the newest first; a form that this version cannot read has none."""
    for entry in entries(session, "form"):
        try:
            found = list_records(session, SYSTEM, entry.key, limit=MOST_RECORDS).items
        except NotUnderstood:
            continue
        for one in found:
            yield {
                "form": entry.key,
                "id": str(one.id),
                "label": one.label,
                "values": one.json(),
            }


def _about(form: str, number: int) -> dict[str, str]:
    return {"form": form, "id": str(number)}
