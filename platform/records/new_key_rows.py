"""The platform's own encrypted columns by a new key: written anew a few at a time, as forms' are.

Rooms above name their tables in `ROWS`: what an older key wrote there counts as its use.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Column, Table, or_, select, update
from sqlalchemy.orm import Session

from ..identity.model import SecondFactor
from ..store import jobs
from ..store.encrypted import keyring
from ..store.session import database_of

ROTATE_ROWS = "rotate_rows"
AT_ONCE = 50


@dataclass(frozen=True)
class Encrypted:
    """A table with columns that `Keyring.encrypt` wrote under the name `TABLE.COLUMN`."""

    table: Table
    columns: tuple[str, ...]

    @property
    def key(self) -> Column[object]:
        """What its rows are known by."""
        return next(iter(self.table.primary_key))

    def by(self, pattern: str) -> list[object]:
        """Conditions, one for each column: what of it was written by such a key."""
        return [self.table.c[name].like(pattern) for name in self.columns]


ROWS = {"second_factor": Encrypted(cast(Table, SecondFactor.__table__), ("secret",))}


def ask_for_rows(session: Session, number: int) -> None:
    """Have them written anew by the newest key."""
    for name in ROWS:
        jobs.ask(session, ROTATE_ROWS, name, "", {"key": number})


@jobs.in_one_transaction
def write_rows_anew(session: Session, job: jobs.Job) -> bool:
    """Write the next rows anew; whether any are left."""
    progress = jobs.held(session, job)
    if progress is None or job.form not in ROWS:
        return False
    its, ring = ROWS[job.form], keyring(database_of(session).home)
    current = f"{ring.newest()}:"
    older = or_(*(~its.table.c[name].startswith(current) for name in its.columns))
    query = select(its.table).where(older).order_by(its.key).limit(AT_ONCE).with_for_update()
    rows = session.execute(query).all()
    if not rows:
        jobs.forget(session, *job.key)
        return False
    for row in rows:
        anew = {}
        for name in its.columns:
            kept = row._mapping[name]
            if kept and not kept.startswith(current):
                column = f"{its.table.name}.{name}"
                anew[name] = ring.encrypt(column, ring.decrypt(column, kept))
        session.execute(update(its.table).where(its.key == row._mapping[its.key.name]).values(anew))
    progress.done += len(rows)
    session.flush()
    return True


def rows_by(session: Session, number: int) -> Iterator[bool]:
    """Of each table, whether anything in it was written by this key."""
    for its in ROWS.values():
        found = select(its.key).where(or_(*its.by(f"{number}:%"))).limit(1)  # type: ignore[arg-type]
        yield session.execute(found).first() is not None


def sample_rows(session: Session) -> Iterator[tuple[str, str]]:
    """Of each column, `table.column`, what is kept of the newest row that has something there."""
    for its in ROWS.values():
        for name in its.columns:
            column = its.table.c[name]
            query = select(column).where(column.is_not(None), column != "").order_by(its.key.desc())
            kept = session.scalar(query.limit(1))
            if kept is not None:
                yield f"{its.table.name}.{name}", kept


jobs.KINDS[ROTATE_ROWS] = write_rows_anew
