"""Tasks and their customers in words, as cards on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ...platform.definitions.fields import Field
from ...platform.identity.tree import tree
from ...platform.records.lists import list_records
from ...platform.records.record import Record
from ...platform.records.shape import shape_of
from ...platform.store.errors import NotAllowed, NotFound, NotUnderstood
from ...platform.web.context import local
from ..forms.drawn import DrawnField
from ..forms.show import Reader, link_labels, rows_read, shown
from ..tasks.model import How, task_actors
from ..tasks.worklist import TaskRow

SOON_MINUTES = 30
MOST_FACTS = 6
MANY = 1_000
MINUTE = 60


@dataclass(frozen=True)
class Due:
    """A deadline. state: late, soon, far or none; stamp: milliseconds since 1970."""

    state: str
    words: str = ""
    at: str = ""
    stamp: int = 0


@dataclass(frozen=True)
class Fact:
    """One thing worth knowing, with what it is called. rows: a sub-form's, beside its words."""

    title: str
    words: str
    icon: str = ""
    wide: bool = False
    rows: Sequence[Sequence[DrawnField]] = ()


@dataclass(frozen=True)
class Subject:
    """Whom a task is about. call: the number to dial, empty unless all of it may be seen."""

    who: str = ""
    phone: str = ""
    call: str = ""
    url: str = ""
    form_title: str = ""
    facts: Sequence[Fact] = ()


@dataclass(frozen=True)
class Card:
    """One task in a list."""

    url: str
    title: str
    who: str
    phone: str
    call: str
    due: Due
    escalated: bool
    reminded: bool
    held_by: str
    pool: bool
    facts: Sequence[Fact] = field(default_factory=tuple)


