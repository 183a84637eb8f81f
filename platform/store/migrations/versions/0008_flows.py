"""Flows wait for records, events and moments that move; messages; approvals; parked timers."""

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json, Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _waits()
    _messages()
    with op.batch_alter_table("task") as task:
        task.add_column(sa.Column("comment", sa.Text(), nullable=True))
    with op.batch_alter_table("timer") as timer:
        timer.add_column(sa.Column("incident_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_timer_incident",
        "timer",
        ["incident_id"],
        unique=False,
        sqlite_where=sa.text("incident_id IS NOT NULL"),
        postgresql_where=sa.text("incident_id IS NOT NULL"),
    )
    with op.batch_alter_table("instance") as instance:
        instance.add_column(sa.Column("result", sa.String(length=40), nullable=True))
        instance.add_column(sa.Column("parent_id", sa.BigInteger(), nullable=True))


def _waits() -> None:
    """Until now every wait was for a moment."""
    with op.batch_alter_table("wait") as wait:
        wait.alter_column("until", existing_type=Moment(), nullable=True)
        wait.add_column(sa.Column("arm", sa.String(length=40), nullable=True))
        wait.add_column(sa.Column("kind", sa.String(length=8), nullable=True))
        wait.add_column(sa.Column("form_key", sa.String(length=40), nullable=True))
        wait.add_column(sa.Column("record_id", sa.BigInteger(), nullable=True))
        wait.add_column(sa.Column("what", sa.String(length=81), nullable=True))
    op.execute("UPDATE wait SET kind = 'moment'")
    with op.batch_alter_table("wait") as wait:
        wait.alter_column("kind", existing_type=sa.String(length=8), nullable=False)
    op.create_index("ix_wait_token", "wait", ["token_id"], unique=False)
    op.create_index(
        "ix_wait_record",
        "wait",
        ["form_key", "record_id"],
        unique=False,
        sqlite_where=sa.text("record_id IS NOT NULL"),
        postgresql_where=sa.text("record_id IS NOT NULL"),
    )
    op.create_table(
        "watch",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("form_key", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
    )
    op.create_index("ix_watch_record", "watch", ["form_key", "record_id"], unique=False)
    op.create_index("ix_watch_owner", "watch", ["owner_id"], unique=False)
    op.create_index("ix_watch_instance", "watch", ["instance_id"], unique=False)


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("step_key", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("flow_key", sa.String(length=40), nullable=False),
        sa.Column("flow_version", sa.Integer(), nullable=False),
        sa.Column("subject_form", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_form", sa.String(length=40), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("text", Json, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index("ix_message_instance", "message", ["instance_id", "step_key"], unique=False)
    op.create_index("ix_message_subject", "message", ["subject_form", "subject_id"], unique=False)
    op.create_table(
        "message_reader",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("read_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", "message_id", name=op.f("pk_message_reader")),
    )
    op.create_index("ix_message_reader_message", "message_reader", ["message_id"], unique=False)
    op.create_index(
        "ix_message_reader_unread",
        "message_reader",
        ["person_id", "message_id"],
        unique=False,
        sqlite_where=sa.text("read_at IS NULL"),
        postgresql_where=sa.text("read_at IS NULL"),
    )
