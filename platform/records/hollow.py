"""A house without its records: its units, its people, its definitions, for a database of its own.

It is there for trying things out: what a flow, a form or a right is worked out from goes along;
what somebody signs in with does not.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, CreateTable

from ..definitions.model import DefinitionRow, VersionRow
from ..definitions.published import entries
from ..identity.model import GrantRow, Person, Role, Unit
from ..store.database import Database
from ..store.session import bump_epoch, moment
from ..store.upgrade import upgrade
from .backup import form_tables

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""Since when people hold what they hold now: the clock of what is tried out may be turned back."""

NO_SECRETS = dict.fromkeys(("password_hash",))
"""Nobody signs in to what is tried out: no person's secret goes along."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Hollow:
    """The rows that make a house, as `hollow` has read them."""

    units: Rows
    people: Rows
    roles: Rows
    grants: Rows
    definitions: Rows
    versions: Rows

    def put(self, database: Database) -> None:
        """Make an empty database this house, with a table for each form and nothing in it."""
        upgrade(database.url)
        database.write(self._rows)
        database.write(_tables)

    def _rows(self, session: Session) -> None:
        # A unit above comes first; the one below that takes what arrives is not there yet.
        _insert(session, insert(Unit), [{**row, "intake_id": None} for row in self.units])
        for row in self.units:
            if row["intake_id"] is not None:
                its = update(Unit).where(Unit.id == row["id"])
                session.execute(its.values(intake_id=row["intake_id"]))
        _insert(session, insert(Person), self.people)
        _insert(session, insert(Role), self.roles)
        _insert(session, insert(GrantRow), self.grants)
        _insert(session, insert(DefinitionRow), self.definitions)
        _insert(session, insert(VersionRow), self.versions)
        bump_epoch(session)


def hollow(session: Session) -> Hollow:
    """This house as it is now, without its records, its past and its secrets."""
    now = moment(session)
    grants = [
        {**row, "since": ALWAYS if row["since"] <= now else row["since"]}
        for row in _read(session, GrantRow, GrantRow.id)
        if row["until"] is None or row["until"] > now
    ]
    return Hollow(
        units=_read(session, Unit, Unit.path),
        people=[{**row, **NO_SECRETS} for row in _read(session, Person, Person.id)],
        roles=_read(session, Role, Role.key),
        grants=grants,
        definitions=_read(session, DefinitionRow, DefinitionRow.id),
        versions=_in_force(session),
    )


def _in_force(session: Session) -> Rows:
    """Nothing goes on in an older version where nothing has begun."""
    its, row = VersionRow.__table__, DefinitionRow.__table__
    same = (its.c.kind == row.c.kind) & (its.c.key == row.c.key) & (its.c.version == row.c.version)
    query = select(its).join(row, same).order_by(its.c.kind, its.c.key)
    return [dict(found) for found in session.execute(query).mappings()]


def _read(session: Session, model: Any, *order: Any) -> Rows:
    query = select(model.__table__).order_by(*order)
    return [dict(found) for found in session.execute(query).mappings()]


def _insert(session: Session, statement: Any, rows: Rows) -> None:
    if rows:
        session.execute(statement, rows)


def _tables(session: Session) -> None:
    connection = session.connection()
    for entry in entries(session, "form"):
        for table in form_tables(session, entry.key, {}):
            connection.execute(CreateTable(table))
            for index in table.indexes:
                connection.execute(CreateIndex(index))
