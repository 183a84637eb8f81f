"""What a published form version leaves to be done: indexes, and values by another formula.

Each is a job (see `store/jobs`), done a little at a time beside the clinic's work.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Index, select
from sqlalchemy.orm import Session

from ..definitions.form import Form
from ..identity.actor import SYSTEM
from ..identity.tree import tree
from ..store import jobs
from ..store.database import Database
from ..store.errors import NotFound
from ..store.indexes import build
from ..store.rows import Row
from ..store.session import moment
from .compute import recomputed
from .shape import Shape, shape_of, steady
from .submit import save_change

INDEX, RECOMPUTE = "index", "recompute"
AT_ONCE = 20
"""Records computed in one transaction: so few that other writers hardly wait."""


def build_index(database: Database, job: jobs.Job) -> bool:
    """Build one index of a form's tables, unless a later version does without it."""
    with database.read() as session:
        index = _wanted(session, job)
    if index is not None and not build(database, index):
        return False
    database.write(lambda session: jobs.forget(session, *job.key))
    return False


def _wanted(session: Session, job: jobs.Job) -> Index | None:
    try:
        shape = shape_of(session, job.form)
    except NotFound:
        return None
    tables = [shape.table, *shape.children.values()]
    found = (index for table in tables for index in table.indexes)
    return next((index for index in found if index.name == job.data["index"]), None)


def formulas_differ(before: Form, after: Form) -> bool:
    """Whether a value that is kept would be computed otherwise than it was."""
    for key, its in after.fields.items():
        was = before.fields.get(key)
        if its.value is not None and not its.live:
            if was is None or (was.value, was.scale) != (its.value, its.scale):
                return True
        if its.rows is not None and was is not None and was.rows is not None:
            if formulas_differ(was.rows, its.rows):
                return True
    return False


@jobs.in_one_transaction
def recompute(session: Session, job: jobs.Job) -> bool:
    """Compute the next records' values by the formulas in force; whether any records are left."""
    progress = jobs.held(session, job)
    if progress is None:
        return False
    shape = shape_of(session, job.form)
    steady(session, shape.form.key)
    table = shape.table
    ids = session.scalars(
        select(table.c._id)
        .where(table.c._id > progress.place, table.c._retired_at.is_(None))
        .order_by(table.c._id)
        .limit(AT_ONCE)
    ).all()
    for record_id in ids:
        row = shape.read(session, record_id, for_update=True)
        if row is not None and row["_retired_at"] is None:
            progress.done += _recompute(session, shape, row)
        progress.place = record_id
    if len(ids) < AT_ONCE:
        jobs.forget(session, *job.key)
        return False
    session.flush()
    return True


def _recompute(session: Session, shape: Shape, row: Row) -> bool:
    """One record's computed values; written, with history and event, only when they differ."""
    zone = ZoneInfo(tree(session).places[row["_unit"]].time_zone)
    before = shape.to_values(row)
    after: Mapping[str, Any] = recomputed(session, shape.form, before, zone)
    differs = {
        key: after.get(key) for key in shape.form.fields if after.get(key) != before.get(key)
    }
    if differs:
        changed = {
            **shape.to_columns(differs),
            "_updated_at": moment(session),
            "_updated_by": SYSTEM.person_id,
        }
        save_change(session, SYSTEM, shape, row, changed, differs, RECOMPUTE)
    return bool(differs)


jobs.KINDS[INDEX] = build_index
jobs.KINDS[RECOMPUTE] = recompute
