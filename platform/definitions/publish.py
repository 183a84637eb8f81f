"""Publish: permissions, check, effect, version, event; one transaction, all or nothing."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ..events.log import append
from ..identity.actor import Actor
from ..identity.permissions import allowed, need
from ..store.errors import Invalid, NotFound, Problem, Stale
from ..store.locks import exclusive
from ..store.session import bump_epoch, moment, new_id
from .check import check
from .drafts import authors_of, draft_of
from .kinds import Document, Publishing, kind_of
from .leaving import warnings
from .model import DefinitionRow, DraftRow, VersionRow
from .powers import beyond

VOUCH = "definitions.vouch"
"""The right to publish what goes beyond one's own rights, when somebody else wrote it."""
BRING = "packs.apply"
"""Who holds it may bring in a pack that does anything, so nobody else is asked about their drafts
either: a house that wants a second person takes it from those who design."""


@dataclass(frozen=True)
class Version:
    """What publishing gave: the version now in force, what it changed (code, params), and what
    whoever published should know of it: what they answer for, what leaves in plain."""

    kind: str
    key: str
    version: int
    changes: list[Problem]
    warnings: list[Problem] = field(default_factory=list)


def publish(
    session: Session, actor: Actor, kind: str, key: str, revision: int | None = None
) -> Version:
    """Put the draft in force. revision: the one that was looked at, when the actor says.

    Raises Invalid with every problem, NotFound without a draft, Stale for another revision.
    """
    need(session, actor, "definitions.publish")
    draft = session.get(DraftRow, (kind, key), with_for_update=True)
    if draft is None:
        raise NotFound(kind=kind, key=key)
    if revision not in (None, draft.revision):
        raise Stale(current=draft_of(draft))
    authors = authors_of(session, draft)
    vouched = _answers(session, actor, authors)
    version = publish_document(
        session, actor, kind, draft.document, vouched=vouched, authors=authors
    )
    session.delete(draft)
    session.flush()
    leaving = warnings(session, kind, draft.document)
    return replace(version, warnings=[*version.warnings, *leaving])


@dataclass(frozen=True)
class Verdict:
    """What keeps somebody from putting a draft in force, and what they should know before."""

    problems: list[Problem]
    warnings: list[Problem]


def judge_draft(session: Session, actor: Actor, kind: str, key: str) -> Verdict:
    """What the actor would be told if they published the draft now; warnings of a sound one only.

    Raises NotAllowed, NotFound.
    """
    need(session, actor, "definitions.write")
    row = session.get(DraftRow, (kind, key))
    if row is None:
        raise NotFound(kind=kind, key=key)
    document = row.document
    if problems := check(session, kind, document):
        return Verdict(problems, [])
    exceeding, leaving = beyond(session, actor, kind, document), warnings(session, kind, document)
    if _answers(session, actor, authors_of(session, row)):
        return Verdict([], [*_answered(exceeding), *leaving])
    return Verdict(exceeding, leaving)


def _answers(session: Session, actor: Actor, authors: Collection[int]) -> bool:
    """Whether the actor may answer for what is beyond their own rights: a second person, or one
    who could bring it in as a pack."""
    second = actor.person_id not in authors and allowed(session, actor, VOUCH)
    return second or allowed(session, actor, BRING)


def _answered(exceeding: Collection[Problem]) -> list[Problem]:
    """The same as warnings, for who answers for it."""
    return [replace(each, code="E_BEYOND_ANSWERED") for each in exceeding]


def publish_document(
    session: Session,
    actor: Actor,
    kind: str,
    document: Document,
    vouched: bool = False,
    authors: Collection[int] = (),
) -> Version:
    """The one way a document goes in force; drafts and packs both end here.

    A document equal to the one in force gives that version back and changes nothing. vouched:
    somebody answers for what it adds beyond the actor's own rights: a second person for a draft,
    or whoever may apply a pack. authors: who wrote the draft.
    """
    need(session, actor, "definitions.publish")
    problems = check(session, kind, document)
    exceeding = [] if problems else beyond(session, actor, kind, document)
    if problems or (exceeding and not vouched):
        raise Invalid(problems=problems or exceeding)
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
        {
            "kind": kind,
            "key": key,
            "version": row.version,
            "changes": len(changes),
            "authors": [str(author) for author in authors],
            "beyond": len(exceeding),
        },
    )
    return Version(kind, key, row.version, changes, _answered(exceeding))
