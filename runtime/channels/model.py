"""Tables: the connections that administrators set up, and each call that is made over one."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Boolean, Index, String, Table, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ...platform.records.new_key_rows import ROWS, Encrypted
from ...platform.store.model import Base, Id, Json, Moment
from . import events  # noqa: F401  what is told of these rows


class CallState(StrEnum):
    """Where a call stands."""

    WAITING = "waiting"
    """To be sent, or sent again; leaves with an answer, or when it is given up."""
    ANSWERED = "answered"
    """The other side has taken it; never leaves."""
    FAILED = "failed"
    """Given up; leaves when somebody retries its incident and what is sent is the same."""
    DROPPED = "dropped"
    """Its instance was cancelled, or somebody went on without it; never leaves."""


class Connection(Base):
    """An address that flows call by its key. Address, secret and header are kept encrypted."""

    __tablename__ = "connection"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    title: Mapped[Any] = mapped_column(Json)
    address: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(String(260))
    """Of the address what everybody who may see a run may see."""
    secret: Mapped[str] = mapped_column(Text)
    """What calls are signed with."""
    header: Mapped[str | None] = mapped_column(String(60))
    """A header that the other side wants beside, such as `Authorization`."""
    header_value: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    changed_by: Mapped[int | None] = mapped_column(Id)
    failures: Mapped[int]
    """Calls in a row that came to nothing, whichever they were."""
    shut_until: Mapped[datetime | None] = mapped_column(Moment)
    """Nothing is sent before; then one call tries."""
    trouble: Mapped[str | None] = mapped_column(String(40))
    """What the last of those came to."""


class Call(Base):
    """One call of a flow's step: written in the step's transaction, sent by the worker."""

    __tablename__ = "call"
    __table_args__ = (
        Index("ix_call_instance", "instance_id"),
        Index("uq_call_same", "same", unique=True),
        # What is to be sent, soonest first; and what stands before one in its record's order.
        Index(
            "ix_call_due",
            "connection_key",
            "due_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_call_order",
            "connection_key",
            "subject_form",
            "subject_id",
            "id",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    instance_id: Mapped[int] = mapped_column(Id)
    token_id: Mapped[int] = mapped_column(Id)
    step_key: Mapped[str] = mapped_column(String(80))
    connection_key: Mapped[str] = mapped_column(String(40))
    subject_form: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(Id)
    same: Mapped[str] = mapped_column(String(40))
    """The Idempotency-Key: the same each time this is sent."""
    state: Mapped[str] = mapped_column(String(10))
    body: Mapped[str] = mapped_column(Text)
    """What is sent, JSON, encrypted."""
    reads: Mapped[Any] = mapped_column(Json)
    """{path in the body: [{form, id, key}, …]}: the fields it was worked out from; null where they
    cannot be told one by one."""
    wants: Mapped[Any] = mapped_column(Json)
    """What of the answer is kept: [[name, path, type], …]."""
    held: Mapped[bool] = mapped_column(Boolean)
    """True while its instance is suspended: then it is not sent."""
    made_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime] = mapped_column(Moment)
    """When it is given up."""
    tries: Mapped[int]
    fence: Mapped[int]
    """Counts those who took it to send it; only the last one's answer counts."""
    leased_until: Mapped[datetime | None] = mapped_column(Moment)
    """Somebody is sending it; after that moment they are taken to be dead."""
    status: Mapped[int | None]
    """The last answer's."""
    trouble: Mapped[str | None] = mapped_column(String(40))
    """What came of the last try, where that was no good: E_CALL_…."""
    over_at: Mapped[datetime | None] = mapped_column(Moment)
    answer: Mapped[Any | None] = mapped_column(Json)
    """What was kept of it: [[name, type, text], …]."""


connections = cast(Table, Connection.__table__)
calls = cast(Table, Call.__table__)

ROWS["connection"] = Encrypted(connections, ("address", "secret", "header_value"))
ROWS["call"] = Encrypted(calls, ("body",))
