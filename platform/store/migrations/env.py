"""Alembic's environment: all revisions in one transaction.

Models are needed only to compare with (`config.attributes["metadata"]`, given by the test that
asks whether the revisions and the models agree).
"""

from alembic import context
from sqlalchemy import create_engine, event

metadata = context.config.attributes.get("metadata")
engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "")

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def connected(driver, _record):  # type: ignore[no-untyped-def]
        driver.isolation_level = None

    @event.listens_for(engine, "begin")
    def begun(connection):  # type: ignore[no-untyped-def]
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def ours(_object, name, kind, reflected, _compare):  # type: ignore[no-untyped-def]
    """Leave the forms' tables alone: they change by publishing."""
    return kind != "table" or not reflected or (metadata is not None and name in metadata.tables)


with engine.begin() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=ours,
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    context.run_migrations()
engine.dispose()
