"""The views of a form's records that people have saved, for themselves or for a role."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ...platform.store.model import Base, Id, Json, Moment


class RecordView(Base):
    """One saved view. document: what it asks for (`asked.stored`); role_key: who may use it
    besides its owner; first: what they see when they ask for nothing."""

    __tablename__ = "record_view"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    form: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(60))
    person_id: Mapped[int] = mapped_column(Id)
    role_key: Mapped[str | None] = mapped_column(String(40))
    first: Mapped[bool] = mapped_column(Boolean(create_constraint=False))
    document: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_record_view_person", "person_id", "form"),
        Index("ix_record_view_role", "role_key", "form"),
    )


class ImportJob(Base):
    """A file that somebody brings in, and how far that has come.

    file_id: the file, loose until it is swept. headers: what tells files of the same columns from
    others. note: what the page shows. place: the last row that is settled, in the transaction that
    wrote it; written: records so far. turn: who carries it; a slower one finds it raised and stops.
    """

    __tablename__ = "import_job"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    form: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[int] = mapped_column(Id)
    file_id: Mapped[str] = mapped_column(String(32))
    headers: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    note: Mapped[dict[str, Any]] = mapped_column(Json)
    place: Mapped[int] = mapped_column(Id)
    written: Mapped[int] = mapped_column(Id)
    turn: Mapped[int] = mapped_column(Id)
    told_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_import_job_state", "state", "told_at"),
        Index("ix_import_job_headers", "form", "headers", "told_at"),
    )
