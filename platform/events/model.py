"""Tables: what happened, to whom it is still to be handed, and who looked at what."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..store.model import Base, Id, Json, Moment


class Event(Base):
    """One thing that happened. Written once; only the sealer adds `seq` and `hash` afterwards."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_subject", "subject_kind", "subject_id", "id"),
        Index("ix_event_actor", "actor_id", "id"),
        Index("uq_event_seq", "seq", unique=True),
        Index(
            "ix_event_unsealed",
            "id",
            postgresql_where=text("seq IS NULL"),
            sqlite_where=text("seq IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(60))
    subject_kind: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    on_behalf_id: Mapped[int | None] = mapped_column(BigInteger)
    cause_id: Mapped[int | None] = mapped_column(BigInteger)
    depth: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(Moment)
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    seq: Mapped[int | None] = mapped_column(BigInteger)
    hash: Mapped[str | None] = mapped_column(String(64))


class ChainEnd(Base):
    """One row: number and hash of the newest sealed event, so that a missing end is missed."""

    __tablename__ = "chain_end"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


class Handoff(Base):
    """An event that a consumer has not dealt with yet. Deleted with what the consumer writes."""

    __tablename__ = "handoff"
    __table_args__ = (
        Index("ix_handoff_due", "consumer", "due_at", "event_id"),
        Index("ix_handoff_subject", "consumer", "subject_kind", "subject_id", "event_id"),
        Index(
            "ix_handoff_parked",
            "event_id",
            sqlite_where=text("parked_at IS NOT NULL"),
            postgresql_where=text("parked_at IS NOT NULL"),
        ),
    )

    event_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    consumer: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[datetime] = mapped_column(Moment)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str | None] = mapped_column(String(500))
    parked_at: Mapped[datetime | None] = mapped_column(Moment)


class View(Base):
    """Up to 200 records of one form that one request showed, or one export took out.

    ids are texts, as everywhere in JSON.
    """

    __tablename__ = "view_log"
    __table_args__ = (
        Index("ix_view_log_form", "form", "at"),
        Index("ix_view_log_person", "person_id", "at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    form: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(10))
    count: Mapped[int] = mapped_column(Integer)
    ids: Mapped[list[str]] = mapped_column(Json)
    address: Mapped[str] = mapped_column(String(64))


class Viewed(Base):
    """One record in one row of the view log: the way from a record to whoever saw it.

    Its key is the question, so the table is its own index. A partition for each month would not
    answer sooner, for it is asked by record and not by time; so one table serves both databases.
    """

    __tablename__ = "viewed"
    __table_args__ = {"sqlite_with_rowid": False}

    form: Mapped[str] = mapped_column(String(40), primary_key=True)
    record_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    view_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
