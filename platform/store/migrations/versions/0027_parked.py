"""What was set aside is found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

PARKED = sa.text("parked_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_handoff_parked",
        "handoff",
        ["event_id"],
        unique=False,
        sqlite_where=PARKED,
        postgresql_where=PARKED,
    )
