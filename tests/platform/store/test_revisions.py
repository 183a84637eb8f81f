"""The revisions make exactly the tables that the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

import careloom.platform.cli
import careloom.runtime.area  # noqa: F401  with the above: every model there is
from careloom.platform.store.database import _with_driver
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


def test_a_database_of_an_older_release_is_known_as_such(database_url: str) -> None:
    url = _with_driver(database_url) if database_url.startswith("postgresql") else database_url
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    assert not is_current(database_url)
