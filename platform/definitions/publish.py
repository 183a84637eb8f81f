"""Publish: permissions, check, effect, version, event; one transaction, all or nothing."""

from dataclasses import dataclass

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ..events.log import append
from ..identity.actor import Actor
from ..identity.permissions import need
from ..store.errors import Invalid, NotFound, Problem
from ..store.locks import exclusive
from ..store.session import bump_epoch, moment, new_id
from .check import check
from .kinds import Document, Publishing, kind_of
from .model import DefinitionRow, DraftRow, VersionRow


@dataclass(frozen=True)
class Version:
    """What publishing gave: the version now in force and what it changed (code, params)."""

    kind: str
    key: str
    version: int
    changes: list[Problem]


def publish(session: Session, actor: Actor, kind: str, key: str) -> Version:
    """Put the draft in force. Raises Invalid with every problem, NotFound without a draft."""
    need(session, actor, "definitions.publish")
    draft = session.get(DraftRow, (kind, key), with_for_update=True)
    if draft is None:
        raise NotFound(kind=kind, key=key)
    version = publish_document(session, actor, kind, draft.document)
    session.delete(draft)
    session.flush()
    return version


def publish_document(session: Session, actor: Actor, kind: str, document: Document) -> Version:
    """The one way a document goes in force; drafts and packs both end here.

    A document equal to the one in force gives that version back and changes nothing.
    """
    need(session, actor, "definitions.publish")
    problems = check(session, kind, document)
    if problems:
        raise Invalid(problems=problems)
    key = document["key"]
    row = session.get(DefinitionRow, (kind, key), with_for_update=True)
    if row is None:  # of two who bring the same in at once the second sees the first's
        exclusive(session, f"definition:{kind}:{key}")
        row = session.get(DefinitionRow, (kind, key), with_for_update=True)
    before = None
    if row is None:
        row = DefinitionRow(kind=kind, key=key, id=new_id(session), version=0)
        session.add(row)
    else:
        in_force = session.get(VersionRow, (kind, key, row.version))
        before = in_force.document if in_force else None
        if before == document:
            return Version(kind, key, row.version, [])
    row.version += 1
    row.title = document.get("title", document.get("x-title", key))
    session.flush()
    changes = []
    effect = kind_of(kind).effect
    if effect is not None:
        changes = effect(session, Publishing(document, before, row.version))
    session.execute(
        insert(VersionRow),
        {
            "kind": kind,
            "key": key,
            "version": row.version,
            "document": document,
            "changes": [[c.path, c.code, dict(c.params)] for c in changes],
            "published_at": moment(session),
            "published_by": actor.person_id,
        },
    )
    bump_epoch(session)
    append(
        session,
        "definition:published",
        actor,
        (f"definition:{kind}:{key}", row.id),
        None,
        {"kind": kind, "key": key, "version": row.version, "changes": len(changes)},
    )
    return Version(kind, key, row.version, changes)
