"""The verbs `jobs`, `keys`, `backup` and `restore`, as they are typed."""

from pathlib import Path

import make
import pytest
from click.testing import CliRunner, Result
from flask.cli import ScriptInfo
from visitors import Site

from careloom.platform.cli import main
from careloom.platform.store.database import open_database
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from


@pytest.fixture
def tell(site: Site):  # type: ignore[no-untyped-def]
    make.publish(site.database, "form", make.form("card", {"number": make.field("id_card")}))
    make.record(site.database, "card", number="110101199003070038")

    def run(*words: str, app: object = None) -> Result:
        info = ScriptInfo(create_app=lambda: app or site.app)
        return CliRunner(env={"LANG": "en_GB.UTF-8"}).invoke(main, words, obj=info)

    return run


def test_a_key_is_changed_and_the_old_one_removed(tell) -> None:  # type: ignore[no-untyped-def]
    assert tell("keys", "list").output == "1  in use for what is written now\n"
    assert "Key 2 is in use" in tell("keys", "rotate").output
    refused = tell("keys", "drop", "1")
    assert refused.exit_code == 1 and "still encrypted with key 1" in refused.stderr
    assert "encrypt card with the new key" in tell("jobs", "list").output
    assert tell("jobs", "run").output == "Nothing is left to do\n"
    assert "1  not needed any more" in tell("keys", "list").output
    assert tell("keys", "drop", "1").exit_code == 0
    assert tell("keys", "list").output == "2  in use for what is written now\n"


def test_a_backup_is_restored_where_nothing_is(  # type: ignore[no-untyped-def]
    tell, tmp_path: Path
) -> None:
    file = tmp_path / "careloom.backup"
    made = tell("backup", str(file))
    assert made.exit_code == 0 and "It holds the keys of encrypted fields (1.key)" in made.output
    again = tell("restore", str(file))
    assert again.exit_code == 1 and "There is data here already" in again.stderr
    home = tmp_path / "elsewhere"
    settings = settings_from({"CARELOOM_HOME": str(home)})
    database = open_database(settings.database_url, home)
    app = create_app(database, settings)
    answer = tell("restore", str(file), app=app)
    assert answer.exit_code == 0, answer.output
    assert "Checked; nothing is wrong" in tell("check", app=app).output
    database.close()
