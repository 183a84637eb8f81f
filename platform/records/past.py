"""What became of a record, and the record as it once stood, in the fields its reader may see."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..identity.actor import Actor
from ..store.errors import NotFound
from ..store.history import RecordHistory
from ..store.rows import KEPT_BY
from .lists import get
from .record import Record
from .shape import shape_of


@dataclass(frozen=True)
class Revision:
    """One line of a record's history. changed: field -> (before, after) as JSON."""

    revision: int
    action: str
    at: datetime
    by: int | None
    changed: dict[str, tuple[Any, Any]]


def history(session: Session, actor: Actor, form_key: str, record_id: int) -> list[Revision]:
    """What became of a record, the newest first. Masked fields are masked, hidden ones left out.

    Raises NotFound.
    """
    record = get(session, actor, form_key, record_id)
    query = select(RecordHistory).where(*_of(form_key, record_id)).order_by(RecordHistory.revision)
    found: list[Revision] = []
    before: dict[str, Any] = {}
    for row in session.execute(query).scalars():
        values = _seen(session, record, row)
        after = {
            key: value if record.rights[key] == "masked" else record.form.fields[key].give(value)
            for key, value in values.items()
        }
        changed = {
            key: (before.get(key), after.get(key))
            for key in record.form.fields
            if before.get(key) != after.get(key)
        }
        found.append(Revision(row.revision, row.action, row.at, row.by, changed))
        before = after
    return found[::-1]


def as_of(
    session: Session,
    actor: Actor,
    form_key: str,
    record_id: int,
    *,
    at: datetime | None = None,
    revision: int | None = None,
) -> Record:
    """A record as it stood at a moment, or at a revision, to be read only.

    Who may read it, and which of its fields, is asked of the record as it is now. Raises NotFound
    also when there was no such record yet.
    """
    record = get(session, actor, form_key, record_id)
    query = select(RecordHistory).where(*_of(form_key, record_id))
    if at is not None:
        query = query.where(RecordHistory.at <= at)
    if revision is not None:
        query = query.where(RecordHistory.revision == revision)
    row = session.scalars(query.order_by(RecordHistory.revision.desc()).limit(1)).one_or_none()
    if row is None:
        raise NotFound("E_NOT_YET")
    kept = row.kept
    retired = kept.get("_retired_at")
    return replace(
        record,
        revision=row.revision,
        version=row.version,
        unit_id=kept["_unit"],
        owner_id=kept.get("_owner"),
        state=kept["_state"],
        updated_at=row.at,
        updated_by=row.by,
        retired_at=datetime.fromisoformat(retired) if retired else None,
        values=_seen(session, record, row),
    )


def _of(form_key: str, record_id: int) -> tuple[Any, ...]:
    return RecordHistory.form == form_key, RecordHistory.record_id == record_id


def _seen(session: Session, record: Record, row: RecordHistory) -> Mapping[str, Any]:
    """A history row's values, as far as the reader of the record may see them.

    They are read by the version they were kept by, for a field may have more decimals by now.
    What a field was that the form has no more, nobody is told: no right speaks of it.
    """
    shape = shape_of(session, record.form.key, row.kept.get(KEPT_BY, row.version))
    seen = {}
    for key, value in shape.from_history(row.kept).items():
        right = record.rights.get(key, "hidden")
        if right != "hidden":
            seen[key] = record.form.fields[key].mask(value) if right == "masked" else value
    return seen
