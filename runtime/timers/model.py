"""Tables: the timer, whose row lives until it is fired or cancelled, and what may move it."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Boolean, Index, String, Table, text
from sqlalchemy.orm import Mapped, mapped_column

from ...platform.store.model import Base, Id, Json, Moment


class Timer(Base):
    """Something that falls due at a moment, for one owner (a task, a wait) of one instance."""

    __tablename__ = "timer"
    __table_args__ = (
        Index("ix_timer_due", "held", "due_at", "id"),
        Index("ix_timer_owner", "owner_id"),
        Index("ix_timer_instance", "instance_id"),
        Index(
            "ix_timer_incident",
            "incident_id",
            sqlite_where=text("incident_id IS NOT NULL"),
            postgresql_where=text("incident_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    due_at: Mapped[datetime] = mapped_column(Moment)
    purpose: Mapped[str] = mapped_column(String(12))
    """What is due: `limit` of a task, end of a `wait`, `go_on` after a full budget, a `message`, a
    `call` that is over, or something to `move` because a record it was worked out from changed."""
    instance_id: Mapped[int] = mapped_column(Id)
    owner_id: Mapped[int] = mapped_column(Id)
    data: Mapped[Any] = mapped_column(Json)
    held: Mapped[bool] = mapped_column(Boolean)
    """True while the instance is suspended or an incident is open: then it is never due."""
    incident_id: Mapped[int | None] = mapped_column(Id)
    """The incident that says why it could not be fired, until somebody retries."""


class Watch(Base):
    """Something was worked out from a record; when that changes, it is worked out again."""

    __tablename__ = "watch"
    __table_args__ = (
        Index("ix_watch_record", "form_key", "record_id"),
        Index("ix_watch_owner", "owner_id"),
        Index("ix_watch_instance", "instance_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    form_key: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[int] = mapped_column(Id)
    instance_id: Mapped[int] = mapped_column(Id)
    owner_id: Mapped[int] = mapped_column(Id)
    """The wait, task or message whose moment it is."""
    purpose: Mapped[str] = mapped_column(String(12))
    """`wait`, `due` or `limit` of a task, `message`."""
    key: Mapped[str] = mapped_column(String(40))
    """Of a limit its key; else empty."""


timers = cast(Table, Timer.__table__)
watches = cast(Table, Watch.__table__)
