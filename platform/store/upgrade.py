"""Bring the platform's own tables to the newest revision."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from .database import _with_driver

HERE = Path(__file__).parent


def configuration(url: str) -> Config:
    """Alembic's configuration for one database."""
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    if url.startswith("postgresql"):
        url = _with_driver(url)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run every revision this database has not had yet, in one transaction."""
    command.upgrade(configuration(url), revision)


def newest() -> str:
    """The revision this release brings a database to."""
    (head,) = ScriptDirectory.from_config(configuration("")).get_heads()
    return head


def is_behind(url: str) -> bool:
    """Whether the database lacks revisions of this release. One that a later release has been at
    lacks none: a release only adds."""
    script = ScriptDirectory.from_config(configuration(url))
    known = {revision.revision for revision in script.walk_revisions()}
    there = _revisions(url)
    return not there or (there <= known and there != set(script.get_heads()))


def is_current(url: str) -> bool:
    """Whether the database has every revision this release brings."""
    return _revisions(url) == set(ScriptDirectory.from_config(configuration(url)).get_heads())


def _revisions(url: str) -> set[str]:
    """The newest revisions the database has had; none of an empty one."""
    from alembic.runtime.migration import MigrationContext

    engine = create_engine(configuration(url).get_main_option("sqlalchemy.url") or "")
    try:
        with engine.connect() as connection:
            return set(MigrationContext.configure(connection).get_current_heads())
    finally:
        engine.dispose()
