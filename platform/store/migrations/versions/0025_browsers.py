"""What kind of browser each sign-in is of."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("browser", "system"):
        op.add_column("sign_in", sa.Column(name, sa.String(length=20), nullable=True))
