"""The throw-away servers and databases that other tests stand on."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import redis
import servers
from playwright.sync_api import Page
from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.store.database import Database
from careloom.platform.store.session import bump_epoch, epoch

HERE = Path(__file__).parent


def test_a_test_gets_a_database_of_each_kind_with_the_platforms_tables(database: Database) -> None:
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM epoch")).scalar_one() == 1


def test_one_test_does_not_see_what_another_wrote(database: Database) -> None:
    """Runs once for each kind on a database of its own; bump_epoch would show in the second."""

    def bumped(session: Session) -> int:
        before = epoch(session)
        bump_epoch(session)
        return before

    assert database.write(bumped) == 1


def test_postgresql_runs_as_an_ordinary_user(postgresql: str) -> None:
    with psycopg.connect(f"{postgresql}/postgres") as connection:
        folder = connection.execute("SHOW data_directory").fetchone()
    assert folder is not None
    assert Path(folder[0]).stat().st_uid != 0


def test_redis_answers(redis_url: str) -> None:
    assert redis.Redis.from_url(redis_url).ping()


def test_chromium_draws_a_page(page: Page) -> None:
    page.set_content("<h1>口腔</h1>")
    assert page.inner_text("h1") == "口腔"


def test_a_killed_run_leaves_no_server_and_no_folder(postgresql: str) -> None:
    code = "import servers, time; print(servers.run_folder()); servers.postgresql();"
    code += "print('ready', flush=True); time.sleep(60)"
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=HERE,
        env={"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    folder = Path(run.stdout.readline().strip())
    assert run.stdout.readline() == "ready\n"
    server = int((folder / "postgresql" / "data" / "postmaster.pid").read_text().split()[0])
    run.kill()
    run.wait()
    until = time.monotonic() + 20
    while (folder.exists() or servers.alive(server)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not folder.exists()
    assert not servers.alive(server)


def test_clearing_up_after_a_killed_run_leaves_alone_what_lies_beside(tmp_path: Path) -> None:
    folder, run, beside = (tmp_path / name for name in ("server", "run", "beside"))
    for each in (folder, run, beside):
        each.mkdir()
    gone = subprocess.Popen(["true"])
    gone.wait()
    words = ["--folder", str(folder), "--run", str(run), "--owner", str(gone.pid)]
    subprocess.run([sys.executable, servers.__file__, *words, "--", "sleep", "60"], check=True)
    assert sorted(tmp_path.iterdir()) == [beside]
