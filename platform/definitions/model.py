"""Tables: the definitions there are, every version that was published, and the drafts."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from ..store.model import Base, DocumentJson, Id, Json, Moment


class DefinitionRow(Base):
    """A definition and the version in force. Its id is what events about it speak of."""

    __tablename__ = "definition"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    id: Mapped[int] = mapped_column(Id, unique=True)
    version: Mapped[int] = mapped_column(Integer)
    title: Mapped[Any] = mapped_column(Json)


class VersionRow(Base):
    """A published version. Never changed: what runs on it keeps it."""

    __tablename__ = "definition_version"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(DocumentJson)
    changes: Mapped[list[Any]] = mapped_column(Json)
    published_at: Mapped[datetime] = mapped_column(Moment)
    published_by: Mapped[int | None] = mapped_column(BigInteger)


class DraftRow(Base):
    """What is being worked on: one draft for each definition, with a revision to save against."""

    __tablename__ = "draft"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(DocumentJson)
    revision: Mapped[int] = mapped_column(Integer)
    base_version: Mapped[int | None] = mapped_column(Integer)
    saved_at: Mapped[datetime] = mapped_column(Moment)
    saved_by: Mapped[int | None] = mapped_column(BigInteger)
