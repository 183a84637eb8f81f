"""Every address a GET route has, in a world with planted values: made from the route map itself.

A route argument that nobody has told how to fill is an error, so that a new route is asked too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

import make
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.definitions.publish import publish_document
from careloom.platform.exports.model import Export, State, Way
from careloom.platform.exports.question import Question
from careloom.platform.identity import access_tokens, grants
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.units import add_unit
from careloom.platform.records.narrow import Condition
from careloom.platform.store.database import Database
from careloom.platform.store.session import moment, new_id
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import Settings
from careloom.runtime.channels.connections import Wanted, set_connection
from careloom.runtime.channels.model import calls
from careloom.runtime.flows.start import start
from careloom.runtime.tasks.model import tasks
from careloom.runtime.work.dispatch import drain

from .planted import GUARDED, World, plant

#: what lets the asker into every room that is not about records
ROOMS = make.role(
    "rooms",
    {},
    [
        *("people.read", "people.write", "units.write", "trail.read", "packs.read"),
        *("definitions.read", "definitions.write", "flows.read", "connections.write"),
        *("reports.read:*", "dashboards.read:*"),
    ],
)
FLOW = {
    "format": 1,
    "key": "look",
    "title": "Look",
    "subject": "secret",
    "start": {"on": "record:submitted", "when": "false"},
    "steps": [
        {"key": "told", "kind": "notify", "text": "Look", "who": [{"key": "all", "role": "rooms"}]},
        {
            "key": "seen",
            "kind": "task",
            "title": "See",
            "who": {"role": "rooms"},
            "outcomes": [{"key": "yes", "title": "Yes"}],
        },
        {"key": "end", "kind": "end"},
    ],
}
#: Another system is told of everything: the body is its reader's, the run's page only theirs who
#: may read the fields.
SHOUT = {
    "format": 1,
    "key": "shout",
    "title": "Shout",
    "subject": "secret",
    "start": {"on": "record:submitted", "when": "false"},
    "steps": [
        {
            "key": "told",
            "kind": "call",
            "title": "Told",
            "connection": "far",
            "body": {
                **{key: key for key in GUARDED},
                "inner": {"loud": "loud", "both": "CONCAT(name, mobile)", "this": "this"},
                "found": 'LOOKUP("secret", state = "open", name)',
            },
        },
        {"key": "end", "kind": "end"},
    ],
}
DASHBOARD = {
    "format": 1,
    "key": "board",
    "title": "Board",
    "items": [{"key": "one", "report": "by_name", "width": 12}],
}


class Unknown(AssertionError):
    """A route has an argument that the proof does not know how to fill."""


@dataclass(frozen=True)
class Asked:
    """The world, served; `me` is the only asker. rows: the records asked for one by one."""

    world: World
    app: Flask
    token: Mapping[str, str]
    rows: tuple[int, ...]
    arguments: Mapping[str, tuple[str, ...]]

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Endpoint and address of every GET route, each with every value its arguments have."""
        for rule in self.app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()):
                continue
            names = sorted(rule.arguments)
            if unknown := [name for name in names if name not in self.arguments]:
                raise Unknown(f"{rule.rule}: how is {unknown} filled? See arguments_of().")
            for values in product(*(self.arguments[name] for name in names)):
                with self.app.test_request_context():
                    path = self.app.url_for(rule.endpoint, **dict(zip(names, values, strict=True)))
                for query in QUERIES.get(rule.endpoint, ("",)):
                    yield rule.endpoint, path + query

    def get(self, path: str) -> Any:
        return self.app.test_client().get(path, headers=self.token)


#: further ways of asking, where the bare address shows only a part
QUERIES: dict[str, tuple[str, ...]] = {
    "runtime.record_lists.table": (
        "",
        "?" + "&".join(f"c={key}" for key in (*GUARDED, "loud")),
        "?as=board&by=grade",
        "?as=calendar&on=day&day=1987-03-17",
        "?q=Quill",
        "?sort=amount",
    ),
    "runtime.records.offer": ("?q=Quill", "?q="),
    "runtime.records_api.list_form": ("", "?q=Quill&sort=-amount"),
    "runtime.record_lists.export": ("?file=csv",),
    "export_api.export": ("?format=csv",),
    "runtime.exports.ask": ("?file=csv", "?w.secret={row}&q=Quill"),
    "trail.trail": ("", "?what=views"),
    "roles_api.why": ("?form=secret&record={row}",),
    "roles.why": ("?form=secret&record={row}",),
}


def served(database: Database, settings: Settings) -> Asked:
    """The planted world with a flow at every record, a dashboard, and the asker's token."""
    app = create_app(database, settings)
    world = plant(database)

    def more(session: Session) -> None:
        for kind, document in (("role", ROOMS), ("flow", FLOW), ("flow", SHOUT)):
            publish_document(session, SYSTEM, kind, document)
        publish_document(session, SYSTEM, "dashboard", DASHBOARD)
        far = Wanted({"en": "Far"}, "https://far.example.com/")
        set_connection(session, SYSTEM, settings.outbound, "far", far)
        grants.give(session, SYSTEM, world.me, "rooms", world.at["G"])
        add_unit(session, SYSTEM, "X", "Elsewhere", "branch", world.at["R"])

    database.write(more)
    asked = database.write(lambda session: asked_for(session, world))
    for row in world.rows:
        for flow in ("look", "shout"):
            database.write(lambda s, at=row.id, f=flow: start(s, SYSTEM, f, record_id=at))  # type: ignore[misc]
    drain(database)
    token = database.write(lambda s: access_tokens.issue(s, SYSTEM, world.me, "proof")[1])
    rows = tuple(row.id for row in world.rows[::4])
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    return Asked(world, app, headers, rows, arguments_of(database, world, rows, asked))


def asked_for(session: Session, world: World) -> int:
    """An export of what points to each row, asked for by `me`: its page says which rows."""
    rows = [str(row.id) for row in world.rows]
    question = Question("pointer", "csv", conditions=(Condition("secret", "is", tuple(rows)),))
    row = Export(
        id=new_id(session),
        form="pointer",
        kind="csv",
        way=Way.ASKED,
        state=State.ALLOWED,
        person_id=world.me,
        unit_id=world.at["B1"],
        asked_at=moment(session),
        until=moment(session) + timedelta(days=1),
        question=question.stored(),
        columns={"name": "read"},
        counted=1,
        most=21,
        reason="proof",
        words="",
    )
    session.add(row)
    return row.id


def arguments_of(
    database: Database, world: World, rows: tuple[int, ...], asked: int
) -> dict[str, tuple[str, ...]]:
    """Argument of a route -> what it is filled with."""
    with database.read() as session:
        open_tasks = session.execute(select(tasks.c.id, tasks.c.instance_id)).all()
        called = session.scalars(select(calls.c.instance_id)).all()
    texts = tuple(str(row) for row in rows)
    forms = ("secret", "pointer")
    return {
        "form": forms,
        "form_key": forms,
        "record_id": texts,
        "task_id": tuple(str(row.id) for row in open_tasks[::4]),
        "instance_id": (
            *(str(row.instance_id) for row in open_tasks[::4]),
            *(str(one) for one in called[::4]),
        ),
        "export_id": (str(asked),),
        "person_id": (str(world.me),),
        "unit_id": (str(world.at["B1"]),),
        "role": ("all_read",),
        "kind": ("form",),
        "key": ("secret", "look", "board", "by_name", "by_grade", "far", "printed"),
        "file_id": ("0" * 32,),
        "token": ("0" * 32,),
        "filename": ("x.js",),
    }
