"""The formulas' functions in PostgreSQL's schema `formula`; SQLite's are registered in Python."""

from alembic import op

from careloom.platform.expressions.postgresql import STATEMENTS

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in STATEMENTS:
            op.execute(statement.replace(":", r"\:"))
