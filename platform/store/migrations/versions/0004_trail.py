"""Events are never changed; where their chain ends; who looked at which records."""

import sqlalchemy as sa
from alembic import op

from careloom.platform.store.model import Json, Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WORDS = (
    "id name subject_kind subject_id unit_id actor_id on_behalf_id cause_id depth at data".split()
)
REFUSAL = "events are never changed or removed"
SEALING = (
    "OLD.seq IS NULL AND NEW.seq IS NOT NULL AND OLD.hash IS NULL AND NEW.hash IS NOT NULL AND "
)


def upgrade() -> None:
    op.create_table(
        "chain_end",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_end")),
    )
    op.execute(
        "INSERT INTO chain_end (id, seq, hash)"
        " SELECT 1, seq, hash FROM event WHERE seq = (SELECT max(seq) FROM event)"
    )
    op.create_table(
        "view_log",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ids", Json, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_log")),
    )
    op.create_index("ix_view_log_form", "view_log", ["form", "at"], unique=False)
    op.create_index("ix_view_log_person", "view_log", ["person_id", "at"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    same = " AND ".join(f"OLD.{word} IS NEW.{word}" for word in WORDS)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    op.execute(
        f"CREATE TRIGGER event_keeps_its_words BEFORE UPDATE ON event"
        f" WHEN NOT ({SEALING} {same}) {refuse}"
    )
    op.execute(f"CREATE TRIGGER event_is_kept BEFORE DELETE ON event {refuse}")


def _guard_postgresql() -> None:
    old, new = (", ".join(f"{row}.{word}" for word in WORDS) for row in ("OLD", "NEW"))
    op.execute(
        "CREATE FUNCTION event_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';"
        " END $$"
    )
    op.execute(
        "CREATE TRIGGER event_keeps_its_words BEFORE UPDATE ON event FOR EACH ROW"
        f" WHEN (NOT ({SEALING} ROW({old}) IS NOT DISTINCT FROM ROW({new})))"
        " EXECUTE FUNCTION event_stays()"
    )
    op.execute(
        "CREATE TRIGGER event_is_kept BEFORE DELETE ON event"
        " FOR EACH ROW EXECUTE FUNCTION event_stays()"
    )
    op.execute(
        "CREATE TRIGGER events_are_kept BEFORE TRUNCATE ON event"
        " FOR EACH STATEMENT EXECUTE FUNCTION event_stays()"
    )
