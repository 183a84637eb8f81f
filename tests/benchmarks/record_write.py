"""A record of 40 columns, with its history and its event, against the bare driver.

The reference inserts the very rows that one submit adds, table by table, in one transaction with
the same durability; it checks nothing. What lies between is the price of permission, validation,
computed values, history and events as code.
"""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import make
import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import inspect, text

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import submit
from careloom.platform.store.database import Database

from .measure import KINDS, Result, fresh, in_turns

TIMES = 40
WIDE = make.form(
    "wide",
    {
        **{f"word_{n}": make.field() for n in range(12)},
        **{f"number_{n}": make.field("number", x_scale=2) for n in range(10)},
        **{f"day_{n}": make.field("date") for n in range(6)},
        **{f"choice_{n}": make.field("choice", x_options=make.fixed("a", "b")) for n in range(6)},
        **{f"yes_{n}": make.field("yesno") for n in range(6)},
    },
    x_label="word_0",
)
VALUES: dict[str, Any] = {
    **{f"word_{n}": f"客户的第{n}句话" for n in range(12)},
    **{f"number_{n}": f"{n}.25" for n in range(10)},
    **{f"day_{n}": str(date(2026, 3, 3) + timedelta(days=n)) for n in range(6)},
    **{f"choice_{n}": "ab"[n % 2] for n in range(6)},
    **{f"yes_{n}": bool(n % 2) for n in range(6)},
}
Row = tuple[str, list[str], list[Any], set[int]]  # table, columns, values, which are ids


def results() -> Iterator[Result]:
    """One line for each kind of database."""
    for kind in KINDS:
        with fresh(kind) as database:
            unit = make.organisation(database)["B1"]
            make.publish(database, "form", WIDE)

            def ours(database: Database = database, unit: int = unit) -> None:
                database.write(
                    lambda session: submit(session, SYSTEM, "wide", VALUES, unit_id=unit)
                )

            rows = added_by(database, ours)
            theirs = (sqlite_writer if kind == "sqlite" else postgresql_writer)(database, rows)
            costs = in_turns(ours, theirs, TIMES)
            what = f"write of a 40-column record, {kind}"
            yield Result(what, costs[0], f"bare driver, the same {len(rows)} rows", costs[1])


def added_by(database: Database, deed: Callable[[], None]) -> list[Row]:
    """The rows that a deed adds to any table; the second time, when nothing is set up any more."""
    deed()
    tables = sorted(inspect(database.reader).get_table_names())

    def counts() -> dict[str, int]:
        with database.read() as session:
            return {
                name: session.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
                for name in tables
            }

    before = counts()
    deed()
    after = counts()
    return [_newest(database, name) for name in tables if after[name] > before[name]]


def _newest(database: Database, table: str) -> Row:
    columns = [column["name"] for column in inspect(database.reader).get_columns(table)]
    keys = inspect(database.reader).get_pk_constraint(table)["constrained_columns"]
    ids = {n for n, column in enumerate(columns) if column in keys and column.endswith("id")}
    order = columns[min(ids)]
    driver = database.reader.raw_connection()
    cursor = driver.cursor()
    cursor.execute(f'SELECT * FROM "{table}" ORDER BY "{order}" DESC LIMIT 1')
    values = [
        Jsonb(value) if isinstance(value, dict | list) else value for value in cursor.fetchone()
    ]
    driver.close()
    return table, columns, values, ids


def _statements(rows: list[Row], mark: str) -> list[tuple[str, list[Any], set[int]]]:
    return [
        (
            f'INSERT INTO "{table}" ({", ".join(f"{chr(34)}{c}{chr(34)}" for c in columns)})'
            f" VALUES ({', '.join(mark for _ in columns)})",
            values,
            ids,
        )
        for table, columns, values, ids in rows
    ]


def _counted(values: list[Any], ids: set[int], step: int) -> list[Any]:
    """The row under new ids, far above those that are handed out."""
    return [v + (step << 40) if n in ids else v for n, v in enumerate(values)]


def sqlite_writer(database: Database, rows: list[Row]) -> Callable[[], None]:
    """Inserts the rows through sqlite3 with the settings that the platform runs with."""
    driver = sqlite3.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        driver.execute(f"PRAGMA {pragma}")
    statements, step = _statements(rows, "?"), iter(range(1, 1 << 20))

    def write() -> None:
        number = next(step)
        driver.execute("BEGIN IMMEDIATE")
        for statement, values, ids in statements:
            driver.execute(statement, _counted(values, ids, number))
        driver.execute("COMMIT")

    return write


def postgresql_writer(database: Database, rows: list[Row]) -> Callable[[], None]:
    """Inserts the rows through psycopg, which prepares what it sees again."""
    driver = psycopg.connect(database.url.replace("+psycopg", ""))
    statements, step = _statements(rows, "%s"), iter(range(1, 1 << 20))

    def write() -> None:
        number = next(step)
        for statement, values, ids in statements:
            driver.execute(statement, _counted(values, ids, number))
        driver.commit()

    return write
