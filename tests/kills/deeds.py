"""What is crashed at every point: one deed each of those that people are told the end of.

Each is `deed(app, given)`, done in a process of its own; done again after a crash, it must end
as if nothing had happened.
"""

import json
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM, actor_of
from careloom.platform.outbound.addresses import read_allowed
from careloom.platform.outbound.client import Client
from careloom.platform.packs.apply import apply_pack
from careloom.platform.packs.read import Pack
from careloom.platform.records.bring import bring, read_rows
from careloom.platform.records.sheet import read_sheet
from careloom.platform.records.submit import submit
from careloom.platform.store import database
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.upgrade import upgrade
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.work.calling import send_due
from careloom.runtime.work.worker import work_once

from .acknowledged import lead_written
from .crash_points import arm

Given = Mapping[str, Any]


def over_http(app: Flask, given: Given) -> None:
    """A request under an Idempotency-Key, as a program sends it: submit, claim, complete."""
    headers = {"Authorization": f"Bearer {given['token']}", "Idempotency-Key": given["key"]}
    answer = app.test_client().post(given["path"], json=given["body"], headers=headers)
    assert answer.status_code in (200, 201), answer.text


def publish(app: Flask, given: Given) -> None:
    """A new version of a form, with a column more."""
    _database(app).write(
        lambda session: publish_document(session, SYSTEM, given["kind"], given["document"])
    )


def apply(app: Flask, given: Given) -> None:
    """A pack of several objects, all at once."""
    objects = {(kind, document["key"]): document for kind, document in given["objects"]}
    manifest = {"format": 1, "key": given["key"], "title": given["key"], "version": "1.0.0"}
    pack = Pack(given["key"], "1.0.0", manifest, objects)
    _database(app).write(lambda session: apply_pack(session, SYSTEM, pack))


def import_file(app: Flask, given: Given) -> None:
    """A file of several chunks."""
    base = _database(app)
    sheet = read_sheet("guests.csv", given["file"])
    with base.read() as session:
        reading = read_rows(session, SYSTEM, given["form"], sheet, unit_id=given["unit"])
    assert not reading.problems, reading.problems
    bring(base, SYSTEM, reading)


def work(app: Flask, given: Given) -> None:
    """What a worker finds due: flows to begin, timers to fire, the chain to go on."""
    work_once(_database(app))


def call(app: Flask, given: Given) -> None:
    """Another system is told, and the flow goes on with what it answered."""
    send_due(_database(app), Client(read_allowed(given["allowed"])))
    work_once(_database(app))


DEEDS: dict[str, Callable[[Flask, Given], None]] = {
    "http": over_http,
    "publish": publish,
    "apply": apply,
    "import": import_file,
    "work": work,
    "call": call,
}


@dataclass(frozen=True)
class Place:
    """A database, its folder, and what time it is there."""

    url: str
    home: Path
    now: datetime


def open_app(place: Place) -> Flask:
    """The application over it, on its clock."""
    base = open_database(place.url, place.home, TurnedClock(place.now))
    return create_app(base, settings_from({"CARELOOM_HOME": str(place.home)}))


def do(place: Place, name: str, given: Given, point: str = "", number: int = 0) -> None:
    """In a process of its own: the deed, up to the crash; else tell how many points it passed."""
    app = open_app(place)
    passed = arm(point, number)
    DEEDS[name](app, given)
    print("passed", json.dumps(vars(passed)), flush=True)


def stand_still(place: Place, name: str, given: Given, point: str, number: int) -> None:
    """The deed, stopped at a point until somebody lets the process go on; then to its end.

    What is told to give up soon does so, that a test need not wait as long as people would.
    """
    database.STOPPED = "1s"
    app = open_app(place)
    arm(point, number, signal.SIGSTOP)
    DEEDS[name](app, given)
    print("done", flush=True)


def write_leads(place: Place, person: int, name: str, leads: int) -> None:
    """In a process of its own: so many leads, each told as soon as it is written, and the longest
    that one of them took."""
    base = open_database(place.url, place.home, TurnedClock(place.now))
    longest = 0.0
    for number in range(leads):
        since, values = time.monotonic(), {"name": f"{name}-{number}"}
        lead_written(
            base.write(
                lambda session, values=values: (
                    submit(session, actor_of(session, person), "lead", values).id
                )
            )
        )
        longest = max(longest, time.monotonic() - since)
    print(f"longest {longest}", flush=True)


def _database(app: Flask) -> Database:
    found = app.extensions["careloom.database"]
    assert isinstance(found, Database)
    return found


def bring_up(url: str, point: str = "", number: int = 0) -> None:
    """In a process of its own: every revision for an empty database."""
    arm(point, number)
    upgrade(url)
