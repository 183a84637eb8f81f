"""The web's own table: answers kept for requests that are sent again."""

from datetime import datetime

from sqlalchemy import Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..store.model import Base, Id, Moment


class AnswerRow(Base):
    """A request under an Idempotency-Key, and what it was answered.

    Written in the transaction of the deed itself, so there is one exactly when the deed was done.
    request: HMAC-SHA-256 of method, path and body. status 0: done, its answer not yet written.
    """

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("person_id", "key_hash"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(Id)
    key_hash: Mapped[str] = mapped_column(String(64))
    request: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer)
    mimetype: Mapped[str] = mapped_column(String(80))
    location: Mapped[str | None] = mapped_column(String(400))
    etag: Mapped[str | None] = mapped_column(String(80))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
