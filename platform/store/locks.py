"""A lock with a name, held until the transaction ends, among all processes of the database."""

import hashlib

from sqlalchemy import text
from sqlalchemy.orm import Session


def exclusive(session: Session, name: str) -> None:
    """Wait until nobody else holds the name. SQLite writes one transaction at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
