"""Each form's records have an index in the order of their names, built by a job."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json, Moment
from careloom.platform.store.tables import names_index, table_name

revision = "0021"
down_revision = "0020"
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
        data = {"index": names_index(table_name(form))}
        job = {"kind": "index", "form": form, "about": "_found_by", "data": data}
        times = {"place": 0, "done": 0, "asked_at": now, "due_at": now, "tries": 0}
        connection.execute(sa.insert(JOB), {**job, **times})
