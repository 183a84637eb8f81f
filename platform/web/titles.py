"""What forms, flows and other definitions in force are called, in the language of who reads."""

from sqlalchemy.orm import Session

from ..definitions.published import entries
from .words import text


def titles_of(session: Session, kind: str, tongue: str) -> dict[str, str]:
    """Everything of a kind that is in force, by key, and in its order."""
    return {entry.key: text(entry.title, tongue) for entry in entries(session, kind)}


def title_of(session: Session, kind: str, key: str, tongue: str) -> str:
    """What one is called; its key when it is not in force (any more)."""
    return titles_of(session, kind, tongue).get(key) or key
