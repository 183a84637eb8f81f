"""Whether the database is as it was: every row of every table, but for what only says what
happened (the trail) and what counts tries."""

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import MetaData, select

from careloom.platform.store.database import Database

#: tables that a refusal may write to
TRAIL = {
    "event",
    "handoff",
    "chain_end",
    "view_log",
    "viewed",
    "sign_in_attempt",
    "sign_in",
    "half_sign_in",
    "node",
    "alembic_version",
}


def fingerprint(database: Database) -> dict[str, tuple[int, str]]:
    """Table -> how many rows it has, and a hash of all they hold."""
    found = {}
    with database.read() as session:
        tables = MetaData()
        with warnings.catch_warnings(action="ignore"):  # of indexes by expression
            tables.reflect(session.connection())
        for name, table in sorted(tables.tables.items()):
            if name not in TRAIL:
                rows = sorted(repr(tuple(row)) for row in session.execute(select(table)))
                digest = hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass"))
                found[name] = (len(rows), digest.hexdigest())
    return found


@contextmanager
def nothing_changes(database: Database) -> Iterator[None]:
    """Fails naming the tables that are not as they were."""
    before = fingerprint(database)
    yield
    after = fingerprint(database)
    changed = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    assert not changed, f"changed: {sorted(changed)}"
