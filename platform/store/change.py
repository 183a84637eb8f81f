"""Two shapes of a form's table -> what has to be done to it. Nothing is ever dropped.

A removed field's column stays, retired, with its data. A change of type is a widening that every
old value survives (numbers get more decimals by multiplying), or it is refused, as are more
decimals than an old value has room for. Alembic's batch mode is never used: on SQLite it copied
the table and lost child rows through the cascade.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Table, inspect, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, CreateTable

from .columns import LARGEST, ColumnSpec, blind_column, column
from .tables import index_name

#: numbers without decimals and with them; whole ones have the scale 0
NUMBERS = {"whole", "scaled"}


@dataclass(frozen=True)
class Change:
    """What will be done to a table: kind is create, add, index, rescale, retire or back."""

    kind: str
    key: str
    spec: ColumnSpec | None = None
    was: ColumnSpec | None = None


class NotUnique(Exception):
    """Records there are already share values in a field (its key) that is to be unique."""


class TooLarge(Exception):
    """A number there is already has no room for the further decimals of its field (its key)."""


def plan(
    before: Sequence[ColumnSpec] | None, after: Sequence[ColumnSpec], kept: Sequence[ColumnSpec]
) -> tuple[list[Change], list[str]]:
    """What leads from one version's columns to the next one's; the keys of fields whose change
    would lose data come second.

    before: the version in force, or None for a new form. kept: every column any version had
    (retired ones come back with the type they have).
    """
    if before is None:
        return [Change("create", "", None)], []
    changes: list[Change] = []
    refused: list[str] = []
    there = {spec.key: spec for spec in kept}
    live = {spec.key for spec in before}
    for spec in after:
        was = there.get(spec.key)
        if was is None:
            changes.append(Change("add", spec.key, spec))
            continue
        if spec.key not in live:
            changes.append(Change("back", spec.key, spec))
        alike = was.storage == spec.storage or {was.storage, spec.storage} <= NUMBERS
        if not alike or was.encrypted != spec.encrypted or was.scale > spec.scale:
            refused.append(spec.key)
            continue
        if was.scale < spec.scale:
            changes.append(Change("rescale", spec.key, spec, was))
        if (was.unique, was.index) != (spec.unique, spec.index):
            changes.append(Change("index", spec.key, spec, was))
    wanted = {spec.key for spec in after}
    changes += [Change("retire", spec.key, spec) for spec in before if spec.key not in wanted]
    return changes, refused


def carry_out(session: Session, table: Table, changes: Sequence[Change]) -> dict[str, str]:
    """Do what was planned to a table, given as it will be, in the session's transaction.

    Returns the indexes, by their fields, that are to be built later (see `indexes`): on a table
    that has rows, an index that forbids nothing is worth nobody's waiting. Raises NotUnique,
    TooLarge.
    """
    connection = session.connection()
    operations = Operations(MigrationContext.configure(connection))
    indexed: list[ColumnSpec] = []  # once every column is there: a unique index may need others
    for change in changes:
        if change.kind == "create":
            connection.execute(CreateTable(table))
            for index in table.indexes:
                connection.execute(CreateIndex(index))
        elif change.kind == "add" and change.spec:
            wanted = [column(change.spec)]
            wanted += [blind_column(change.spec)] if change.spec.encrypted else []
            there = {each["name"] for each in inspect(connection).get_columns(table.name)}
            for each in wanted:
                if each.name not in there:  # a version that nobody understands may have had it
                    operations.add_column(table.name, each)
            indexed.append(change.spec)
        elif change.kind == "rescale" and change.spec and change.was:
            _rescale(connection, table, change.spec, change.was)
        elif change.kind == "index" and change.spec and change.was:
            if old := index_name(table.name, change.was):
                operations.drop_index(old, table_name=table.name, if_exists=True)
            indexed.append(change.spec)
    later: dict[str, str] = {}
    for spec in indexed:
        _index(connection, table, spec, later)
    return later


def _rescale(connection: Connection, table: Table, spec: ColumnSpec, was: ColumnSpec) -> None:
    """Beyond 64 bits SQLite would keep a number inexactly, and PostgreSQL not at all."""
    kept, factor = table.c[spec.key], 10 ** (spec.scale - was.scale)
    most = LARGEST // factor
    beyond = select(kept).where(or_(kept > most, kept < -most)).limit(1)
    if connection.execute(beyond).first() is not None:
        raise TooLarge(spec.key)
    connection.execute(update(table).values({spec.key: kept * factor}))


def _index(connection: Connection, table: Table, spec: ColumnSpec, later: dict[str, str]) -> None:
    """A unique index is built at once: a value that is there twice must refuse the version."""
    name = index_name(table.name, spec)
    if name is None:
        return
    if spec.unique is None:
        later[spec.key] = name
        return
    index = next(each for each in table.indexes if each.name == name)
    try:
        connection.execute(CreateIndex(index))
    except IntegrityError as error:
        raise NotUnique(spec.key) from error
