"""Why a flow went the way it went: what each condition read."""

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("step_taken") as taken:
        taken.add_column(sa.Column("why", Json, nullable=True))
