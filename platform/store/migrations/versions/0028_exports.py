"""Files of records that were taken out, and those that somebody asks to take out."""

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json, Moment

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'asked'")


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("until", Moment(), nullable=True),
        sa.Column("question", Json, nullable=False),
        sa.Column("columns", Json, nullable=False),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", Moment(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("done_at", Moment(), nullable=True),
        sa.Column("taken", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    op.create_index("ix_export_person", "export", ["person_id", "asked_at"], unique=False)
    op.create_index("ix_export_answered", "export", ["answered_by", "answered_at"], unique=False)
    op.create_index("ix_export_open", "export", ["until"], sqlite_where=OPEN, postgresql_where=OPEN)
