"""Tables: the packs installed here, each of their objects as it was shipped, what each apply
changed, so that it can be taken back; and whose signatures count."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Text
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


class PackFile(Base):
    """A file of an installed pack that is no definition: a story, sample records, its README."""

    __tablename__ = "pack_file"

    pack: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    content: Mapped[str] = mapped_column(Text)


class PackApply(Base):
    """One apply of a pack. before: the version that was installed; none at the first.

    stories: how many passed of how many, and whether it was applied despite those that failed.
    undo: what taking it back needs, see `apply.Undo`.
    """

    __tablename__ = "pack_apply"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    pack: Mapped[str] = mapped_column(String(40), index=True)
    version: Mapped[str] = mapped_column(String(20))
    before: Mapped[str | None] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[int | None] = mapped_column(BigInteger)
    stories: Mapped[dict[str, Any]] = mapped_column(Json)
    undo: Mapped[dict[str, Any]] = mapped_column(Json)
    undone_at: Mapped[datetime | None] = mapped_column(Moment)


class PackSigner(Base):
    """Somebody whose packs come in on their signature alone. key: their public key."""

    __tablename__ = "pack_signer"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    key: Mapped[str] = mapped_column(String(43), unique=True)
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[int | None] = mapped_column(BigInteger)


class PackUpload(Base):
    """A zip that somebody looks at the plan of; it goes after a day."""

    __tablename__ = "pack_upload"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[int | None] = mapped_column(BigInteger)
