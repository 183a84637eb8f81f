"""A small clinic for the runtime's tests: two branches, their people, three forms, one flow."""

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import careloom.platform.records.kinds  # noqa: F401
from careloom.platform.definitions.kinds import register
from careloom.platform.definitions.publish import publish_document
from careloom.platform.events.log import subscribe
from careloom.platform.identity.actor import SYSTEM, Actor, actor_of
from careloom.platform.identity.grants import give
from careloom.platform.identity.people import add_person
from careloom.platform.identity.units import add_unit
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get
from careloom.platform.records.submit import change, submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.runtime.flows.check import FLOW
from careloom.runtime.flows.complete import complete
from careloom.runtime.flows.follow import wants
from careloom.runtime.flows.soundness import flows_are_sound
from careloom.runtime.tasks.worklist import TaskRow, worklist
from careloom.runtime.work.dispatch import CONSUMER, EVENTS, drain

Document = dict[str, Any]

EVERY_DAY = {day: [["09:00", "21:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
CALENDAR: Document = {
    "format": 1,
    "key": "contact_centre",
    "title": "Contact centre",
    "hours": EVERY_DAY,
}


def text(title: str, **more: Any) -> Document:
    return {"type": "string", "x-widget": "text", "x-title": title, **more}


def choice(title: str, *keys: str, **more: Any) -> Document:
    items = [{"key": key, "title": key.title()} for key in keys]
    options = {"source": "fixed", "items": items}
    return {
        "type": "string",
        "x-widget": "choice",
        "x-title": title,
        "x-options": options,
        **more,
    }


def link(title: str, form: str) -> Document:
    options = {"source": "form", "form": form}
    return {"type": "string", "x-widget": "link", "x-title": title, "x-options": options}


def form(key: str, properties: Document, **more: Any) -> Document:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "format": 1,
        "key": key,
        "x-title": key.replace("_", " ").title(),
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "x-layout": [{"key": "all", "fields": list(properties)}],
        **more,
    }


CUSTOMER = form(
    "customer",
    {
        "name": text("Customer name"),
        "mobile": text("Customer mobile", **{"x-column": {"index": True}}),
    },
    **{"x-label": "name"},
)
LEAD = form(
    "lead",
    {
        "name": text("Name"),
        "mobile": text("Mobile"),
        "status": choice("Status", "new", "won", "closed"),
        "urgent": {"type": "boolean", "x-widget": "yesno", "x-title": "Urgent"},
        "owner": {"type": "string", "x-widget": "person", "x-title": "Owner"},
        "assigned_at": {"type": "string", "x-widget": "datetime", "x-title": "Assigned at"},
        "contacted_at": {"type": "string", "x-widget": "datetime", "x-title": "Contacted at"},
        "visit_at": {"type": "string", "x-widget": "datetime", "x-title": "Visit at"},
        "clinic": {"type": "string", "x-widget": "unit", "x-title": "Clinic"},
        "customer": link("Customer", "customer"),
    },
    required=["name"],
    **{"x-label": "name", "x-owner": "owner", "x-unit": "clinic"},
)
CALL = form(
    "call",
    {
        "lead": link("Lead", "lead"),
        "customer": link("Customer", "customer"),
        "result": choice("Result", "answered", "no_answer"),
        "note": text("Note"),
    },
    required=["lead", "result"],
    **{"x-label": "note"},
)
FORMS = (CUSTOMER, LEAD, CALL)

EVERYTHING = ["read", "create", "change"]
ROLES: dict[str, Document] = {
    "agent": {
        "customer": [{"key": "all", "actions": ["read"], "scope": "branch"}],
        "lead": [
            {"key": "own", "actions": ["read", "change"], "scope": "own"},
            {
                "key": "pool",
                "actions": ["read"],
                "scope": "unowned",
                "fields": {"mobile": "masked"},
            },
        ],
        "call": [{"key": "own", "actions": EVERYTHING, "scope": "own"}],
    },
    "supervisor": {
        key: [{"key": "branch", "actions": EVERYTHING, "scope": "branch"}]
        for key in ("customer", "lead", "call")
    },
    "manager": {
        key: [{"key": "subtree", "actions": ["read"], "scope": "subtree"}]
        for key in ("customer", "lead", "call")
    },
}
RIGHTS = {
    "supervisor": ["flows.read", "tasks.assign"],
    "manager": ["flows.read", "flows.write", "flows.start"],
}

DEDUPE: Document = {
    "key": "dedupe",
    "kind": "action",
    "do": [
        {
            "key": "same",
            "action": "find",
            "form": "customer",
            "where": {"mobile": "mobile", "name": "name"},
        },
        {
            "key": "made",
            "action": "create",
            "when": "ISBLANK(same)",
            "form": "customer",
            "values": {"name": "name", "mobile": "mobile"},
        },
        {"key": "linked", "action": "set", "values": {"customer": "IFBLANK(same, made)"}},
    ],
}
ASSIGN: Document = {
    "key": "assign",
    "kind": "action",
    "do": [
        {
            "key": "pick",
            "action": "assign",
            "role": "agent",
            "field": "owner",
            "at": "assigned_at",
            "open": 'status = "new"',
            "daily": 40,
        }
    ],
}
FIRST_CALL: Document = {
    "key": "first_call",
    "kind": "task",
    "title": {"zh-CN": "首次电话", "en": "First call"},
    "form": "call",
    "calendar": "contact_centre",
    "who": {"field": "owner", "otherwise": {"role": "supervisor"}},
    "prefill": {"lead": "this", "customer": "customer"},
    "due": "15m",
    "limits": [
        {"key": "remind", "after": "10m", "do": "remind"},
        {"key": "late", "after": "15m", "do": "escalate", "to": {"role": "supervisor"}},
        {"key": "later", "after": "30m", "do": "escalate", "to": {"role": "manager"}},
    ],
    "then": [
        {
            "key": "touched",
            "action": "set",
            "when": 'first_call.result = "answered"',
            "values": {"contacted_at": "NOW()"},
        }
    ],
}
FLOW_DOCUMENT: Document = {
    "format": 1,
    "key": "follow_up",
    "title": {"zh-CN": "跟进", "en": "Follow up"},
    "subject": "lead",
    "start": {"on": "record:submitted", "when": 'status = "new"'},
    "steps": [
        DEDUPE,
        ASSIGN,
        FIRST_CALL,
        {
            "key": "answered",
            "kind": "branch",
            "cases": [
                {
                    "key": "no",
                    "when": 'first_call.result <> "answered"',
                    "steps": [
                        {"key": "pause", "kind": "wait", "for": "2h"},
                        {"key": "again", "kind": "go_to", "to": "first_call", "visits": 2},
                        {
                            "key": "close",
                            "kind": "action",
                            "do": [
                                {
                                    "key": "closed",
                                    "action": "set",
                                    "values": {"status": '"closed"'},
                                }
                            ],
                        },
                        {"key": "given_up", "kind": "end"},
                    ],
                },
                {"key": "yes", "steps": []},
            ],
        },
        {
            "key": "invite",
            "kind": "task",
            "title": "Invite",
            "who": {"field": "owner", "otherwise": {"role": "supervisor"}},
            "outcomes": [{"key": "booked", "title": "Booked"}, {"key": "lost", "title": "Lost"}],
        },
        {"key": "end", "kind": "end"},
    ],
}


def flow_of(*steps: Document, **more: Any) -> Document:
    """The clinic's flow with other steps."""
    return {**deepcopy(FLOW_DOCUMENT), "steps": list(steps), **more}


@dataclass
class Clinic:
    """A database with the clinic in it. people: login -> id; units: code -> id."""

    database: Database
    units: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)

    def actor(self, login: str) -> Actor:
        with self.database.read() as session:
            return actor_of(session, self.people[login])

    def publish(self, kind: str, document: Document) -> int:
        return self.database.write(
            lambda session: publish_document(session, SYSTEM, kind, document).version
        )

    def lead(self, name: str = "李雷", **values: Any) -> int:
        """Submit a lead of branch one, and leave what follows to the worker."""
        given = {"name": name, "mobile": "13800000000", "status": "new", **values}
        given.setdefault("clinic", str(self.units["one"]))
        return self.database.write(lambda session: submit(session, SYSTEM, "lead", given).id)

    def started(self, name: str = "李雷", **values: Any) -> int:
        """Submit a lead and let the worker work; the lead's id."""
        lead_id = self.lead(name, **values)
        drain(self.database)
        return lead_id


def plug_in() -> None:
    """Make flows known to this process, as the runtime's area does."""
    register(FLOW)
    subscribe(CONSUMER, EVENTS, wants)


def clinic_in(database: Database) -> Clinic:
    """Set the clinic up in an empty database."""
    plug_in()
    clinic = Clinic(database)
    database.write(lambda session: _organise(session, clinic))
    database.write(lambda session: _define(session))
    database.write(lambda session: _employ(session, clinic))
    return clinic


def _organise(session: Session, clinic: Clinic) -> None:
    group = add_unit(session, SYSTEM, "group", "Group", "group", None, "Asia/Shanghai")
    clinic.units["group"] = group.id
    for code in ("one", "two"):
        place = add_unit(session, SYSTEM, code, code.title(), "branch", group.id)
        clinic.units[code] = place.id


def _define(session: Session) -> None:
    publish_document(session, SYSTEM, "calendar", CALENDAR)
    for document in FORMS:
        publish_document(session, SYSTEM, "form", document)
    for key, rules in ROLES.items():
        role = {
            "format": 1,
            "key": key,
            "title": key.title(),
            "rights": RIGHTS.get(key, []),
            "forms": rules,
        }
        publish_document(session, SYSTEM, "role", role)
    publish_document(session, SYSTEM, "flow", FLOW_DOCUMENT)


def _employ(session: Session, clinic: Clinic) -> None:
    for login, role, unit in [
        ("ann", "agent", "one"),
        ("bob", "agent", "one"),
        ("sue", "supervisor", "one"),
        ("max", "manager", "group"),
        ("zoe", "agent", "two"),
        ("sid", "supervisor", "two"),
    ]:
        unit_id = clinic.units[unit]
        person = add_person(session, SYSTEM, login, login.title(), unit_id)
        clinic.people[login] = person.id
        give(session, SYSTEM, person.id, role, unit_id)


def listed(clinic: Clinic, login: str) -> list[TaskRow]:
    actor = clinic.actor(login)
    with clinic.database.read() as session:
        return worklist(session, actor).items


def done(
    clinic: Clinic, login: str, task_id: int, outcome: str | None = None, **values: Any
) -> Any:
    actor = clinic.actor(login)
    return clinic.database.write(lambda session: complete(session, actor, task_id, values, outcome))


def rows(clinic: Clinic, kind: type[Any]) -> list[Any]:
    with clinic.database.read() as session:
        return list(session.scalars(select(kind).order_by(kind.id)))


def changed(clinic: Clinic, lead_id: int, **values: Any) -> None:
    """A lead is changed, and what follows from it is done."""
    clinic.database.write(lambda session: change(session, SYSTEM, "lead", lead_id, values))
    drain(clinic.database)


def lead_values(clinic: Clinic, lead_id: int) -> dict[str, Any]:
    with clinic.database.read() as session:
        return dict(get(session, SYSTEM, "lead", lead_id).values)


def turn(clinic: Clinic, clock: TurnedClock, by: timedelta) -> int:
    clock.turn(by)
    return drain(clinic.database)


def sound(clinic: Clinic) -> bool:
    with clinic.database.read() as session:
        found = [*violations(session), *flows_are_sound(session)]
    assert found == []
    return True


def soon(holds: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether it comes true while one waits."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False
