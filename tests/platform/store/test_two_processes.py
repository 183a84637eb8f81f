"""Eight threads write while another process writes in chunks: nobody waits long, nobody fails."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.store.database import Database

# A machine may be slow as a whole; what must not happen is that one writer waits while others go:
# for many of their turns, and for a good part of the whole run.
LONGEST_WAIT = 30  # times the median wait of the same run
LONGEST_PART = 1 / 4  # of the run
SECONDS = 3.0
CHUNKS, CHUNK = 60, 50

OTHER_PROCESS = f"""
import sys
from pathlib import Path
from careloom.platform.store.database import open_database
from sqlalchemy import text

database = open_database(sys.argv[1], Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
for chunk in range({CHUNKS}):
    def deed(session):
        for row in range({CHUNK}):
            name = f"other-{{chunk}}-{{row}}"
            session.execute(text("INSERT INTO probe VALUES (:name)"), {{"name": name}})
    database.write(deed)
database.close()
"""


@pytest.mark.alone
def test_eight_threads_and_another_process_write_without_a_long_wait(database: Database) -> None:
    database.write(lambda session: session.execute(text("CREATE TABLE probe (name TEXT)")))
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, database.url, str(database.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None and other.stdin is not None
    assert other.stdout.readline() == "ready\n"
    other.stdin.write("go\n")
    other.stdin.flush()
    over = threading.Event()
    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(write_until, database, number, over) for number in range(8)]
        time.sleep(SECONDS)
        over.set()
        waits = [wait for result in running for wait in result.result(timeout=30)]
    assert other.wait(30) == 0
    with database.read() as session:
        rows = session.execute(text("SELECT count(*), count(DISTINCT name) FROM probe")).one()
    assert tuple(rows) == (len(waits) + CHUNKS * CHUNK,) * 2
    assert len(waits) > 100
    assert max(waits) < max(LONGEST_WAIT * median(waits), LONGEST_PART * SECONDS)


def write_until(database: Database, thread: int, over: threading.Event) -> list[float]:
    """Write row after row; the seconds each took until it was acknowledged."""
    waits: list[float] = []
    while not over.is_set():

        def deed(session: Session, name: str = f"{thread}-{len(waits)}") -> None:
            session.execute(text("INSERT INTO probe VALUES (:name)"), {"name": name})

        since = time.monotonic()
        database.write(deed)
        waits.append(time.monotonic() - since)
    return waits
