"""The row of an attached file. Its bytes lie elsewhere, under the row's id (`bodies`)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from .model import Base, Id, Moment


class FileState(StrEnum):
    """Where a file stands."""

    LOOSE = "loose"  #: uploaded and in no record yet; its uploader's alone, swept after a day
    KEPT = "kept"  #: in a record's field, now or in its history; whoever may read that reads it


class FileRow(Base):
    """One file. The row says who may have it; what its bytes hash to says only that they are whole.

    id: 128 random bits as 32 hex digits. size: bytes. form, record_id, field: where a kept file
    is; a kept file never moves to another record or field. unit_id, by: whose it was when uploaded.
    """

    __tablename__ = "file"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(Id)
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(8))
    form: Mapped[str | None] = mapped_column(String(40))
    record_id: Mapped[int | None] = mapped_column(Id)
    field: Mapped[str | None] = mapped_column(String(40))
    unit_id: Mapped[int | None] = mapped_column(Id)
    by: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_file_record", "form", "record_id"),
        Index("ix_file_state", "state", "at"),
    )
