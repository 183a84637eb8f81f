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
