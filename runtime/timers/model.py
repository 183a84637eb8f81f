"""Table: the timer. A row lives from being set to being fired or cancelled, then it is gone."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Boolean, Index, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from ...platform.store.model import Base, Id, Json, Moment


class Timer(Base):
    """Something that falls due at a moment, for one owner (a task, a wait) of one instance."""

    __tablename__ = "timer"
    __table_args__ = (
        Index("ix_timer_due", "held", "due_at", "id"),
        Index("ix_timer_owner", "owner_id"),
        Index("ix_timer_instance", "instance_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    due_at: Mapped[datetime] = mapped_column(Moment)
    purpose: Mapped[str] = mapped_column(String(12))
    """What is due: `limit` of a task, end of a `wait`, `go_on` after a full budget."""
    instance_id: Mapped[int] = mapped_column(Id)
    owner_id: Mapped[int] = mapped_column(Id)
    data: Mapped[Any] = mapped_column(Json)
    held: Mapped[bool] = mapped_column(Boolean)
    """True while the instance is suspended: such a timer is never due."""


timers = cast(Table, Timer.__table__)
