"""An index on a table that people are writing to.

PostgreSQL builds it beside the writers, outside any transaction; one that was broken off is left
behind as invalid, and is dropped and begun anew. SQLite builds it in a deed of its own.
"""

import hashlib

from sqlalchemy import Connection, Index, text
from sqlalchemy.schema import CreateIndex, DropIndex

from .database import Database

WAIT = "5s"
"""For the transactions that were under way: a long report is waited for by coming again later."""
VALID = text(
    "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " WHERE relname = :name AND pg_table_is_visible(indexrelid)"
)


def build(database: Database, index: Index) -> bool:
    """Have the index, whole; False when another process is building it just now.

    Raises DBAPIError when it could not be had yet; what is half built is harmless.
    """
    if database.dialect == "sqlite":
        statement = CreateIndex(index, if_not_exists=True)
        database.write(lambda session: session.execute(statement))
        return True
    engine = database.reader.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # The lock belongs to the connection: a killed builder's goes with it.
        if not connection.execute(text("SELECT pg_try_advisory_lock(:n)"), _number(index)).scalar():
            return False
        before = connection.execute(text("SHOW lock_timeout")).scalar_one()
        try:
            connection.execute(text(f"SET lock_timeout = '{WAIT}'"))  # nosemgrep (ours)
            _build(connection, index)
        finally:
            again = text("SELECT set_config('lock_timeout', :before, false)")
            connection.execute(again, {"before": before})
            connection.execute(text("SELECT pg_advisory_unlock(:n)"), _number(index))
    return True


def _build(connection: Connection, index: Index) -> None:
    index.dialect_options["postgresql"]["concurrently"] = True
    try:
        if connection.execute(VALID, {"name": index.name}).scalar() is False:
            connection.execute(DropIndex(index, if_exists=True))
        connection.execute(CreateIndex(index, if_not_exists=True))
    finally:
        index.dialect_options["postgresql"]["concurrently"] = False


def _number(index: Index) -> dict[str, int]:
    digest = hashlib.sha256(f"index {index.name}".encode()).digest()
    return {"n": int.from_bytes(digest[:8], "big", signed=True)}
