"""Who was tried, from where: what the trail is told once a login's tries are over."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (
        ("address", sa.String(length=64)),
        ("person_id", sa.BigInteger()),
        ("passed", sa.Integer()),
        ("logins", sa.Integer()),
    ):
        op.add_column("sign_in_attempt", sa.Column(name, kind, nullable=True))
