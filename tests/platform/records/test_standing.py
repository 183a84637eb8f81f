"""A process begins only where its release and its keys belong to the database."""

import shutil
from pathlib import Path

import make
import pytest
from sqlalchemy import create_engine, text

from careloom.platform.records.standing import begin_keys, require_standing
from careloom.platform.store.database import Database, _with_driver, open_database
from careloom.platform.store.encrypted import keyring
from careloom.platform.store.errors import Conflict
from careloom.platform.store.upgrade import is_behind


def stamped(url: str, revision: str) -> None:
    """As if this revision were the last the database has had."""
    engine = create_engine(_with_driver(url) if url.startswith("postgresql") else url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
        )
    engine.dispose()


def refused(database: Database) -> str:
    with pytest.raises(Conflict) as refusal:
        require_standing(database)
    return refusal.value.code


def test_after_setup_a_process_may_begin(database: Database) -> None:
    begin_keys(database)
    require_standing(database)


def test_not_on_a_database_of_an_older_release(database: Database) -> None:
    stamped(database.url, "0001")
    assert refused(database) == "E_DATABASE_BEHIND"


def test_not_on_an_empty_database(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/empty.db", tmp_path)
    assert refused(database) == "E_DATABASE_BEHIND"
    database.close()


def test_an_older_process_may_begin_on_a_database_of_a_later_release(database: Database) -> None:
    """It was there before; a release only adds."""
    begin_keys(database)
    stamped(database.url, "9999")
    assert not is_behind(database.url)
    require_standing(database)


def test_a_machine_of_a_chain_does_not_begin_without_keys(
    postgresql_url: str, tmp_path: Path
) -> None:
    database = open_database(postgresql_url, tmp_path / "second")
    assert refused(database) == "E_KEYS_MISSING"
    database.close()


def test_nor_with_keys_that_do_not_open_what_is_there(database: Database, tmp_path: Path) -> None:
    """And keys are not made where something is encrypted already; copied, they open it."""
    make.organisation(database)
    make.publish(database, "form", make.form("someone", {"note": make.field(x_encrypted=True)}))
    make.record(database, "someone", note="allergic")
    for name in ("made", "copied"):
        second = open_database(database.url, tmp_path / name)
        begin_keys(second)
        assert keyring(second.home).numbers() == []
        if name == "made":
            keyring(second.home).begin()
            assert refused(second) == "E_KEYS_OTHER"
        else:
            shutil.copytree(database.home / "keys", second.home / "keys")
            require_standing(second)
        second.close()
