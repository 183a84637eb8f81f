"""Alembic's environment: one transaction for all revisions; models from every area."""

from importlib.metadata import entry_points

from alembic import context
from sqlalchemy import create_engine, event

from careloom.platform.store.model import Base

for area in entry_points(group="careloom.areas"):
    area.load()  # the areas' models join the metadata; `alembic check` compares with it

url = context.config.get_main_option("sqlalchemy.url") or ""
engine = create_engine(url)

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def connected(driver, _record):  # type: ignore[no-untyped-def]
        driver.isolation_level = None

    @event.listens_for(engine, "begin")
    def begun(connection):  # type: ignore[no-untyped-def]
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def ours(_object, name, kind, reflected, _compare):  # type: ignore[no-untyped-def]
    """Leave the forms' tables alone: they change by publishing."""
    return not (kind == "table" and reflected and name not in Base.metadata.tables)


with engine.connect() as connection:
    with connection.begin():
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=ours,
            transactional_ddl=True,
        )
        context.run_migrations()
engine.dispose()
