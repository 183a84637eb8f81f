"""What a deed does to the rows of a database, and doing the same to other rows by the bare driver.

A deed is carried out once between two looks at every table; what differs is what it did. The driver
then reads the rows that will change, and writes them and the new ones in one transaction with the
same durability. It decides nothing and checks nothing.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from sqlalchemy import JSON, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn

from careloom.platform.store.database import Database

Table = dict[tuple[Any, ...], dict[str, Any]]  # the rows by their primary key
Ids = Mapping[int, int]


@dataclass(frozen=True)
class Change:
    """One row a deed wrote. kind: insert, update or delete; at: its key; values: its columns, of
    an update those that differ."""

    kind: str
    table: str
    at: dict[str, Any]
    values: dict[str, Any]


def changes(database: Database, deed: Callable[[], Any]) -> list[Change]:
    """Carry out the deed; the rows it wrote."""
    before = _look(database)
    deed()
    after = _look(database)
    return [change for table in after for change in _differences(table, before, after)]


def _differences(
    table: tuple[str, tuple[str, ...]],
    before: Mapping[Any, Table],
    after: Mapping[Any, Table],
) -> Iterator[Change]:
    name, keys = table
    old, new = before[table], after[table]
    for at, row in new.items():
        place = dict(zip(keys, at, strict=True))
        if at not in old:
            yield Change("insert", name, place, row)
        elif row != old[at]:
            differs = {key: value for key, value in row.items() if value != old[at][key]}
            yield Change("update", name, place, differs)
    for at in old.keys() - new.keys():
        yield Change("delete", name, dict(zip(keys, at, strict=True)), {})


def _look(database: Database) -> dict[tuple[str, tuple[str, ...]], Table]:
    """Every table by its name and its primary key's columns, as the driver reads it."""
    inspector, found = inspect(database.reader), {}
    driver = database.reader.raw_connection()
    for name in sorted(inspector.get_table_names()):
        keys = tuple(inspector.get_pk_constraint(name)["constrained_columns"])
        if not keys:
            continue
        cursor = driver.cursor()
        cursor.execute(f'SELECT {_as_sent(inspector.get_columns(name))} FROM "{name}"')
        columns = [column[0] for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor]
        found[name, keys] = {tuple(row[key] for key in keys): row for row in rows}
    driver.close()
    return found


def _as_sent(columns: list[ReflectedColumn]) -> str:
    """The columns to select; JSON as its text, as it may be written again."""
    return ", ".join(
        f'CAST("{column["name"]}" AS TEXT) AS "{column["name"]}"'
        if isinstance(column["type"], JSON)
        else f'"{column["name"]}"'
        for column in columns
    )


def statements(made: list[Change], mark: str) -> list[tuple[str, list[Any]]]:
    """The SQL of the changes and its values; a row that changes or goes is read first."""
    found = []
    for change in made:
        where = " AND ".join(f'"{key}" = {mark}' for key in change.at)
        at, values = list(change.at.values()), list(change.values.values())
        names = [f'"{key}"' for key in change.values]
        if change.kind == "insert":
            into = f'"{change.table}" ({", ".join(names)})'
            marks = ", ".join(mark for _ in names)
            found.append((f"INSERT INTO {into} VALUES ({marks})", values))
            continue
        found.append((f'SELECT * FROM "{change.table}" WHERE {where}', at))
        if change.kind == "delete":
            found.append((f'DELETE FROM "{change.table}" WHERE {where}', at))
        else:
            places = ", ".join(f"{name} = {mark}" for name in names)
            found.append((f'UPDATE "{change.table}" SET {places} WHERE {where}', values + at))
    return found


def driver_of(database: Database, made: list[Change], others: Iterator[Ids]) -> Callable[[], None]:
    """Does the changes again by the bare driver, to the rows that the next of `others` says (its
    id for each that the deed met) and under new ids."""
    mark = "?" if database.dialect == "sqlite" else "%s"
    sent, begin, execute, commit = statements(made, mark), *_driver(database)
    new = {
        value
        for change in made
        if change.kind == "insert"
        for key, value in change.at.items()
        if key.endswith("id")
    }
    steps = count(1)

    def write() -> None:
        known, step = next(others), next(steps) << 40

        def other(value: Any) -> Any:
            if type(value) is not int:
                return value
            return known.get(value, value + step if value in new else value)

        begin()
        for statement, values in sent:
            cursor = execute(statement, [other(value) for value in values])
            if cursor.description is not None:
                cursor.fetchone()
        commit()

    return write


def _driver(database: Database) -> tuple[Callable[..., Any], ...]:
    """begin, execute and commit of a connection with the settings that the platform runs with."""
    if database.dialect == "sqlite":
        lite = sqlite3.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            lite.execute(f"PRAGMA {pragma}")
        return (
            lambda: lite.execute("BEGIN IMMEDIATE"),
            lite.execute,
            lambda: lite.execute("COMMIT"),
        )
    post = psycopg.connect(database.url.replace("+psycopg", ""))
    return lambda: None, post.execute, post.commit
