"""The views of a form's records that people have saved."""

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json, Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "record_view",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("role_key", sa.String(length=40), nullable=True),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_view")),
    )
    op.create_index("ix_record_view_person", "record_view", ["person_id", "form"], unique=False)
    op.create_index("ix_record_view_role", "record_view", ["role_key", "form"], unique=False)
