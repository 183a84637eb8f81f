"""Tasks and instances as JSON, with the schemas the API promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from ...platform.definitions.form import Form
from ...platform.events.model import Event
from ...platform.web.shapes import (
    ID,
    KEY,
    LABEL,
    MAYBE_ID,
    MAYBE_MOMENT,
    MOMENT,
    id_text,
    stamp,
    thing,
)
from ..tasks.worklist import TaskRow
from .read import InstanceView, TaskView

_MAYBE_KEY = {"type": ["string", "null"]}
_MAYBE_TEXT = {"type": ["string", "null"]}
_OPEN = {"type": "object"}
_LINES = {"type": "array", "items": _OPEN}
_RIGHTS = {
    "type": "object",
    "additionalProperties": {"enum": ["hidden", "masked", "read", "write"]},
}

TASK_LINE = thing(
    {
        "id": ID,
        "title": LABEL,
        "flow": KEY,
        "step": KEY,
        "instance": ID,
        "form": _MAYBE_KEY,
        "subject": thing({"form": KEY, "id": ID, "label": _MAYBE_TEXT}),
        "unit": MAYBE_ID,
        "state": {"enum": ["open", "done", "cancelled"]},
        "offered_at": MOMENT,
        "due_at": MAYBE_MOMENT,
        "overdue": {"type": "boolean"},
        "reminded_at": MAYBE_MOMENT,
        "escalated_at": MAYBE_MOMENT,
        "holder": {"type": ["object", "null"]},
        "delegated_by": MAYBE_ID,
        "how": {"enum": ["offered", "escalated", "reassigned", "delegated"]},
        "closed_at": MAYBE_MOMENT,
        "outcome": _MAYBE_KEY,
    }
)
TASK = thing(
    {
        **TASK_LINE["properties"],
        "help": {},
        "values": _OPEN,
        "rights": _RIGHTS,
        "outcomes": {
            "type": "array",
            "items": thing(
                {
                    "key": KEY,
                    "title": LABEL,
                    "form": {"type": "boolean"},
                    "comment": {"type": "boolean"},
                }
            ),
        },
        "approval": {"type": "boolean"},
        "about": {"type": ["object", "null"]},
        "may_complete": {"type": "boolean"},
        "notes": _LINES,
    }
)
INSTANCE_LINE = thing(
    {
        "id": ID,
        "flow": KEY,
        "version": {"type": "integer", "minimum": 1},
        "subject": thing({"form": KEY, "id": ID}),
        "unit": MAYBE_ID,
        "state": {"enum": ["running", "suspended", "ended", "cancelled"]},
        "started_at": MOMENT,
        "started_by": MAYBE_ID,
        "ended_at": MAYBE_MOMENT,
        "result": _MAYBE_KEY,
        "parent": MAYBE_ID,
    }
)
INSTANCE = thing(
    {
        **INSTANCE_LINE["properties"],
        "tokens": _LINES,
        "waits": _LINES,
        "tasks": _LINES,
        "steps": _LINES,
        "events": _LINES,
        "incidents": _LINES,
        "notes": _LINES,
    }
)


MESSAGE = thing(
    {
        "id": ID,
        "text": LABEL,
        "subject": thing({"form": KEY, "id": ID}),
        "instance": ID,
        "sent_at": MAYBE_MOMENT,
        "read_at": MAYBE_MOMENT,
    }
)


def message(row: Row[Any]) -> dict[str, Any]:
    """A message as one of its readers has it."""
    return {
        "id": str(row.id),
        "text": row.text,
        "subject": {"form": row.subject_form, "id": str(row.subject_id)},
        "instance": str(row.instance_id),
        "sent_at": stamp(row.sent_at),
        "read_at": stamp(row.read_at),
    }


def task_line(row: TaskRow) -> dict[str, Any]:
    """A task on a list."""
    holder = None
    if row.holder_id is not None:
        holder = {"id": str(row.holder_id), "name": row.holder}
    return {
        "id": str(row.id),
        "title": row.title,
        "flow": row.flow_key,
        "step": row.step_key,
        "instance": str(row.instance_id),
        "form": row.form_key,
        "subject": {"form": row.subject_form, "id": str(row.subject_id), "label": row.label},
        "unit": id_text(row.unit_id),
        "state": row.state,
        "offered_at": stamp(row.offered_at),
        "due_at": stamp(row.due_at),
        "overdue": row.overdue,
        "reminded_at": stamp(row.reminded_at),
        "escalated_at": stamp(row.escalated_at),
        "holder": holder,
        "delegated_by": id_text(row.principal_id),
        "how": row.how,
        "closed_at": stamp(row.closed_at),
        "outcome": row.outcome,
    }


def task(view: TaskView) -> dict[str, Any]:
    """A task with what its page needs."""
    return {
        **task_line(view.task),
        "help": view.help,
        "values": view.values,
        "rights": _told(view.rights),
        "outcomes": [
            {"key": one.key, "title": one.title, "form": one.form, "comment": one.comment}
            for one in view.outcomes
        ],
        "approval": view.approval,
        "about": _about(view),
        "may_complete": view.may_complete,
        "notes": [_note(one) for one in view.notes],
    }


def kept_task(view: TaskView) -> dict[str, Any]:
    """What may be kept of it for a request that is sent again: encrypted fields are plain text
    nowhere in the database."""
    values = {} if view.form is None else _not_encrypted(view.form, view.values)
    about = None if view.about is None else _not_encrypted(view.about_form, view.about)
    return task(replace(view, values=values, about=about))


def _not_encrypted(form: Form, values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if not form.fields[key].encrypted}


def _about(view: TaskView) -> dict[str, Any] | None:
    if view.about is None:
        return None
    return {
        "form": view.about_form.key,
        "values": view.about,
        "rights": _told(view.about_rights),
    }


def _told(rights: dict[str, str]) -> dict[str, str]:
    """Of hidden fields not even the names are told."""
    return {key: right for key, right in rights.items() if right != "hidden"}


def instance_line(row: Row[Any]) -> dict[str, Any]:
    """An instance on a list."""
    return {
        "id": str(row.id),
        "flow": row.flow_key,
        "version": row.flow_version,
        "subject": {"form": row.subject_form, "id": str(row.subject_id)},
        "unit": id_text(row.unit_id),
        "state": row.state,
        "started_at": stamp(row.started_at),
        "started_by": id_text(row.started_by),
        "ended_at": stamp(row.ended_at),
        "result": row.result,
        "parent": id_text(row.parent_id),
    }


def instance(view: InstanceView) -> dict[str, Any]:
    """An instance and all that belongs to it."""
    return {
        **instance_line(view.row),
        "tokens": [_token(one) for one in view.tokens],
        "waits": [
            {
                "step": one["step_key"],
                "arm": one["arm"],
                "kind": one["kind"],
                "what": one["what"],
                "until": stamp(one["until"]),
                "since": stamp(one["since"]),
            }
            for one in view.waits
        ],
        "tasks": [_task(one) for one in view.tasks],
        "steps": [
            {"step": one["step_key"], "at": stamp(one["at"]), "case": one["case_key"]}
            for one in view.steps
        ],
        "events": [_event(one) for one in view.events],
        "incidents": [_incident(one) for one in view.incidents],
        "notes": [_note(one) for one in view.notes],
    }


def _token(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "step": row["step_key"],
        "state": row["state"],
        "since": stamp(row["since"]),
    }


def _task(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "step": row["step_key"],
        "title": row["title"],
        "state": row["state"],
        "offered_at": stamp(row["offered_at"]),
        "due_at": stamp(row["due_at"]),
        "holder": id_text(row["holder_id"]),
        "delegated_by": id_text(row["principal_id"]),
        "closed_at": stamp(row["closed_at"]),
        "closed_by": id_text(row["closed_by"]),
        "outcome": row["outcome"],
        "record": id_text(row["record_id"]),
        "comment": row["comment"],
    }


def _note(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "task": str(row.task_id),
        "kind": row.kind,
        "by": id_text(row.person_id),
        "to": id_text(row.to_id),
        "at": stamp(row.at),
        "text": row.text,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "name": event.name,
        "at": stamp(event.at),
        "by": id_text(event.actor_id),
        "data": event.data,
    }


def _incident(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "step": row["step_key"],
        "code": row["code"],
        "params": row["params"],
        "opened_at": stamp(row["opened_at"]),
        "closed_at": stamp(row["closed_at"]),
        "closed_how": row["closed_how"],
    }
