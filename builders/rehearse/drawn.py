"""What the page of a rehearsal shows: the run on its map, who is asked, what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...platform.identity.actor import SYSTEM, Actor, actor_of
from ...platform.identity.people import names_of
from ...platform.records.lists import get
from ...platform.store.errors import Problem
from ...platform.web.context import local
from ...platform.web.request import language
from ...platform.web.titles import titles_of
from ...runtime.channels.model import calls
from ...runtime.flows.cards import subject_of
from ...runtime.flows.desk import COMMENT, desk_of, drawn_form, outcomes_of
from ...runtime.flows.load import flow
from ...runtime.flows.map import drawn_map
from ...runtime.flows.model import instances
from ...runtime.flows.run_story import open_incidents, result_words, standing_waits, trail
from ...runtime.flows.told_messages import told_by_all
from ...runtime.forms.drawn import Drawn, DrawnField
from ...runtime.forms.show import Reader, troubles
from ...runtime.stories.cast import Cast
from ...runtime.stories.deeds import instances_of, next_due
from ...runtime.tasks.model import TaskState, tasks
from .plan import SUBJECT
from .tell import doers

MOST_NAMES = 6


@dataclass(frozen=True)
class OpenTask:
    """A task that somebody is asked to do. of: the walk's name of the record it is about, empty
    where it has none, so that the walk cannot do it. who: those asked, in words; by: who would do
    it here."""

    id: int
    step: str
    of: str
    title: str
    due: str
    late: bool
    who: str
    by: Actor | None

    @property
    def mark(self) -> str:
        """How a page names it."""
        return f"{self.step} {self.of}"


def reader_on(session: Session, cast: Cast) -> Reader:
    """Whoever rehearses, as the reader of everything on the scene."""
    return Reader(session, SYSTEM, language(), cast.zone)


def open_tasks(reader: Reader, cast: Cast) -> list[OpenTask]:
    """What people have to do, the oldest first."""
    session = reader.session
    called = {record: name for name, record in cast.records.items()}
    query = select(tasks).where(tasks.c.state == TaskState.OPEN).order_by(tasks.c.id)
    found = []
    for row in session.execute(query).all():
        people = doers(session, row)
        named = names_of(session, people)
        names = [named[one] for one in people[:MOST_NAMES]]
        more = [f"+{len(people) - MOST_NAMES}"] if len(people) > MOST_NAMES else []
        found.append(
            OpenTask(
                id=row.id,
                step=row.step_key,
                of=called.get((row.subject_form, row.subject_id), ""),
                title=reader.text(row.title),
                due=local(row.due_at) if row.due_at else "",
                late=row.due_at is not None and row.due_at <= cast.clock.now(),
                who=reader.say("page.comma").join([*names, *more]),
                by=actor_of(session, people[0]) if people else None,
            )
        )
    return found


def chosen(found: Sequence[OpenTask], mark: str) -> OpenTask | None:
    """The task that a page names, else the first that can be done."""
    able = [one for one in found if one.of and one.by is not None]
    return next((one for one in able if one.mark == mark), able[0] if able else None)


def drawn_task(
    reader: Reader, one: OpenTask, typed: MultiDict[str, str] | None, problems: Sequence[Problem]
) -> dict[str, Any]:
    """A task as whoever does it has it: mark, title, due, late, who, help, by, drawn, outcomes,
    comment, said, problems. It is one that can be done (`chosen`)."""
    assert one.by is not None
    desk = desk_of(reader.session, one.by, one.id)
    told = troubles(desk.reader, desk.form, problems)
    drawn = None
    if desk.form is not None:
        drawn = _on_the_scene(drawn_form(desk, desk.form, typed, told))
    return {
        "mark": one.mark,
        "title": one.title,
        "due": one.due,
        "late": one.late,
        "who": one.who,
        "help": reader.text(desk.step.help),
        "by": one.by.name,
        "drawn": drawn,
        "outcomes": outcomes_of(desk, typed),
        "comment": any(each.comment for each in desk.step.outcomes),
        "said": typed.get(COMMENT, "") if typed is not None else "",
        "problems": told,
    }


def _on_the_scene(drawn: Drawn) -> Drawn:
    """Records to pick are those of the scene: nothing is looked up while one types."""

    def alone(its: DrawnField) -> DrawnField:
        kept = {key: value for key, value in its.attributes.items() if key != "data-offer"}
        return replace(its, attributes=kept)

    sections = [
        replace(part, fields=[alone(its) for its in part.fields]) for part in drawn.sections
    ]
    return replace(drawn, sections=sections)


def scene_shown(reader: Reader, cast: Cast, flow_key: str) -> dict[str, Any]:
    """What came of it: subject, run (None: it did not begin), others, messages, calls."""
    session = reader.session
    form, number = cast.records[SUBJECT]
    runs = instances_of(session, flow_key, (form, number))
    subject = subject_of(reader, get(session, SYSTEM, form, number))
    return {
        "subject": replace(subject, url="", call=""),
        "run": _run(reader, runs[0]) if runs else None,
        "others": _others(reader, {row.id for row in runs[:1]}),
        "messages": told_by_all(reader),
        "calls": _calls(reader),
    }


def _run(reader: Reader, row: Any) -> dict[str, Any]:
    graph = flow(reader.session, row.flow_key, row.flow_version)
    return {
        "state": row.state,
        "result": result_words(reader, graph, row.result),
        "map": drawn_map(reader, row, graph),
        "trail": [replace(line, url="") for line in trail(reader, row)],
        "waits": standing_waits(reader, row),
        "incidents": open_incidents(reader, row),
    }


def _others(reader: Reader, but: set[int]) -> list[str]:
    """Other flows that run now because of this one."""
    titles = titles_of(reader.session, "flow", reader.language)
    found = []
    for row in reader.session.execute(select(instances).order_by(instances.c.id)):
        if row.id not in but:
            state = reader.say(f"page.instance.state.{row.state}")
            found.append(f"{titles.get(row.flow_key, row.flow_key)} · {state}")
    return found


def _calls(reader: Reader) -> list[dict[str, Any]]:
    return [
        {"to": row.connection_key, "state": row.state, "at": local(row.over_at or row.made_at)}
        for row in reader.session.execute(select(calls).order_by(calls.c.id))
    ]


def clock(cast: Cast) -> dict[str, str]:
    """Where the clock stands, and when something falls due next."""
    due = next_due(cast)
    return {"now": local(cast.clock.now()), "next": local(due) if due else ""}