def due_of(reader: Reader, due_at: datetime | None, now: datetime) -> Due:
    """A deadline in words: how long there is left, or how long it has been over."""
    if due_at is None:
        return Due("none")
    seconds = int((due_at - now).total_seconds())
    minutes = abs(seconds) // MINUTE
    late = seconds < 0
    state = "late" if late else "soon" if minutes < SOON_MINUTES else "far"
    side = "late" if late else "left"
    if minutes < 1:
        words = reader.say("page.due.now")
    elif minutes < 60:
        words = reader.say(f"page.due.{side}_minutes", n=minutes)
    elif minutes < 24 * 60:
        words = reader.say(f"page.due.{side}_hours", h=minutes // 60, m=minutes % 60)
    else:
        words = reader.say(f"page.due.{side}_days", d=minutes // (24 * 60))
    return Due(state, words, local(due_at), int(due_at.timestamp() * 1000))


def cards(reader: Reader, rows: Sequence[TaskRow], now: datetime) -> list[Card]:
    """Tasks as cards; their records are read once for each form, as far as the reader may."""
    about = _subjects_of(reader, rows)
    named = _by_name(reader, [row.id for row in rows])
    found = []
    for row in rows:
        subject = about.get((row.subject_form, row.subject_id), Subject())
        mine = row.holder_id is not None and row.holder_id == reader.actor.person_id
        held_by = "" if mine or not row.holder else row.holder
        escalated = row.how == How.ESCALATED
        found.append(
            Card(
                url=f"/tasks/{row.id}",
                title=reader.text(row.title),
                who=subject.who or row.label or "",
                phone=subject.phone,
                call=subject.call,
                due=due_of(reader, row.due_at, now),
                escalated=escalated,
                reminded=row.reminded_at is not None,
                held_by=reader.say("page.task.held_by", name=held_by) if held_by else "",
                pool=row.holder_id is None and not escalated and row.id not in named,
                facts=[*subject.facts, *_place(reader, row.unit_id)],
            )
        )
    return found


def _by_name(reader: Reader, ids: Sequence[int]) -> set[int]:
    """Those of the tasks that are offered to the reader in person, not to a role they hold."""
    query = select(task_actors.c.task_id).where(
        task_actors.c.task_id.in_(ids),
        task_actors.c.open,
        task_actors.c.person_id == reader.actor.person_id,
    )
    return set(reader.session.execute(query).scalars())


def _place(reader: Reader, unit_id: int | None) -> list[Fact]:
    """The branch, for those who work for several."""
    place = tree(reader.session).places.get(unit_id or 0)
    if place is None or unit_id == reader.actor.unit_id:
        return []
    return [Fact("", reader.text(place.title), "building-2")]


def _subjects_of(reader: Reader, rows: Sequence[TaskRow]) -> dict[tuple[str, int], Subject]:
    found: dict[tuple[str, int], Subject] = {}
    for form_key in sorted({row.subject_form for row in rows}):
        ids = {row.subject_id for row in rows if row.subject_form == form_key}
        try:
            table = shape_of(reader.session, form_key).table
            page = list_records(
                reader.session,
                reader.actor,
                form_key,
                limit=max(len(ids), 1),
                extra=[table.c._id.in_(ids)],
            )
        except (NotAllowed, NotFound, NotUnderstood):
            continue  # the task is theirs, its record is not: the card stays without a name
        named = link_labels(reader, shape_of(reader.session, form_key).form, page.items)
        for record in page.items:
            found[form_key, record.id] = brief(reader, record, named)
    return found


def brief(reader: Reader, record: Record, named: Any) -> Subject:
    """Name, phone and the two facts that tell one customer's wish from another's."""
    phone, call = _phone(record)
    told = [its for its in record.form.ordered if _tells(its)]
    told.sort(key=lambda its: not its.required)
    facts = [fact for its in told if (fact := _fact(reader, record, its, named)) is not None]
    return Subject(record.label, phone, call, facts=facts[:2])


def _tells(its: Field) -> bool:
    """A choice from a shared list that people fill in: the channel, the project."""
    listed = its.options is not None and its.options["source"] == "list"
    return listed and its.by_people and its.type.name in ("choice", "choices")


def subject_of(
    reader: Reader, record: Record, most: int | None = MOST_FACTS, first: Sequence[str] = ()
) -> Subject:
    """Everything worth knowing before one picks up the phone; `most` short facts, or all. first:
    the fields that come before the others."""
    named = link_labels(reader, record.form, [record])
    phone, call = _phone(record)
    fields = [
        its
        for its in record.form.ordered
        if its.key != record.form.label and its.type.name not in ("phone", "id_card", "url")
    ]
    fields.sort(key=lambda its: (first.index(its.key) if its.key in first else MANY, _weight(its)))
    facts = [fact for its in fields if (fact := _fact(reader, record, its, named)) is not None]
    on_top = f" {record.label} "
    facts = [fact for fact in facts if f" {fact.words} " not in on_top]
    short = [fact for fact in facts if not fact.wide][:most]
    return Subject(
        record.label or reader.say("page.task.nobody"),
        phone,
        call,
        f"/records/{record.form.key}/{record.id}",
        reader.text(record.form.title),
        [*short, *(fact for fact in facts if fact.wide)],
    )


def _weight(its: Field) -> int:
    """Wishes first, then what the flow has found out, then the rest."""
    if _tells(its):
        return 0 if its.required else 2
    if its.written_by_flow and its.type.name == "choice":
        return 1
    return 3 if its.type.name in ("choice", "choices", "text", "number", "money") else 4


def _fact(reader: Reader, record: Record, its: Field, named: Any) -> Fact | None:
    words = shown(reader, its, record.values.get(its.key), record.rights[its.key], named)
    if not words:
        return None
    wide = its.type.name in ("longtext", "subform")
    return Fact(reader.text(its.title), words, wide=wide, rows=rows_read(reader, record, its))


def _phone(record: Record) -> tuple[str, str]:
    """The first phone number as it may be shown, and as it may be dialled."""
    for its in record.form.ordered:
        value = record.values.get(its.key)
        if its.type.name == "phone" and value:
            right = record.rights[its.key]
            return str(value), str(value) if right in ("read", "write") else ""
    return "", ""
