"""Attached files: who may have each, and what its bytes are."""

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=True),
        sa.Column("record_id", sa.BigInteger(), nullable=True),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.BigInteger(), nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    op.create_index("ix_file_record", "file", ["form", "record_id"], unique=False)
    op.create_index("ix_file_state", "file", ["state", "at"], unique=False)
