"""What a story may expect. Each gives what is not so: codes of `problem.…` with their params."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, select
from sqlalchemy.orm import Session

from ...platform.definitions.faults import Fault
from ...platform.definitions.fields import Field
from ...platform.records.choices import choices_of
from ...platform.records.lists import get, list_records
from ...platform.records.record import Record
from ...platform.store.errors import NotFound, Problem
from ..channels.calls import body_of
from ..channels.model import calls
from ..flows.model import TokenState, incidents, tokens
from ..tasks.messages import readers_of
from ..tasks.model import TaskState, messages, tasks
from ..tasks.worklist import MOST, worklist
from .cast import Cast
from .deeds import instances_of, open_task

Item = Mapping[str, Any]
Look = Callable[[Session, Cast, Item], Iterator[Problem]]
LIVE = (TokenState.WAITING, TokenState.PAUSED, TokenState.STUCK)


def unlike(code: str, wanted: Any, found: Any, path: str = "", **params: Any) -> Problem:
    """Something else was found than was hoped for, both as people read them."""
    return Problem(path, code, {"wanted": words(wanted), "found": words(found), **params})


def words(value: Any) -> str:
    """A value in a sentence."""
    if value is None or value == []:
        return "—"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(words, value))
    return str(value)


def _task(session: Session, cast: Cast, item: Item) -> Iterator[Problem]:
    row = open_task(session, cast.record(item["of"]), item["task"])
    if row is None:
        yield Problem("/task", "E_STORY_NO_TASK")
        return
    for name in item.get("with", ()):
        if not _listed(session, cast, name, row.id):
            yield Problem("/with", "E_STORY_NOT_WITH", {"person": name})
    for name in item.get("not_with", ()):
        if _listed(session, cast, name, row.id):
            yield Problem("/not_with", "E_STORY_WITH", {"person": name})
    found = {
        "due": cast.local(row.due_at) if row.due_at else None,
        "overdue": row.due_at is not None and row.due_at <= cast.clock.now(),
        "held_by": cast.people(session).get(row.holder_id),
        "reminded": row.reminded_at is not None,
        "escalated": row.escalated_at is not None,
    }
    for part, value in found.items():
        if part in item and item[part] != value:
            yield unlike("E_STORY_UNLIKE", item[part], value, f"/{part}")


def _listed(session: Session, cast: Cast, name: str, task: int) -> bool:
    return any(row.id == task for row in _work_list(session, cast, name))


def _work_list(session: Session, cast: Cast, name: str) -> list[Any]:
    actor, found, cursor = cast.actor(session, name), [], None
    while True:
        page = worklist(session, actor, MOST, cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


def _tasks(session: Session, cast: Cast, item: Item) -> Iterator[Problem]:
    of = cast.record(item["of"]) if "of" in item else None
    if "as" in item:
        rows = _work_list(session, cast, item["as"])
    else:
        rows = list(session.execute(select(tasks).where(tasks.c.state == TaskState.OPEN)))
    steps = [row.step_key for row in rows if of in (None, (row.subject_form, row.subject_id))]
    if Counter(steps) != Counter(item["tasks"]):
        yield unlike("E_STORY_UNLIKE", sorted(item["tasks"]), sorted(steps), "/tasks")


def _record(session: Session, cast: Cast, item: Item) -> Iterator[Problem]:
    form, number = cast.record(item["record"])
    try:
        record = get(session, cast.actor(session, item.get("as")), form, number)
    except NotFound:
        yield Problem("/record", "E_STORY_UNSEEN", {"person": item.get("as", "system")})
        return
    for key, wanted in item.get("values", {}).items():
        if key not in record.form.fields:
            yield Problem(f"/values/{key}", "E_STORY_FIELD", {"field": key})
        else:
            yield from _value(session, cast, record, record.form.fields[key], wanted)
    for right in ("hidden", "masked"):
        for key in item.get(right, ()):
            if record.rights.get(key) != right:
                yield unlike("E_STORY_UNLIKE", right, record.rights.get(key), f"/{right}/{key}")
    if "retired" in item and item["retired"] != (record.retired_at is not None):
        yield unlike("E_STORY_UNLIKE", item["retired"], not item["retired"], "/retired")


def _value(
    session: Session, cast: Cast, record: Record, its: Field, wanted: Any
) -> Iterator[Problem]:
    found = record.json().get(its.key)
    if isinstance(wanted, Mapping) and set(wanted) == {"$filled"}:
        if (found is not None) != wanted["$filled"]:
            yield unlike("E_STORY_VALUE", "…", found, f"/values/{its.key}", field=its.title)
        return
    hoped = cast.filled(session, wanted)
    if record.rights[its.key] != "masked":
        try:
            hoped = its.give(its.take(hoped, choices_of(session, its), cast.zone))
        except Fault:
            pass  # it is no value of the field, so it is not the one that is there
    if hoped != found:
        told = hoped if hoped == wanted else wanted
        yield unlike("E_STORY_VALUE", told, found, f"/values/{its.key}", field=its.title)


def _seen(session: Session, cast: Cast, item: Item) -> Iterator[Problem]:
    form, number = cast.record(item["seen"])
    for part, hoped in (("by", True), ("not_by", False)):
        for name in item.get(part, ()):
            try:
                get(session, cast.actor(session, name), form, number)
                seen = True
            except NotFound:
                seen = False
            if seen != hoped:
                code = "E_STORY_UNSEEN" if hoped else "E_STORY_SEEN"
                yield Problem(f"/{part}", code, {"person": name})


def _count(session: Session, cast: Cast, item: Item) -> Iterator[Problem]:
    actor = cast.actor(session, item.get("as"))
    form, where = item["count"], item.get("where")
    extra = cast.linked(session, item, form)
    page = list_records(session, actor, form, where=where, extra=extra, limit=1, count=True)
    if page.total != item["is"]:
        yield unlike("E_STORY_UNLIKE", item["is"], page.total, "/is")


def _instance(session: Session, cast: Cast, item: Item) -> Iterator[Problem]:
    rows = instances_of(session, item["instance"], cast.record(item["of"]))
    last = rows[-1] if rows else None
    state = last.state if last is not None else "none"
    if "number" in item and item["number"] != len(rows):
        yield unlike("E_STORY_UNLIKE", item["number"], len(rows), "/number")
    if item.get("state", state) != state:
        yield unlike("E_STORY_UNLIKE", item["state"], str(state), "/state")
    if last is None:
        if "state" not in item and item.get("number") != 0:
            yield Problem("/instance", "E_STORY_NO_INSTANCE")
        return
    if "result" in item and item["result"] != last.result:
        yield unlike("E_STORY_UNLIKE", item["result"], last.result, "/result")
    at = select(tokens.c.step_key).where(tokens.c.instance_id == last.id, tokens.c.state.in_(LIVE))
    failed = select(incidents.c.step_key).where(
        incidents.c.instance_id == last.id, incidents.c.closed_at.is_(None)
    )
    for part, query in (("at", at), ("incidents", failed)):
        found = sorted(session.scalars(query))
        if part in item and sorted(item[part]) != found:
            yield unlike("E_STORY_UNLIKE", sorted(item[part]), found, f"/{part}")


def _of_step(
    session: Session, cast: Cast, item: Item, word: str, table: Table, *order: ColumnElement[Any]
) -> list[Row[Any]]:
    """What a step has made about the record, as far as it stands as the item says."""
    form, number = cast.record(item["of"])
    query = select(table).where(
        table.c.subject_form == form,
        table.c.subject_id == number,
        table.c.step_key == item[word],
    )
    found = session.execute(query.order_by(*order, table.c.id))
    return [row for row in found if item.get("state", row.state) == row.state]


def _so_many(item: Item, rows: Sequence[Row[Any]]) -> Iterator[Problem]:
    """As many as the item says, or any."""
    if len(rows) != item.get("number", max(1, len(rows))):
        yield unlike("E_STORY_UNLIKE", item.get("number", "1+"), len(rows), "/number")


def _message(session: Session, cast: Cast, item: Item) -> Iterator[Problem]:
    rows = _of_step(session, cast, item, "message", messages, messages.c.due_at)
    yield from _so_many(item, rows)
    due = [cast.local(row.due_at) for row in rows if row.due_at is not None]
    if "due" in item and item["due"] != due:
        yield unlike("E_STORY_UNLIKE", item["due"], due, "/due")
    names, readers = cast.people(session), readers_of(session, [row.id for row in rows])
    for row in rows:
        to = sorted(names[each.person_id] for each in readers[row.id])
        if "to" in item and sorted(item["to"]) != to:
            yield unlike("E_STORY_UNLIKE", sorted(item["to"]), to, "/to")
        if "customer" in item:
            wanted = cast.record(item["customer"])
            if wanted != (row.customer_form, row.customer_id):
                yield unlike("E_STORY_UNLIKE", item["customer"], row.customer_id, "/customer")
        said = row.text.values() if isinstance(row.text, Mapping) else [row.text]
        if "text" in item and not any(item["text"] in each for each in said):
            yield unlike("E_STORY_UNLIKE", item["text"], next(iter(said)), "/text")


def _call(session: Session, cast: Cast, item: Item) -> Iterator[Problem]:
    rows = _of_step(session, cast, item, "call", calls)
    yield from _so_many(item, rows)
    body = json.loads(body_of(session, rows[-1].body)) if rows else {}
    for path, wanted in item.get("sent", {}).items():
        found: Any = body
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found != cast.filled(session, wanted):
            yield unlike("E_STORY_UNLIKE", wanted, found, f"/sent/{path}")


EXPECT: dict[str, Look] = {
    "task": _task,
    "tasks": _tasks,
    "record": _record,
    "seen": _seen,
    "count": _count,
    "instance": _instance,
    "message": _message,
    "call": _call,
}


def troubles(session: Session, expected: set[str]) -> Iterator[Problem]:
    """Open incidents that the story does not speak of: by themselves they fail it."""
    for row in session.execute(select(incidents).where(incidents.c.closed_at.is_(None))):
        if row.step_key not in expected:
            yield Problem("", "E_STORY_INCIDENT", {"step": row.step_key})
            yield Problem("", row.code, row.params)
