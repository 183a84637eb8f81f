"""Tables: the task, whom it is offered to, what is said to it; the message and its readers."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Boolean, Index, String, Table, Text, text
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
    DELEGATED = "delegated"
    """Who holds the task asked this person to look at it; it comes back to them."""


class NoteKind(StrEnum):
    """What somebody did with a task, beside doing it."""

    COMMENT = "comment"
    REASSIGNED = "reassigned"
    DELEGATED = "delegated"
    ANSWERED = "answered"
    """Of who had it delegated to them: it went back."""
    SIGNER = "signer"
    """Had one more person say yes to an approval."""
    TAKEN_BACK = "taken_back"
    """Had completed it, and has it again."""
    REMINDED = "reminded"
    """Asked those who have it to hurry."""


class Task(Base):
    """Something one person is asked to do, about one record, by one moment."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_instance", "instance_id"),
        Index("ix_task_subject", "subject_form", "subject_id"),
        Index(
            "ix_task_held",
            "holder_id",
            sqlite_where=text("state = 'open' AND holder_id IS NOT NULL"),
            postgresql_where=text("state = 'open' AND holder_id IS NOT NULL"),
        ),
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
    principal_id: Mapped[int | None] = mapped_column(Id)
    """While it is delegated, the person to whom it comes back; the holder then only answers."""
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
    comment: Mapped[str | None] = mapped_column(Text)
    """What the person said to it."""


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


class TaskNote(Base):
    """What a person said to a task, or did with it. `to_id`: to whom they gave it."""

    __tablename__ = "task_note"
    __table_args__ = (Index("ix_task_note_instance", "instance_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    task_id: Mapped[int] = mapped_column(Id)
    instance_id: Mapped[int] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(12))
    person_id: Mapped[int | None] = mapped_column(Id)
    to_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(Moment)
    text: Mapped[str | None] = mapped_column(Text)


class MessageState(StrEnum):
    """Where a message stands."""

    SCHEDULED = "scheduled"
    """Due at a moment that is to come, or that its record does not decide yet."""
    PASSED = "passed"
    """Its moment was over when it was written; leaves only when the moment moves ahead."""
    SENT = "sent"
    """Went to those it is for; never leaves."""
    DROPPED = "dropped"
    """The flow went another way before it was sent; never leaves."""


class Message(Base):
    """Something a notify step says: to people, or to a customer (then it is the channel's)."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_instance", "instance_id", "step_key"),
        Index("ix_message_subject", "subject_form", "subject_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    instance_id: Mapped[int] = mapped_column(Id)
    step_key: Mapped[str] = mapped_column(String(80))
    number: Mapped[int]
    """Which of the step's moments it belongs to, from 0 on."""
    flow_key: Mapped[str] = mapped_column(String(40))
    flow_version: Mapped[int]
    subject_form: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(Id)
    unit_id: Mapped[int | None] = mapped_column(Id)
    customer_form: Mapped[str | None] = mapped_column(String(40))
    customer_id: Mapped[int | None] = mapped_column(Id)
    """The record of the customer it is for; none when it is for people."""
    text: Mapped[Any] = mapped_column(Json)
    """With its gaps until it is sent, then as it was sent."""
    state: Mapped[str] = mapped_column(String(12))
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    since: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)


class MessageReader(Base):
    """One person a message is for, and when they read it."""

    __tablename__ = "message_reader"
    __table_args__ = (
        Index("ix_message_reader_message", "message_id"),
        Index(
            "ix_message_reader_unread",
            "person_id",
            "message_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    person_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    read_at: Mapped[datetime | None] = mapped_column(Moment)


tasks = cast(Table, Task.__table__)
task_actors = cast(Table, TaskActor.__table__)
task_notes = cast(Table, TaskNote.__table__)
messages = cast(Table, Message.__table__)
message_readers = cast(Table, MessageReader.__table__)
