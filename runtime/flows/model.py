"""Tables: the instance, its tokens and waits, the steps it took, and its incidents."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Index, String, Table, text
from sqlalchemy.orm import Mapped, mapped_column

from ...platform.store.model import Base, Id, Json, Moment
from . import events  # noqa: F401  what is told of these rows


class InstanceState(StrEnum):
    """Where an instance stands."""

    RUNNING = "running"
    """Its tokens wait for people or timers, or have an incident."""
    SUSPENDED = "suspended"
    """Somebody halted it: tasks cannot be completed and timers are held, until resumed."""
    ENDED = "ended"
    """Every token came to an end; never leaves."""
    CANCELLED = "cancelled"
    """Somebody stopped it for good; never leaves."""


class TokenState(StrEnum):
    """Where a token stands."""

    WAITING = "waiting"
    """At a task or a wait; leaves when that is completed or due."""
    PAUSED = "paused"
    """The budget of one transaction was spent; leaves with the timer `go_on`."""
    STUCK = "stuck"
    """Its step failed and has an open incident; leaves when that is retried."""
    ENDED = "ended"
    """Came to an end step; never leaves."""
    CANCELLED = "cancelled"
    """Its instance was cancelled; never leaves."""


class Instance(Base):
    """One run of one version of a flow, about one record, because of one event."""

    __tablename__ = "instance"
    __table_args__ = (
        # Exactly once: the same event starts the same flow one time, whoever delivers it again.
        Index("uq_instance_cause", "flow_key", "cause_event", unique=True),
        Index("ix_instance_subject", "subject_form", "subject_id"),
        Index("ix_instance_flow", "flow_key", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    flow_key: Mapped[str] = mapped_column(String(40))
    flow_version: Mapped[int]
    subject_form: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(Id)
    unit_id: Mapped[int | None] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(12))
    cause_event: Mapped[int | None] = mapped_column(Id)
    """The event that started it; none when a person did."""
    revision: Mapped[int]
    """Counts the transitions that wrote it; each is guarded by the one it was read at."""
    names: Mapped[Any] = mapped_column(Json)
    """What steps produced: {key: its parts}, one entry a key; see `actions.commands.Named`."""
    visits: Mapped[Any] = mapped_column(Json)
    """How often each go_to was taken: {key: count}."""
    started_at: Mapped[datetime] = mapped_column(Moment)
    started_by: Mapped[int | None] = mapped_column(Id)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    result: Mapped[str | None] = mapped_column(String(40))
    """What its end said it came to."""
    parent_id: Mapped[int | None] = mapped_column(Id)
    """The instance whose action started it."""


class Token(Base):
    """A place in the flow where the instance is. Joins will count the tokens of one fork."""

    __tablename__ = "token"
    __table_args__ = (Index("ix_token_instance", "instance_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    instance_id: Mapped[int] = mapped_column(Id)
    step_key: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(12))
    fork_id: Mapped[int | None] = mapped_column(Id)
    since: Mapped[datetime] = mapped_column(Moment)


class Wait(Base):
    """What a token waits for, or one arm of a race. The row goes when it comes."""

    __tablename__ = "wait"
    __table_args__ = (
        Index("ix_wait_instance", "instance_id"),
        Index("ix_wait_token", "token_id"),
        Index(
            "ix_wait_record",
            "form_key",
            "record_id",
            sqlite_where=text("record_id IS NOT NULL"),
            postgresql_where=text("record_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    instance_id: Mapped[int] = mapped_column(Id)
    token_id: Mapped[int] = mapped_column(Id)
    step_key: Mapped[str] = mapped_column(String(80))
    arm: Mapped[str | None] = mapped_column(String(40))
    """Of a race, whose arm it is."""
    kind: Mapped[str] = mapped_column(String(8))
    """`moment` (a timer ends it), `record`, `event`, or `task` (beside the others of a race)."""
    form_key: Mapped[str | None] = mapped_column(String(40))
    record_id: Mapped[int | None] = mapped_column(Id)
    """The record that what comes leads to or is about; of a task the task."""
    what: Mapped[str | None] = mapped_column(String(81))
    """Of a record its form and link (`checkin.appointment`), of an event its name."""
    until: Mapped[datetime | None] = mapped_column(Moment)
    since: Mapped[datetime] = mapped_column(Moment)


class Incident(Base):
    """An automatic step that failed. The token stays at it until somebody retries."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_instance", "instance_id"),
        Index(
            "ix_incident_open",
            "opened_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    instance_id: Mapped[int] = mapped_column(Id)
    token_id: Mapped[int] = mapped_column(Id)
    step_key: Mapped[str] = mapped_column(String(80))
    code: Mapped[str] = mapped_column(String(60))
    params: Mapped[Any] = mapped_column(Json)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[int | None] = mapped_column(Id)
    closed_how: Mapped[str | None] = mapped_column(String(12))
    """`retried`, `skipped`, `cancelled`, or `passed` when the flow went on without it."""


class StepTaken(Base):
    """One entry into one step: an instance's history is these rows by id."""

    __tablename__ = "step_taken"
    __table_args__ = (Index("ix_step_taken_instance", "instance_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    instance_id: Mapped[int] = mapped_column(Id)
    token_id: Mapped[int] = mapped_column(Id)
    step_key: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(Moment)
    case_key: Mapped[str | None] = mapped_column(String(40))
    """For a branch the case that held, for a race the arm that came first; for a go_to `taken` or
    `spent`, for a round `round`, `until` or `spent`; `failed` where an incident was opened;
    `answered`, `given_up` or `skipped` for a call; `returned` where a task was; `taken_back` where
    one before it was."""
    why: Mapped[Any | None] = mapped_column(Json)
    """What the conditions read, where there were any; see `actions/reasons.py`."""


instances = cast(Table, Instance.__table__)
tokens = cast(Table, Token.__table__)
waits = cast(Table, Wait.__table__)
incidents = cast(Table, Incident.__table__)
steps_taken = cast(Table, StepTaken.__table__)
