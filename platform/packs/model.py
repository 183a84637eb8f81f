"""Tables: the packs installed here, and each of their objects as it was shipped."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from ..store.model import Base, Id, Json, Moment


class InstalledPack(Base):
    """A pack as it is installed."""

    __tablename__ = "pack"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    id: Mapped[int] = mapped_column(Id, unique=True)
    version: Mapped[str] = mapped_column(String(20))
    manifest: Mapped[dict[str, Any]] = mapped_column(Json)
    applied_at: Mapped[datetime] = mapped_column(Moment)
    applied_by: Mapped[int | None] = mapped_column(BigInteger)


class PackObject(Base):
    """One definition a pack brought, as shipped: the base of every later merge.

    published: the version it became here; when another one is in force, somebody changed it.
    """

    __tablename__ = "pack_object"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    pack: Mapped[str] = mapped_column(String(40), index=True)
    pack_version: Mapped[str] = mapped_column(String(20))
    document: Mapped[dict[str, Any]] = mapped_column(Json)
    published: Mapped[int] = mapped_column(Integer)
