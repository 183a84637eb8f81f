"""Who has which tasks in their hands is read from an index."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_task_held",
        "task",
        ["holder_id"],
        unique=False,
        sqlite_where=sa.text("state = 'open' AND holder_id IS NOT NULL"),
        postgresql_where=sa.text("state = 'open' AND holder_id IS NOT NULL"),
    )
