"""The roles in force: written when a role is published, read by every permission."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store.kept import kept
from ..store.session import bump_epoch
from .model import Role


def save_role(session: Session, document: Mapping[str, Any], version: int) -> None:
    """Put a published role document in force (the effect of publishing a role)."""
    row = session.get(Role, document["key"])
    if row is None:
        row = Role(key=document["key"])
        session.add(row)
    row.title, row.document, row.version = document["title"], dict(document), version
    session.flush()
    bump_epoch(session)


def role_document(session: Session, key: str) -> Mapping[str, Any] | None:
    """The role document in force, or None. Kept for the epoch: never change it."""
    documents = kept(session, "roles", lambda: _load(session))
    return documents.get(key)


def role_keys(session: Session) -> list[str]:
    """Every role in force, in order of its key."""
    return sorted(kept(session, "roles", lambda: _load(session)))


def _load(session: Session) -> dict[str, Mapping[str, Any]]:
    return {key: document for key, document in session.execute(select(Role.key, Role.document))}
