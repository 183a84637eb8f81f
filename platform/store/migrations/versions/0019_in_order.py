"""What records are found by begins with the name's pinyin, by which lists are put in order.

On PostgreSQL the column gets the order of its letters' numbers, as SQLite has it, which rewrites
no row. A job for each form writes the texts anew beside the people at work.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json, Moment
from careloom.platform.store.tables import table_name

revision = "0019"
down_revision = "0018"
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
        if connection.dialect.name == "postgresql":
            op.alter_column(table_name(form), "_found_by", type_=sa.Text(collation="C"))
        connection.execute(
            sa.delete(JOB).where(JOB.c.kind == "found_by", JOB.c.form == form, JOB.c.about == "")
        )
        job = {"kind": "found_by", "form": form, "about": "", "data": {}, "place": 0, "done": 0}
        connection.execute(sa.insert(JOB), {**job, "asked_at": now, "due_at": now, "tries": 0})
