"""Table: each file of records that was taken out, and each that somebody asks to take out."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Index, String, Table, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ..store.model import Base, Id, Json, Moment
from . import events  # noqa: F401  what is told of these rows


class State(StrEnum):
    """Where an export stands."""

    ASKED = "asked"
    """Somebody else has to say yes or no; leaves by an answer, or lapses."""
    ALLOWED = "allowed"
    """It may be taken once; leaves by being taken, or lapses."""
    REFUSED = "refused"
    """Never leaves."""
    DONE = "done"
    """Its file was made; never leaves."""
    LAPSED = "lapsed"
    """Its time ran out. Never written: what is asked or allowed has lapsed once `until` is over."""


class Way(StrEnum):
    """By what a file was taken out."""

    FREE = "free"
    """Few enough rows, or nothing personal."""
    ASKED = "asked"
    """With a reason and a second person's yes."""
    SERVER = "server"
    """By the operator, at the server."""


class Export(Base):
    """A file of a form's records. Its id is what the file calls its reference."""

    __tablename__ = "export"
    __table_args__ = (
        Index("ix_export_person", "person_id", "asked_at"),
        Index("ix_export_answered", "answered_by", "answered_at"),
        # What waits for an answer; few, however many files there were.
        Index(
            "ix_export_open",
            "until",
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    form: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(4))
    """csv or xlsx."""
    way: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int | None] = mapped_column(Id)
    """Whose eyes it is made with; None is the system."""
    unit_id: Mapped[int | None] = mapped_column(Id)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime | None] = mapped_column(Moment)
    question: Mapped[Any] = mapped_column(Json)
    """As `Question.stored` has it; of what was never asked, nothing."""
    columns: Mapped[Any] = mapped_column(Json)
    """{field: `read` or `masked`}: what the asker saw when they asked."""
    counted: Mapped[int | None]
    """The rows there were then."""
    most: Mapped[int | None]
    """The rows the file may have."""
    reason: Mapped[str] = mapped_column(Text)
    answered_by: Mapped[int | None] = mapped_column(Id)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)
    words: Mapped[str] = mapped_column(Text)
    """What was said with the answer."""
    done_at: Mapped[datetime | None] = mapped_column(Moment)
    taken: Mapped[int | None]
    """The rows in the file."""


exports = cast(Table, Export.__table__)
