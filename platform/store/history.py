"""Every change of every record: what it was after it, who did it, when.

One table for all forms. A row holds the whole record as it stood at that revision, as kept
(encrypted columns stay ciphertext), so a record can be read as of any moment with one look-up.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from .model import Base, Id, Json, Moment


class RecordHistory(Base):
    """One revision of one record."""

    __tablename__ = "record_history"
    __table_args__ = (Index("ix_record_history_form_at", "form", "at"),)

    form: Mapped[str] = mapped_column(String(40), primary_key=True)
    record_id: Mapped[int] = mapped_column(Id, primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[int | None] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(String(16))
    kept: Mapped[dict[str, Any]] = mapped_column(Json)
