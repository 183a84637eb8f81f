"""Work of the store's own that waits for its turn; who saw each record, by record."""

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json, Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "store_job",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=90), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("kind", "form", "about", name=op.f("pk_store_job")),
    )
    op.create_table(
        "viewed",
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("view_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("form", "record_id", "at", "view_id", name=op.f("pk_viewed")),
        sqlite_with_rowid=False,
    )
    _fill_viewed()


def _fill_viewed() -> None:
    """What was looked at before has its lines as well."""
    if op.get_bind().dialect.name == "postgresql":
        each = "jsonb_array_elements_text(ids) AS one(value)"
    else:
        each = "json_each(ids) AS one"
    op.execute(
        "INSERT INTO viewed (form, record_id, at, view_id)"
        f" SELECT DISTINCT form, CAST(one.value AS BIGINT), at, view_log.id FROM view_log, {each}"
    )
