"""Open, save and discard a draft. Whoever saves over another's work is told, not obeyed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..events.log import append
from ..events.model import Event
from ..identity.actor import Actor
from ..identity.permissions import need
from ..store.errors import Invalid, NotFound, Problem, Stale
from ..store.locks import exclusive
from ..store.session import moment
from ..store.tables import KEY
from .kinds import Document, kind_of
from .model import DefinitionRow, DraftRow

DRAFTED = "definition:drafted"


@dataclass(frozen=True)
class Draft:
    """A draft as it stands. `revision` is what the next save names."""

    kind: str
    key: str
    document: Document
    revision: int
    base_version: int | None
    saved_at: datetime
    saved_by: int | None


def read_draft(session: Session, actor: Actor, kind: str, key: str) -> Draft:
    """The draft, or NotFound when nobody is working on one."""
    need(session, actor, "definitions.write")
    row = session.get(DraftRow, (kind, key))
    if row is None:
        raise NotFound(kind=kind, key=key)
    return draft_of(row)


def save_draft(
    session: Session,
    actor: Actor,
    kind: str,
    key: str,
    document: Document,
    revision: int | None = None,
) -> Draft:
    """Keep a document as the draft; it may be unfinished and wrong, but its key must fit.

    revision: the one the document was edited from; None begins a draft. Raises Stale with the
    draft in force when somebody saved in between (or began one).
    """
    need(session, actor, "definitions.write")
    kind_of(kind)
    if not KEY.match(key) or document.get("key") != key:
        raise Invalid(problems=[Problem("/key", "E_KEY", {"key": str(document.get("key"))})])
    row = session.get(DraftRow, (kind, key), with_for_update=True)
    if row is None:  # of two who begin one at once the second sees the first's
        exclusive(session, f"draft:{kind}:{key}")
        row = session.get(DraftRow, (kind, key), with_for_update=True)
    if (row.revision if row else None) != revision:
        raise Stale(current=draft_of(row) if row else None)
    if row is None:
        published = session.get(DefinitionRow, (kind, key))
        row = DraftRow(
            kind=kind, key=key, revision=0, base_version=published.version if published else None
        )
        session.add(row)
    row.document, row.revision = document, row.revision + 1
    row.saved_at, row.saved_by = moment(session), actor.person_id
    session.flush()
    _tell(session, actor, DRAFTED, row, revision=row.revision)
    return draft_of(row)


def discard_draft(session: Session, actor: Actor, kind: str, key: str, revision: int) -> None:
    """Throw the draft away. Raises Stale when it is another by now."""
    need(session, actor, "definitions.write")
    row = session.get(DraftRow, (kind, key), with_for_update=True)
    if row is None:
        raise NotFound(kind=kind, key=key)
    if row.revision != revision:
        raise Stale(current=draft_of(row))
    _tell(session, actor, "definition:discarded", row)
    session.delete(row)


def authors_of(session: Session, row: DraftRow) -> list[int]:
    """Everybody who saved this draft since it was begun, in order of their ids."""
    published = session.get(DefinitionRow, (row.kind, row.key))
    query = (
        select(Event.actor_id, Event.data)
        .where(
            Event.subject_kind == f"definition:{row.kind}:{row.key}",
            Event.subject_id.in_([0, published.id] if published else [0]),
            Event.name == DRAFTED,
        )
        .order_by(Event.id.desc())
        .limit(row.revision)
    )
    found = {row.saved_by}
    for author, data in session.execute(query):
        found.add(author)
        if data["revision"] == 1:
            break
    return sorted(author for author in found if author is not None)


def _tell(session: Session, actor: Actor, name: str, row: DraftRow, **data: Any) -> None:
    published = session.get(DefinitionRow, (row.kind, row.key))
    subject = (f"definition:{row.kind}:{row.key}", published.id if published else 0)
    append(session, name, actor, subject, None, {"kind": row.kind, "key": row.key, **data})


def draft_of(row: DraftRow) -> Draft:
    """A draft's row as others know it."""
    return Draft(
        row.kind, row.key, row.document, row.revision, row.base_version, row.saved_at, row.saved_by
    )
