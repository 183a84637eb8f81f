"""The version in force, or a named one. A version never changes, so it is kept in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store.errors import NotFound
from ..store.kept import kept
from .model import DefinitionRow, VersionRow


@dataclass(frozen=True, eq=False)
class Definition:
    """One version of one definition. The document is shared: never change it.

    Two are the same only when they are the same object; caches keyed by one live with it.
    """

    kind: str
    key: str
    version: int
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A line in the list of definitions."""

    kind: str
    key: str
    version: int
    title: Any


def published(session: Session, kind: str, key: str, version: int | None = None) -> Definition:
    """The definition in force, or the version asked for. Raises NotFound."""
    found = kept(
        session, ("definition", kind, key, version), lambda: _load(session, kind, key, version)
    )
    if found is None:
        raise NotFound(kind=kind, key=key)
    return found


def exists(session: Session, kind: str, key: str) -> bool:
    """Whether a definition of that key is in force."""
    return (
        kept(session, ("definition", kind, key, None), lambda: _load(session, kind, key, None))
        is not None
    )


def _load(session: Session, kind: str, key: str, version: int | None) -> Definition | None:
    query = select(VersionRow).where(VersionRow.kind == kind, VersionRow.key == key)
    if version is None:
        query = query.join(
            DefinitionRow,
            (DefinitionRow.kind == VersionRow.kind)
            & (DefinitionRow.key == VersionRow.key)
            & (DefinitionRow.version == VersionRow.version),
        )
    else:
        query = query.where(VersionRow.version == version)
    row = session.execute(query).scalar_one_or_none()
    return None if row is None else Definition(kind, key, row.version, row.document)


def entries(session: Session, kind: str | None = None) -> list[Entry]:
    """Every definition in force, by kind and key."""
    return [
        entry
        for entry in kept(session, "definitions", lambda: _entries(session))
        if kind in (None, entry.kind)
    ]


def _entries(session: Session) -> list[Entry]:
    query = select(DefinitionRow).order_by(DefinitionRow.kind, DefinitionRow.key)
    return [
        Entry(row.kind, row.key, row.version, row.title) for row in session.execute(query).scalars()
    ]


def versions(session: Session, kind: str, key: str) -> list[VersionRow]:
    """Every version, the newest first. Raises NotFound when there is none."""
    query = (
        select(VersionRow)
        .where(VersionRow.kind == kind, VersionRow.key == key)
        .order_by(VersionRow.version.desc())
    )
    found = list(session.execute(query).scalars())
    if not found:
        raise NotFound(kind=kind, key=key)
    return found
