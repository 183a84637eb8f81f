"""What may happen in a story, each through the door that people and programs take."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...platform.events.model import Handoff
from ...platform.identity.actor import SYSTEM
from ...platform.identity.tree import unit_by_code
from ...platform.outbound.addresses import Allowed
from ...platform.outbound.client import Answer
from ...platform.records import bring
from ...platform.records.lists import list_records
from ...platform.records.shape import shape_of
from ...platform.records.sheet import Sheet
from ...platform.records.submit import change, retire, submit
from ...platform.store import jobs
from ...platform.store.errors import Problem
from ..channels.connections import Wanted, set_connection
from ..channels.deliver import next_to_send
from ..flows.complete import complete
from ..flows.model import instances
from ..flows.raised import raise_event
from ..flows.start import start
from ..tasks.hold import claim
from ..tasks.model import TaskState, tasks
from ..timers.model import timers
from ..work.calling import send_due
from ..work.dispatch import drain
from .cast import FAR, Cast, Failed

Item = Mapping[str, Any]
FURTHEST = datetime(2090, 1, 1, tzinfo=UTC)
"""Ids count milliseconds for 69 years from 2025 on."""
LASTING = re.compile(r"([0-9]{1,4})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def work(cast: Cast) -> None:
    """The worker works until nothing is due now. Raises Failed when an event cannot be followed."""
    while drain(cast.database) + send_due(cast.database, cast.client):
        pass
    jobs.run(cast.database)
    with cast.database.read() as session:
        error = session.scalar(select(Handoff.error).where(Handoff.error.is_not(None)).limit(1))
    if error is not None:
        raise Failed("E_STORY_EVENT", error=error)


def turn_to(cast: Cast, to: datetime) -> None:
    """Turn the clock on; what falls due on the way happens at its own moment."""
    if to < cast.clock.now():
        raise Failed("E_STORY_BACK", now=cast.local(cast.clock.now()))
    if to > FURTHEST:
        raise Failed("E_STORY_FAR", year=FURTHEST.year)
    for _ in range(cast.most_moments):
        due = next_due(cast)
        if due is None or due > to:
            cast.clock.set(to)
            work(cast)
            return
        cast.clock.set(max(due, cast.clock.now()))
        work(cast)
    raise Failed("E_STORY_ENDLESS", most=cast.most_moments)


def next_due(cast: Cast) -> datetime | None:
    """When something falls due next; None when nothing will."""
    query = select(func.min(timers.c.due_at)).where(
        timers.c.held.is_(False), timers.c.due_at > cast.clock.now()
    )
    with cast.database.read() as session:
        due: datetime | None = session.execute(query).scalar_one()
        sent = next_to_send(session)
    if sent is not None and sent > cast.clock.now() and (due is None or sent < due):
        return sent
    return due


def lasting(text: str) -> timedelta:
    """ "2d 3h" as a duration."""
    return timedelta(**{UNITS[unit]: int(count) for count, unit in LASTING.findall(text)})


def open_task(session: Session, of: tuple[str, int], step: str) -> Any:
    """The open task of a step about a record; the newest of several. None when there is none."""
    query = (
        select(tasks)
        .where(
            tasks.c.subject_form == of[0],
            tasks.c.subject_id == of[1],
            tasks.c.step_key == step,
            tasks.c.state == TaskState.OPEN,
        )
        .order_by(tasks.c.id.desc())
        .limit(1)
    )
    return session.execute(query).one_or_none()


def _submit(cast: Cast, item: Item) -> None:
    def deed(session: Session) -> int:
        actor = cast.actor(session, item.get("as"))
        at = item.get("unit") or ("branch_1" if actor.is_system else None)
        unit = unit_by_code(session, at).id if at else None
        values = cast.filled(session, item["values"])
        return submit(session, actor, item["submit"], values, unit_id=unit).id

    cast.records[item["key"]] = item["submit"], cast.database.write(deed)


def _import(cast: Cast, item: Item) -> None:
    form = item["import"]
    before = _ids(cast, form)
    sheet = Sheet(item["headers"], [(at, row) for at, row in enumerate(item["rows"], start=2)])
    with cast.database.read() as session:
        actor = cast.actor(session, item.get("as"))
        unit = unit_by_code(session, "branch_1").id if actor.is_system else None
        reading = bring.read_rows(session, actor, form, sheet, unit_id=unit)
    outcome = bring.bring(cast.database, actor, reading, accept_good=True)
    for number, record in enumerate(sorted(_ids(cast, form) - before), start=1):
        cast.records[f"{item['key']}.{number}"] = form, record
    found = {name: getattr(outcome, name) for name in ("good", "bad", "duplicates")}
    for name, wanted in {"bad": 0, **item}.items():
        if name in found and found[name] != wanted:
            raise Failed(
                "E_STORY_ROWS", _rows(outcome), what=name, wanted=wanted, found=found[name]
            )


def _rows(outcome: bring.Outcome) -> list[Problem]:
    return [
        Problem(f"/rows/{each.row}/{each.column}", each.code, each.params)
        for each in outcome.problems
    ]


def _ids(cast: Cast, form: str) -> set[int]:
    with cast.database.read() as session:
        return set(session.scalars(select(shape_of(session, form).table.c._id)))


def _change(cast: Cast, item: Item) -> None:
    form, record = cast.record(item["change"])

    def deed(session: Session) -> None:
        values = cast.filled(session, item["values"])
        change(session, cast.actor(session, item.get("as")), form, record, values)

    cast.database.write(deed)


def _retire(cast: Cast, item: Item) -> None:
    form, record = cast.record(item["retire"])
    cast.database.write(
        lambda session: retire(session, cast.actor(session, item.get("as")), form, record)
    )


def _find(cast: Cast, item: Item) -> None:
    form, where = item["find"], item.get("where")
    with cast.database.read() as session:
        extra = cast.linked(session, item, form)
        found = list_records(session, SYSTEM, form, where=where, extra=extra, limit=2).items
    if len(found) != 1:
        raise Failed("E_STORY_FIND_NONE" if not found else "E_STORY_FIND_MORE", form=form)
    cast.records[item["key"]] = form, found[0].id


def _task_of(cast: Cast, item: Item, step: str) -> Any:
    with cast.database.read() as session:
        row = open_task(session, cast.record(item["of"]), step)
    if row is None:
        raise Failed("E_STORY_NO_TASK")
    return row


def _claim(cast: Cast, item: Item) -> None:
    row = _task_of(cast, item, item["claim"])
    cast.database.write(lambda session: claim(session, cast.actor(session, item["as"]), row.id))


def _complete(cast: Cast, item: Item) -> None:
    row = _task_of(cast, item, item["complete"])

    def deed(session: Session) -> int | None:
        values = cast.filled(session, item.get("values", {}))
        actor = cast.actor(session, item["as"])
        outcome, comment = item.get("outcome"), item.get("comment")
        return complete(session, actor, row.id, values, outcome, comment)

    record = cast.database.write(deed)
    if record is not None:
        cast.records[item["key"]] = row.form_key, record


def _raise(cast: Cast, item: Item) -> None:
    form, record = cast.record(item["of"])
    cast.database.write(
        lambda session: raise_event(
            session, cast.actor(session, item.get("as")), form, record, item["raise"]
        )
    )


def _start(cast: Cast, item: Item) -> None:
    record = cast.record(item["of"])[1]
    cast.database.write(
        lambda session: start(
            session, cast.actor(session, item.get("as")), item["start"], record_id=record
        )
    )


def _answer(cast: Cast, item: Item) -> None:
    key = item["answer"]
    body = json.dumps(item.get("with", {})).encode()
    cast.client.answers[key] = Answer(item.get("status", 200), body, False, "")
    wanted = Wanted(key, f"{FAR}{key}")
    cast.database.write(lambda session: set_connection(session, SYSTEM, Allowed(), key, wanted))


def _turn(cast: Cast, item: Item) -> None:
    turn_to(cast, cast.clock.now() + lasting(item["turn"]))


def _turn_to(cast: Cast, item: Item) -> None:
    turn_to(cast, cast.moment(item["turn_to"]))


DEEDS: dict[str, Callable[[Cast, Item], None]] = {
    "submit": _submit,
    "import": _import,
    "change": _change,
    "retire": _retire,
    "find": _find,
    "claim": _claim,
    "complete": _complete,
    "raise": _raise,
    "start": _start,
    "answer": _answer,
    "turn": _turn,
    "turn_to": _turn_to,
}


def instances_of(session: Session, flow_key: str, of: tuple[str, int]) -> list[Any]:
    """The instances of a flow about a record, the oldest first."""
    query = select(instances).where(
        instances.c.flow_key == flow_key,
        instances.c.subject_form == of[0],
        instances.c.subject_id == of[1],
    )
    return list(session.execute(query.order_by(instances.c.id)))
