"""The job that fills in what records are found by: of old tables, and after a label changed."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..store import jobs
from ..store.found_by import COLUMN, found_by
from .shape import shape_of

KIND = "found_by"
AT_ONCE = 500


@jobs.in_one_transaction
def fill_in(session: Session, job: jobs.Job) -> bool:
    """Do the next records of a form, oldest first; whether any are left."""
    row = jobs.held(session, job)
    if row is None:
        return False
    shape = shape_of(session, job.form)
    table, label = shape.table, shape.form.label
    its = shape.form.fields.get(label or "")
    plain = its is not None and its.storage == "text" and not its.encrypted
    named = table.c[label] if label and plain else table.c[COLUMN]
    query = select(table.c._id, named).where(table.c._id > row.place).order_by(table.c._id)
    found = session.execute(query.limit(AT_ONCE)).all()
    for record_id, name in found:
        words = found_by(name) if plain else None
        session.execute(
            update(table).where(table.c._id == record_id).values({table.c[COLUMN]: words})
        )
    if len(found) < AT_ONCE:
        jobs.forget(session, *job.key)
        return False
    row.place, row.done = found[-1][0], row.done + len(found)
    return True


jobs.KINDS[KIND] = fill_in
