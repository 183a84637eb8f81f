"""Connections to other systems, and the calls that flows make over them."""

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json, Moment

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "connection",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("title", Json, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("host", sa.String(length=260), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("header", sa.String(length=60), nullable=True),
        sa.Column("header_value", sa.Text(), nullable=True),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("shut_until", Moment(), nullable=True),
        sa.Column("trouble", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_connection")),
    )
    op.create_table(
        "call",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("step_key", sa.String(length=80), nullable=False),
        sa.Column("connection_key", sa.String(length=40), nullable=False),
        sa.Column("subject_form", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("same", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reads", Json, nullable=False),
        sa.Column("wants", Json, nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("leased_until", Moment(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("trouble", sa.String(length=40), nullable=True),
        sa.Column("over_at", Moment(), nullable=True),
        sa.Column("answer", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index("ix_call_instance", "call", ["instance_id"], unique=False)
    op.create_index("uq_call_same", "call", ["same"], unique=True)
    for name, columns in (
        ("ix_call_due", ["connection_key", "due_at"]),
        ("ix_call_order", ["connection_key", "subject_form", "subject_id", "id"]),
    ):
        op.create_index(name, "call", columns, sqlite_where=WAITING, postgresql_where=WAITING)
