"""What only somebody with the database in their hands can do: take the guard off the events."""

from sqlalchemy import text
from sqlalchemy.orm import Session

TRIGGERS = ("event_keeps_its_words", "event_is_kept")


def unguard(session: Session) -> None:
    """Let events be changed and removed from here on."""
    on = " ON event" if session.get_bind().dialect.name == "postgresql" else ""
    for trigger in TRIGGERS:
        session.execute(text(f"DROP TRIGGER {trigger}{on}"))
