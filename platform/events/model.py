"""Tables: what happened, and to whom it is still to be handed."""

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


class Handoff(Base):
    """An event that a consumer has not dealt with yet. Deleted with what the consumer writes."""

    __tablename__ = "handoff"
    __table_args__ = (
        Index("ix_handoff_due", "consumer", "due_at", "event_id"),
        Index("ix_handoff_subject", "consumer", "subject_kind", "subject_id", "event_id"),
    )

    event_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    consumer: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[datetime] = mapped_column(Moment)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str | None] = mapped_column(String(500))
    parked_at: Mapped[datetime | None] = mapped_column(Moment)
