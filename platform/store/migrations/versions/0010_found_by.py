"""What records are found by: the name's pinyin and initials, in each form's table.

The columns come empty; a job for each form fills them in beside the people at work.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json, Moment
from careloom.platform.store.tables import table_name

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

JOB = sa.table(
    "store_job",
    sa.column("kind"),
    sa.column("form"),
    sa.column("about"),
    sa.column("data", Json),
    sa.column("place"),
    sa.column("done"),
    sa.column("asked_at", Moment),
    sa.column("due_at", Moment),
    sa.column("tries"),
)


def upgrade() -> None:
    connection = op.get_bind()
    definition = sa.table("definition", sa.column("kind"), sa.column("key"))
    forms = sa.select(definition.c.key).where(definition.c.kind == "form")
    now = datetime.now(UTC)
    for form in connection.execute(forms).scalars().all():
        op.add_column(table_name(form), sa.Column("_found_by", sa.Text(), nullable=True))
        job = {"kind": "found_by", "form": form, "about": "", "data": {}, "place": 0, "done": 0}
        connection.execute(sa.insert(JOB), {**job, "asked_at": now, "due_at": now, "tries": 0})
