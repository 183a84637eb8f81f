"""Whose signature of a pack counts here."""

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Id, Moment

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pack_signer",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("key", sa.String(43), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("by", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pack_signer"),
        sa.UniqueConstraint("name", name="uq_pack_signer_name"),
        sa.UniqueConstraint("key", name="uq_pack_signer_key"),
    )
