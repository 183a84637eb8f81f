"""Whether a process may begin: the database is not older than it, and its keys open what is there.

A chain's machines each have a data folder. Keys that were not copied would not be missed before
somebody opens a record, and by then more may be written that the other machines cannot read.
"""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..definitions.published import entries
from ..store.database import Database
from ..store.encrypted import Unreadable, keyring
from ..store.errors import Conflict, NotUnderstood
from ..store.upgrade import is_behind
from .new_key import encrypted_fields
from .new_key_rows import sample_rows


def require_standing(database: Database) -> None:
    """Raises Conflict: E_DATABASE_BEHIND, E_KEYS_MISSING, E_KEYS_OTHER."""
    if is_behind(database.url):
        raise Conflict("E_DATABASE_BEHIND")
    ring = keyring(database.home)
    if database.dialect == "postgresql" and not ring.numbers():
        raise Conflict("E_KEYS_MISSING", folder=str(database.home))
    with database.read() as session:
        for column, kept in _samples(session):
            try:
                ring.decrypt(column, kept)
            except Unreadable:
                raise Conflict("E_KEYS_OTHER", folder=str(database.home), field=column) from None


def begin_keys(database: Database) -> None:
    """Make the first keys, unless something is encrypted already: then they are elsewhere."""
    with database.read() as session:
        if next(_samples(session), None) is None:
            keyring(database.home).begin()


def _samples(session: Session) -> Iterator[tuple[str, str]]:
    """Of everything that is encrypted, `form.field` or `table.column`, what is kept of the newest
    record or row."""
    yield from sample_rows(session)
    for entry in entries(session, "form"):
        try:
            fields = encrypted_fields(session, entry.key)
        except NotUnderstood:  # of a later release, or damaged: the others are to be served
            continue
        for shape, key in fields:
            column = shape.table.c[key]
            query = select(column).where(column.is_not(None)).order_by(shape.table.c._id.desc())
            kept = session.scalar(query.limit(1))
            if kept:
                yield f"{entry.key}.{key}", kept
