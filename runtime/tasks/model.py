"""Tables: the task, and the actors it is offered to."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Boolean, Index, String, Table, text
from sqlalchemy.orm import Mapped, mapped_column

from ...platform.store.model import Base, Id, Json, Moment
from . import events  # noqa: F401  what is told of these rows


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    """Waits for a person; leaves by being completed, or cancelled with its instance."""
    DONE = "done"
    """One person has completed it; never leaves."""
    CANCELLED = "cancelled"
    """Its instance ended or went elsewhere before anybody completed it; never leaves."""


class How(StrEnum):
    """By which road an actor came to a task."""

    OFFERED = "offered"
    """The step names these people."""
    ESCALATED = "escalated"
    """A time limit ran out: these people are asked as well."""
    REASSIGNED = "reassigned"
    """The task was moved to these people, and taken from those before."""


class Task(Base):
    """Something one person is asked to do, about one record, by one moment."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_instance", "instance_id"),
        Index("ix_task_subject", "subject_form", "subject_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    instance_id: Mapped[int] = mapped_column(Id)
    token_id: Mapped[int] = mapped_column(Id)
    flow_key: Mapped[str] = mapped_column(String(40))
    flow_version: Mapped[int]
    step_key: Mapped[str] = mapped_column(String(80))
    title: Mapped[Any] = mapped_column(Json)
    form_key: Mapped[str | None] = mapped_column(String(40))
    """The form to fill in; none when only an outcome is asked for."""
    subject_form: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(Id)
    """The record the task is about."""
    unit_id: Mapped[int | None] = mapped_column(Id)
    """The record's unit when the task was offered."""
    state: Mapped[str] = mapped_column(String(12))
    holder_id: Mapped[int | None] = mapped_column(Id)
    """The person who has claimed it."""
    held_at: Mapped[datetime | None] = mapped_column(Moment)
    offered_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    reminded_at: Mapped[datetime | None] = mapped_column(Moment)
    escalated_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[int | None] = mapped_column(Id)
    outcome: Mapped[str | None] = mapped_column(String(40))
    record_id: Mapped[int | None] = mapped_column(Id)
    """The record that came of it, in the task's form."""


class TaskActor(Base):
    """One person, or one role at one unit, to whom a task is offered.

    `sort_at` repeats the task's due time (far in the future when there is none), so that a
    person's work list reads one index in order, however many tasks are open.
    """

    __tablename__ = "task_actor"
    __table_args__ = (
        Index(
            "ix_task_actor_person",
            "person_id",
            "sort_at",
            "task_id",
            sqlite_where=text("open = 1 AND person_id IS NOT NULL"),
            postgresql_where=text("open AND person_id IS NOT NULL"),
        ),
        Index(
            "ix_task_actor_role",
            "role_key",
            "unit_id",
            "sort_at",
            "task_id",
            sqlite_where=text("open = 1 AND role_key IS NOT NULL"),
            postgresql_where=text("open AND role_key IS NOT NULL"),
        ),
        Index("ix_task_actor_task", "task_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    task_id: Mapped[int] = mapped_column(Id)
    person_id: Mapped[int | None] = mapped_column(Id)
    role_key: Mapped[str | None] = mapped_column(String(40))
    unit_id: Mapped[int | None] = mapped_column(Id)
    how: Mapped[str] = mapped_column(String(12))
    since: Mapped[datetime] = mapped_column(Moment)
    sort_at: Mapped[datetime] = mapped_column(Moment)
    open: Mapped[bool] = mapped_column(Boolean)


tasks = cast(Table, Task.__table__)
task_actors = cast(Table, TaskActor.__table__)
