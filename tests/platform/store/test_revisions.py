"""The revisions make exactly the tables that the models describe."""

from datetime import UTC, datetime

import make
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

import careloom.platform.cli
import careloom.runtime.area  # noqa: F401  with the above: every model there is
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import list_records
from careloom.platform.store import jobs
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, _with_driver
from careloom.platform.store.model import Base
from careloom.platform.store.upgrade import is_current, upgrade


def test_revisions_and_models_agree(database_url: str) -> None:

    url = _with_driver(database_url) if database_url.startswith("postgresql") else database_url
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    assert is_current(database_url)


def test_names_of_an_older_release_come_into_order_by_a_job(
    database: Database, clock: TurnedClock
) -> None:
    make.organisation(database)
    make.publish(database, "form", make.form("lead", {"name": make.field()}, x_label="name"))
    for name in ("王丽", "方安", "阿宝", "赵一", "范刚"):
        make.record(database, "lead", name=name)

    def as_it_was(session: Session) -> None:
        session.execute(text("UPDATE form_lead SET _found_by = name"))
        session.execute(text("UPDATE alembic_version SET version_num = '0018'"))
        if database.dialect == "postgresql":
            session.execute(
                text('ALTER TABLE form_lead ALTER _found_by TYPE text COLLATE "en-x-icu"')
            )

    database.write(as_it_was)
    upgrade(database.url, "0019")
    clock.set(datetime.now(UTC))  # upgrading goes by the machine's own
    jobs.run(database)
    with database.read() as session:
        found = list_records(session, SYSTEM, "lead", sort=["name"]).items
    assert [record.label for record in found] == ["阿宝", "范刚", "方安", "王丽", "赵一"]


def test_a_database_of_an_older_release_is_known_as_such(database_url: str) -> None:
    url = _with_driver(database_url) if database_url.startswith("postgresql") else database_url
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    assert not is_current(database_url)
