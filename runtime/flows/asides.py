"""A record's runs and the reader's own open tasks about it, for the record's page."""

from __future__ import annotations

from sqlalchemy import and_, select

from ...platform.identity.permissions import allowed
from ...platform.records.record import Record
from ...platform.store.session import moment
from ...platform.web.context import local
from ...platform.web.titles import titles_of
from ..forms.asides import Aside
from ..forms.show import Reader
from ..tasks.model import tasks
from ..tasks.worklist import MOST, worklist
from .cards import due_of
from .model import instances
from .seen import READ
from .take_back import own_to_take_back

SHOWN = 5
COLOURS = {"running": "badge-info", "ended": "badge-ok", "suspended": "badge-soon"}
LATENESS = {"late": "badge-late", "soon": "badge-soon"}


def about_record(reader: Reader, record: Record) -> list[Aside]:
    """The tasks first, for they are to be done; then those that may be taken back."""
    return [*_tasks(reader, record), *_runs(reader, record)]


def _tasks(reader: Reader, record: Record) -> list[Aside]:
    now = moment(reader.session)
    found = []
    for row in worklist(reader.session, reader.actor, MOST).items:
        if (row.subject_form, row.subject_id) == (record.form.key, record.id):
            due = due_of(reader, row.due_at, now)
            words = row.holder or ""
            colour = LATENESS.get(due.state, "")
            found.append(
                Aside("tasks", reader.text(row.title), words, f"/tasks/{row.id}", due.words, colour)
            )
    return [*found, *_done(reader, record)]


def _done(reader: Reader, record: Record) -> list[Aside]:
    """What the reader has finished about it and may still take back."""
    about = and_(tasks.c.subject_form == record.form.key, tasks.c.subject_id == record.id)
    state = reader.say("page.take_back.may")
    return [
        Aside(
            "tasks", reader.text(row.title), "", f"/tasks/{row.id}/take-back", state, "badge-info"
        )
        for row in own_to_take_back(reader.session, reader.actor, about)
    ]


def _runs(reader: Reader, record: Record) -> list[Aside]:
    """Runs of a record that the reader sees are seen with the right `flows.read`."""
    if not allowed(reader.session, reader.actor, READ):
        return []
    query = (
        select(instances)
        .where(instances.c.subject_form == record.form.key, instances.c.subject_id == record.id)
        .order_by(instances.c.id.desc())
        .limit(SHOWN)
    )
    titles = titles_of(reader.session, "flow", reader.language)
    return [
        Aside(
            "runs",
            titles.get(row.flow_key, row.flow_key),
            local(row.started_at),
            f"/instances/{row.id}",
            reader.say(f"page.instance.state.{row.state}"),
            COLOURS.get(row.state, ""),
        )
        for row in reader.session.execute(query)
    ]
